// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/share.hh"
#include "base/unique_fd.hh"

#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix {

// Other threads and daemons add and remove shared files meanwhile: try again
// so many times.
static constexpr int attempts = 8;

// No more links to this inode, no room in the directory of shared files, or
// no hard links at all here.
static bool
links_exhausted (int error) noexcept
{
  return error == EMLINK || error == ENOSPC || error == EPERM
         || error == EOPNOTSUPP;
}

// Whether the shared file OURS can stand for MINE.  If not, something has
// damaged it.
static bool
interchangeable (const struct stat &ours, const struct stat &mine) noexcept
{
  return S_ISREG (ours.st_mode) && ours.st_size == mine.st_size
         && ours.st_mode == mine.st_mode && ours.st_uid == mine.st_uid;
}

// Rename the link TEMPORARY in SHARED to NAME in DIRECTORY; with DURABLE, once
// its file is on the disk.
static outcome<bool>
put (int shared, const char *temporary, int directory, const char *name,
     bool durable) noexcept
{
  unique_fd fd;
  if (durable)
    fd.reset (openat (shared, temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (durable && (!fd || fdatasync (fd.get ())))
    return failed ("fdatasync", temporary);
  if (renameat (shared, temporary, directory, name))
    return failed ("renameat", name);
  return true;
}

// Replace NAME in DIRECTORY by a link to the file KEY in SHARED, in one step.
static outcome<bool>
replace_by_link (int shared, const char *key, int directory, const char *name,
                 bool durable) noexcept
{
  static std::atomic<unsigned> counter;
  char temporary[64];
  std::snprintf (temporary, sizeof temporary, ".tmp-link-%ld-%x",
                 static_cast<long> (getpid ()), counter++);
  if (linkat (shared, key, shared, temporary, 0))
    return failed ("linkat", key);
  auto result = put (shared, temporary, directory, name, durable);
  // It is still there if that failed, and also if another thread was faster:
  // renaming a file to another name that it has does nothing.
  unlinkat (shared, temporary, 0);
  return result;
}

// One attempt; EEXIST and ENOENT mean that another one may do.
static outcome<bool>
try_to_share (int shared, const char *key, int directory, const char *name,
              bool durable) noexcept
{
  if (linkat (directory, name, shared, key, 0) == 0)
    return false;
  if (errno != EEXIST)
    return failed ("linkat", key);
  struct stat ours, mine;
  if (fstatat (shared, key, &ours, AT_SYMLINK_NOFOLLOW))
    return failed ("fstatat", key);
  if (fstatat (directory, name, &mine, AT_SYMLINK_NOFOLLOW))
    return failed ("fstatat", name);
  if (ours.st_ino == mine.st_ino && ours.st_dev == mine.st_dev)
    return false;
  if (!interchangeable (ours, mine))
    {
      if (unlinkat (shared, key, 0) && errno != ENOENT)
        return failed ("unlinkat", key);
      return failed ("linkat", key, EEXIST);
    }
  return replace_by_link (shared, key, directory, name, durable);
}

outcome<bool>
share_file (int shared, const std::string &key, int directory,
            const char *name, bool durable) noexcept
{
  for (int attempt = 0; attempt < attempts; ++attempt)
    {
      auto result
          = try_to_share (shared, key.c_str (), directory, name, durable);
      if (result)
        return result;
      int error = result.error ().error;
      if (links_exhausted (error))
        return false;
      if (error != EEXIST && error != ENOENT)
        return result;
    }
  return false;
}

}
