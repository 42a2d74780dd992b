// SPDX-License-Identifier: GPL-3.0-or-later
// The tree that becomes a jail's root: a tmpfs on a directory of the host, so
// that whatever is created in it is gone when it is unmounted, and mounts in
// it.  nmount(2) takes names, but each is made sure of by descriptors before
// and after.
#include "freebsd/steps.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "freebsd/devfs.hh"
#include "freebsd/mount.hh"
#include "freebsd/passwd.hh"
#include "freebsd/shared_memory.hh"
#include "freebsd/teardown.hh"
#include "plan/place.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix::plan {

// O_RESOLVE_BENEATH would follow symbolic links.
int
open_beneath (int directory, const char *path) noexcept
{
  return walk_beneath (directory, path);
}

// Mount TYPE on PATH with OPTIONS, each "KEY" or "KEY=VALUE", and no set-id
// programs; note how to undo it.
static outcome<void>
mount_noted (const char *type, const std::string &path,
             std::span<const std::string> options, context &context)
{
  std::vector<std::string> all {options.begin (), options.end ()};
  all.push_back ("nosuid");
  auto number = mount_filesystem (type, path, all);
  if (!number)
    return std::unexpected {number.error ()};
  context.receipt.push_back (
      make_step ("unmount", {static_cast<std::int64_t> (*number), path}));
  return {};
}

// ("root" DIRECTORY OPTION...): mount a tmpfs with OPTIONS on DIRECTORY, where
// the tree will grow.
outcome<void>
start_root (const step &step, context &context)
{
  auto own = open_root (step.text (0));
  if (!own)
    return std::unexpected {own.error ()};
  unique_fd {*own};
  context.receipt.push_back (
      make_step ("remove-shared-memory", {step.texts[0]}));
  auto mounted = mount_noted ("tmpfs", step.texts[0],
                              std::span {step.texts}.subspan (1), context);
  if (!mounted)
    return mounted;
  auto root = open_root (step.text (0));
  if (!root)
    return std::unexpected {root.error ()};
  context.root = *root;
  context.root_name = step.texts[0];
  return {};
}

// Mount SOURCE at PLACE, which is called PATH, and make sure that it is the
// file that STATUS tells of: its number is the same in a nullfs.
static outcome<void>
mount_null (const step &step, const place &place, const std::string &path,
            const struct stat &status, context &context)
{
  std::vector<std::string> options {"from=" + step.texts[0]};
  if (step.texts[2] != "read-write")
    options.push_back ("ro");
  // Sockets in it are not for jails to connect to, if the kernel can prevent
  // that: since FreeBSD 15.
  options.push_back ("nounixbypass");
  auto mounted = mount_noted ("nullfs", path, options, context);
  if (!mounted && mounted.error ().error == EINVAL)
    {
      options.pop_back ();
      mounted = mount_noted ("nullfs", path, options, context);
    }
  if (!mounted)
    return mounted;
  struct stat seen;
  if (::fstatat (place.directory, place.name, &seen, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fstatat", path);
  if (seen.st_ino != status.st_ino)
    return failed ("nmount", step.texts[0], EXDEV);
  return {};
}

// Copy the file that is open as SOURCE to PLACE, for all to read, and as old
// as it is.
static outcome<void>
copy_file (int source, const place &place, const struct stat &status)
{
  unique_fd target {::openat (place.directory, place.name,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
                                  | O_CLOEXEC,
                              0600)};
  if (!target)
    return failed ("openat", place.name);
  for (;;)
    {
      auto count = retry ([&] {
        return ::copy_file_range (source, nullptr, target.get (), nullptr,
                                  static_cast<std::size_t> (SSIZE_MAX), 0);
      });
      if (count < 0)
        return failed ("copy_file_range", place.name);
      if (count == 0)
        break;
    }
  if (::fchmod (target.get (), status.st_mode & 0555) < 0)
    return failed ("fchmod", place.name);
  struct timespec times[] = {status.st_atim, status.st_mtim};
  if (::futimens (target.get (), times) < 0)
    return failed ("futimens", place.name);
  return {};
}

// ("bind" SOURCE TARGET ACCESS SIZE): SOURCE of the host appears as TARGET,
// "read-only" or "read-write"; a file up to SIZE that is only to be read is
// copied.
outcome<void>
bind (const step &step, context &context)
{
  const char *source = step.text (0), *target = step.text (1);
  auto place = locate (target, context);
  if (!place)
    return std::unexpected {place.error ()};
  unique_fd file {::open (source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK
                                      | O_CLOEXEC)};
  if (!file)
    return failed (errno == EMLINK ? "symbolic link" : "open", source,
                   errno == EMLINK ? ELOOP : errno);
  struct stat status;
  if (::fstat (file.get (), &status) < 0)
    return failed ("fstat", source);
  if (S_ISREG (status.st_mode) && status.st_size <= step.numbers[0]
      && step.texts[2] == "read-only")
    return copy_file (file.get (), *place, status);
  if (!S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode))
    return failed ("neither file nor directory", source, EINVAL);
  if (auto made = make_mount_point (*place, status.st_mode); !made)
    return made;
  return mount_null (step, *place, context.root_name + target, status,
                     context);
}

// ("filesystem" TYPE TARGET OPTION...): a new tmpfs or devfs.
outcome<void>
mount_in_tree (const step &step, context &context)
{
  const char *type = step.text (0), *target = step.text (1);
  if (step.texts[0] != "tmpfs" && step.texts[0] != "devfs")
    return failed ("nmount", type, EINVAL);
  auto place = locate (target, context);
  if (!place)
    return std::unexpected {place.error ()};
  if (auto made = make_mount_point (*place, S_IFDIR); !made)
    return made;
  return mount_noted (type, context.root_name + target,
                      std::span {step.texts}.subspan (2), context);
}

// ("devfs-ruleset" NUMBER PATTERN...): the devices that a devfs with this
// ruleset shows.  It stays: others may use it.
outcome<void>
define_devices (const step &step, context &)
{
  if (!std::in_range<std::uint16_t> (step.numbers[0]))
    return failed ("devfs rule set", "number", ERANGE);
  return define_device_rules (static_cast<std::uint16_t> (step.numbers[0]),
                              step.texts);
}

// ("user-database" PASSWD DATABASE): both names in the tree.
outcome<void>
make_user_database (const step &step, context &context)
{
  auto place = locate (step.text (0), context);
  if (!place)
    return std::unexpected {place.error ()};
  unique_fd passwd {::openat (place->directory, place->name,
                              O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat status;
  if (!passwd || ::fstat (passwd.get (), &status) < 0)
    return failed ("openat", step.text (0));
  std::string text (static_cast<std::size_t> (status.st_size), '\0');
  auto length = retry (
      [&] { return ::read (passwd.get (), text.data (), text.size ()); });
  if (length != status.st_size)
    return failed ("read", step.text (0));
  return compile_passwd (text, context.root_name + step.text (1));
}

// ("remove-shared-memory" DIRECTORY): what a jail with that root has left.
outcome<void>
undo_shared_memory (const step &step, context &)
{
  return remove_shared_memory (step.texts[0]);
}

// ("unmount" NUMBER PATH): the file system with that number, wherever it is.
outcome<void>
undo_mount (const step &step, context &)
{
  return tear_down_mount (static_cast<std::uint64_t> (step.numbers[0]));
}

}
