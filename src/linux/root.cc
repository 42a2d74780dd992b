// SPDX-License-Identifier: GPL-3.0-or-later
// The root of a child is a tmpfs, mounted over a directory of the host inside
// the child's own mount namespace: whatever is created in it is gone with the
// last process.  Until it becomes the root, everything in it is reached from
// its descriptor.
#include "linux/root.hh"

#include "linux/steps.hh"
#include "plan/place.hh"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix::plan {

int
open_beneath (int directory, const char *path) noexcept
{
  struct open_how how {};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int> (
      ::syscall (SYS_openat2, directory, path, &how, sizeof how));
}

static bool
configure (int context, const std::string &option) noexcept
{
  char key[64];
  auto equals = option.find ('=');
  copy_text (key, std::string_view {option}.substr (0, equals));
  if (equals == std::string::npos)
    return ::fsconfig (context, FSCONFIG_SET_FLAG, key, nullptr, 0) == 0;
  return ::fsconfig (context, FSCONFIG_SET_STRING, key,
                     option.c_str () + equals + 1, 0)
         == 0;
}

outcome<unique_fd>
create_filesystem (const char *type, std::span<const std::string> options,
                   unsigned attributes) noexcept
{
  unique_fd context {::fsopen (type, FSOPEN_CLOEXEC)};
  if (!context)
    return failed ("fsopen", type);
  for (auto &option : options)
    if (!configure (context.get (), option))
      return failed ("fsconfig", option);
  if (::fsconfig (context.get (), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0)
      < 0)
    return failed ("fsconfig", type);
  unique_fd mounted {
    ::fsmount (context.get (), FSMOUNT_CLOEXEC, attributes)};
  if (!mounted)
    return failed ("fsmount", type);
  return mounted;
}

outcome<unique_fd>
clone_tree (const char *source, unsigned attributes) noexcept
{
  unique_fd tree {::open_tree (AT_FDCWD, source,
                               OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
                                   | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW)};
  if (!tree)
    return failed ("open_tree", source);
  struct mount_attr added {};
  added.attr_set = attributes;
  if (::mount_setattr (tree.get (), "", AT_EMPTY_PATH | AT_RECURSIVE, &added,
                       sizeof added)
      < 0)
    return failed ("mount_setattr", source);
  return tree;
}

// ("root" DIRECTORY OPTION...): cut the mounts off from the host's, and mount
// a tmpfs with OPTIONS on DIRECTORY, where the tree will grow.
outcome<void>
start_root (const step &step, context &context) noexcept
{
  if (::mount (nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return failed ("mount", "/");
  auto place = open_root (step.text (0));
  if (!place)
    return std::unexpected {place.error ()};
  unique_fd directory {*place};
  auto root = create_filesystem ("tmpfs", std::span {step.texts}.subspan (1),
                                 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (!root)
    return std::unexpected {root.error ()};
  if (::move_mount (root->get (), "", directory.get (), "",
                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
      < 0)
    return failed ("move_mount", step.text (0));
  context.root = root->release ();
  return {};
}

// ("pivot-root" MODE): make the tree the root, whose own mode is then MODE,
// and drop the host's.  The old root lands on top of the new one, as both are
// "." for pivot_root (2), whence it is detached.
outcome<void>
pivot_root (const step &step, context &context) noexcept
{
  if (::fchmodat (context.root, ".", static_cast<mode_t> (step.numbers[0]), 0)
      < 0)
    return failed ("fchmodat", "/");
  if (::fchdir (context.root) < 0)
    return failed ("fchdir", "/");
  if (::syscall (SYS_pivot_root, ".", ".") < 0)
    return failed ("pivot_root", "/");
  if (::umount2 (".", MNT_DETACH) < 0)
    return failed ("umount2", "/");
  if (::chdir ("/") < 0)
    return failed ("chdir", "/");
  return {};
}

// ("joinable"): whoever joins this mount namespace gets its root directory,
// not that of a process in it.  They differ where a chroot hides the former:
// find out by joining it oneself.
outcome<void>
require_joinable (const step &, context &context) noexcept
{
  struct stat ours, theirs;
  auto self = this_process ();
  if (!self)
    return std::unexpected {self.error ()};
  unique_fd descriptor {self->descriptor};
  if (::fstat (context.root, &ours) < 0)
    return failed ("fstat", "/");
  if (::setns (descriptor.get (), CLONE_NEWNS) < 0)
    return failed ("setns");
  if (::stat ("/", &theirs) < 0)
    return failed ("stat", "/");
  if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
    return failed ("in a chroot", "/", EPERM);
  return {};
}

}
