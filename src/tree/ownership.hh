// SPDX-License-Identifier: GPL-3.0-or-later
// Whose files a tree may consist of, and for how long it is wanted.
#pragma once

#include <optional>
#include <poll.h>
#include <set>
#include <sys/stat.h>
#include <utility>

namespace fruix {

class ownership
{
public:
  // OWNER must own every file; anybody may if there is none.  When the
  // descriptor STOP, unless it is -1, is readable, the tree is not wanted any
  // more.
  explicit ownership (std::optional<uid_t> owner = {}, int stop = -1)
    : owner_ {owner}, stop_ {stop}
  {
  }

  bool
  wanted () const noexcept
  {
    pollfd stop {stop_, POLLIN, 0};
    return poll (&stop, 1, 0) <= 0;
  }

  // Whether the file of STATUS may be there.  A file with several links has
  // another owner from the second one on, because ingestion takes possession;
  // such files are remembered, also from one tree to the next.
  bool
  admits (const struct stat &status)
  {
    if (!owner_)
      return true;
    std::pair inode {status.st_dev, status.st_ino};
    if (status.st_uid != *owner_)
      return linked_.contains (inode);
    if (status.st_nlink > 1 && !S_ISDIR (status.st_mode))
      linked_.insert (inode);
    return true;
  }

  // Whether others than the owner could have written the tree whose top level
  // has STATUS.
  bool
  suspects (const struct stat &status)
  {
    bool writable = !S_ISLNK (status.st_mode)
                    && (status.st_mode & (S_IWGRP | S_IWOTH));
    return owner_ && (writable || !admits (status));
  }

private:
  std::optional<uid_t> owner_;
  int stop_;
  std::set<std::pair<dev_t, ino_t>> linked_;
};

}
