// SPDX-License-Identifier: GPL-3.0-or-later
// Reading a directory, and asking for an entry, through its descriptor.
#pragma once

#include "base/duplicate.hh"

#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

namespace fruix {

struct directory_closer
{
  void operator() (DIR *stream) const noexcept { closedir (stream); }
};
using directory_stream = std::unique_ptr<DIR, directory_closer>;

// A stream of the entries of the directory FD, which stays open.
inline directory_stream
open_stream (int fd) noexcept
{
  auto copy = duplicate (fd);
  directory_stream stream {copy ? fdopendir (copy->get ()) : nullptr};
  if (stream)
    copy->release ();
  return stream;
}

// The next entry but "." and "..", or nullptr at the end.
inline outcome<const dirent *>
next_dirent (DIR *stream) noexcept
{
  using namespace std::string_view_literals;
  for (;;)
    {
      errno = 0;
      const dirent *entry = readdir (stream);
      if (!entry)
        {
          if (errno)
            return failed ("readdir");
          return nullptr;
        }
      if (entry->d_name != "."sv && entry->d_name != ".."sv)
        return entry;
    }
}

// Its name.
inline outcome<const char *>
next_entry (DIR *stream) noexcept
{
  auto entry = next_dirent (stream);
  if (!entry)
    return std::unexpected {entry.error ()};
  return *entry ? (*entry)->d_name : nullptr;
}

// A stream of the entries of the directory FD from the first on, wherever FD
// is: copies of a descriptor have one position.
inline outcome<directory_stream>
open_entries (int fd) noexcept
{
  auto stream = open_stream (fd);
  if (!stream)
    return failed ("fdopendir");
  rewinddir (stream.get ());
  return stream;
}

// Call VISIT with each entry of the directory FD but "." and ".." until it
// fails.
template <class Visit>
outcome<void>
for_each_entry (int fd, Visit &&visit)
{
  auto stream = open_entries (fd);
  if (!stream)
    return std::unexpected {stream.error ()};
  for (;;)
    {
      auto entry = next_dirent (stream->get ());
      if (!entry)
        return std::unexpected {entry.error ()};
      if (!*entry)
        return {};
      if (outcome<void> visited = visit (**entry); !visited)
        return visited;
    }
}

// Whether there is anything called NAME in DIRECTORY.
inline outcome<bool>
entry_exists (int directory, const char *name) noexcept
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    return true;
  if (errno == ENOENT)
    return false;
  return failed ("fstatat", name);
}

}
