// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/remove.hh"
#include "base/directory.hh"
#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "tree/platform.hh"
#include "tree/refusal.hh"

#include <cstdio>
#include <sys/stat.h>

namespace fruix {

namespace {

class remover
{
public:
  explicit remover (nlink_t links) noexcept : links_ {links} {}

  outcome<void> remove (int directory, const char *name);
  std::uint64_t freed () const noexcept { return freed_; }

private:
  outcome<void> remove_file (int directory, const char *name,
                             const struct stat &status) noexcept;
  outcome<unique_fd> open (int directory, const char *name) noexcept;
  outcome<void> empty (int directory);
  outcome<bool> sweep (int directory);
  outcome<void> sweep_entry (int directory, const char *name);
  outcome<void> dissolve (const char *name);
  outcome<void> move_up (int directory, const char *name);

  nlink_t links_;
  std::uint64_t freed_ = 0;
  std::uint64_t mount_ = 0;   // of the tree
  int top_ = -1;              // its top directory
  std::uint64_t moved_ = 0;   // directories moved into it
};

}

// Lift what its owner can have done so that NAME in DIRECTORY resists; best
// effort, as the call that failed is tried again.
static void
unlock (int directory, const char *name) noexcept
{
  struct stat status;
  (void) clear_flags (directory, ".");
  (void) clear_flags (directory, name);
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0
      && S_ISDIR (status.st_mode)
      && (status.st_mode & S_IRWXU) != S_IRWXU)
    (void) fchmodat (directory, name, S_IRWXU, AT_SYMLINK_NOFOLLOW);
}

static bool
forbidden (int error) noexcept
{
  return error == EACCES || error == EPERM;
}

// unlinkat, with the errno as result.
static int
unlink_entry (int directory, const char *name, int flags) noexcept
{
  if (unlinkat (directory, name, flags) == 0)
    return 0;
  if (forbidden (errno))
    {
      unlock (directory, name);
      if (unlinkat (directory, name, flags) == 0)
        return 0;
    }
  return errno;
}

static bool
not_empty (int error) noexcept
{
  return error == ENOTEMPTY || error == EEXIST;
}

static std::unexpected<fault>
failed_on (std::string_view who, const char *name, int error = errno) noexcept
{
  return failed (who, printable {name, {}}.view (), error);
}

// Open the directory NAME in DIRECTORY, so that its entries can be removed;
// but change nothing where something is mounted.
outcome<unique_fd>
remover::open (int directory, const char *name) noexcept
{
  auto attempt = [&]
    {
      return retry ([&]
        {
          return openat (directory, name, O_RDONLY | O_DIRECTORY
                                            | O_NOFOLLOW | O_CLOEXEC);
        });
    };
  unique_fd fd {attempt ()};
  if (!fd && forbidden (errno))
    {
      unlock (directory, name);
      fd.reset (attempt ());
    }
  struct stat status;
  if (!fd || fstat (fd.get (), &status))
    return failed_on ("openat", name);
  auto mount = mount_of (fd.get ());
  if (!mount)
    return std::unexpected {mount.error ()};
  if (*mount != mount_)
    return refusal::because (refusal::file_system, name);
  if ((status.st_mode & S_IRWXU) != S_IRWXU)
    (void) fchmod (fd.get (), S_IRWXU);
  return fd;
}

outcome<void>
remover::remove_file (int directory, const char *name,
                      const struct stat &status) noexcept
{
  if (int error = unlink_entry (directory, name, 0); error && error != ENOENT)
    return failed_on ("unlinkat", name, error);
  if (status.st_nlink <= links_)
    freed_ += std::uint64_t {512} * status.st_blocks;
  return {};
}

outcome<void>
remover::remove (int directory, const char *name)
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW))
    return failed_on ("fstatat", name);
  if (!S_ISDIR (status.st_mode))
    return remove_file (directory, name, status);
  auto mount = mount_of (directory);
  if (!mount)
    return std::unexpected {mount.error ()};
  mount_ = *mount;
  auto top = open (directory, name);
  if (!top)
    return std::unexpected {top.error ()};
  top_ = top->get ();
  if (auto result = empty (top_); !result)
    return result;
  if (int error = unlink_entry (directory, name, AT_REMOVEDIR))
    return failed_on ("unlinkat", name, error);
  return {};
}

// Remove all that is in DIRECTORY.
outcome<void>
remover::empty (int directory)
{
  for (;;)
    {
      auto met = sweep (directory);
      if (!met)
        return std::unexpected {met.error ()};
      if (!*met)
        return {};
    }
}

// Go through DIRECTORY once; return whether there was anything.
outcome<bool>
remover::sweep (int directory)
{
  bool met = false;
  auto swept = for_each_entry (directory, [&] (const dirent &entry)
    {
      met = true;
      return sweep_entry (directory, entry.d_name);
    });
  if (!swept)
    return std::unexpected {swept.error ()};
  return met;
}

outcome<void>
remover::sweep_entry (int directory, const char *name)
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW))
    {
      if (errno == ENOENT)
        return {};
      return failed_on ("fstatat", name);
    }
  if (!S_ISDIR (status.st_mode))
    return remove_file (directory, name, status);
  int error = unlink_entry (directory, name, AT_REMOVEDIR);
  if (error == 0 || error == ENOENT)
    return {};
  if (!not_empty (error))
    return failed_on ("unlinkat", name, error);
  return directory == top_ ? dissolve (name) : move_up (directory, name);
}

// Remove the directory NAME, which is not empty, in the top one.
outcome<void>
remover::dissolve (const char *name)
{
  auto fd = open (top_, name);
  if (!fd)
    return std::unexpected {fd.error ()};
  if (auto result = empty (fd->get ()); !result)
    return result;
  int error = unlink_entry (top_, name, AT_REMOVEDIR);
  if (error && error != ENOENT)
    return failed_on ("unlinkat", name, error);
  return {};
}

// Move the directory NAME in DIRECTORY into the top one, under a name that is
// free there, or that of an empty directory, which does not matter.
outcome<void>
remover::move_up (int directory, const char *name)
{
  bool unlocked = false;
  for (;;)
    {
      char fresh[24];
      std::snprintf (fresh, sizeof fresh, "%llu",
                     static_cast<unsigned long long> (moved_++));
      if (renameat (directory, name, top_, fresh) == 0 || errno == ENOENT)
        return {};
      int error = errno;
      if (forbidden (error) && !unlocked)
        {
          unlock (directory, name);
          unlocked = true;
        }
      else if (!not_empty (error) && error != ENOTDIR)
        return failed_on ("renameat", name, error);
    }
}

outcome<std::uint64_t>
remove_tree (int directory, const char *name, nlink_t links)
{
  remover remover {links};
  if (auto result = remover.remove (directory, name); !result)
    return std::unexpected {result.error ()};
  return remover.freed ();
}

}
