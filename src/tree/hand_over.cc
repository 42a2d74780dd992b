// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/hand_over.hh"

#include "base/directory.hh"
#include "base/unique_fd.hh"

#include <sys/stat.h>
#include <vector>

namespace fruix {

// Directories deeper than this are an error: each level holds a descriptor.
static constexpr std::size_t maximum_depth = 512;

// Hand over one file; return whether it is a directory.
static outcome<bool>
hand_over_file (int directory, const char *name, uid_t owner, gid_t group)
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fstatat", name);
  mode_t mode = status.st_mode & 07777;
  mode_t harmless = mode & ~mode_t {S_ISUID | S_ISGID | S_IWOTH};
  if (!S_ISLNK (status.st_mode) && harmless != mode
      && fchmodat (directory, name, harmless, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fchmodat", name);
  if (fchownat (directory, name, owner, group, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fchownat", name);
  return S_ISDIR (status.st_mode);
}

// Open the directory NAME of PARENT and put its stream on PATH.
static outcome<void>
enter (int parent, const char *name, std::vector<directory_stream> &path)
{
  if (path.size () == maximum_depth)
    return failed ("hand-over-tree", name, ENAMETOOLONG);
  unique_fd fd {openat (parent, name,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd)
    return failed ("openat", name);
  auto stream = open_stream (fd.get ());
  if (!stream)
    return failed ("fdopendir", name);
  path.push_back (std::move (stream));
  return {};
}

outcome<void>
hand_over_tree (int directory, const char *name, uid_t owner, gid_t group)
{
  std::vector<directory_stream> path;
  auto visit = [&] (int parent, const char *name) -> outcome<void>
    {
      auto is_directory = hand_over_file (parent, name, owner, group);
      if (!is_directory)
        return std::unexpected {is_directory.error ()};
      return *is_directory ? enter (parent, name, path) : outcome<void> {};
    };

  if (auto top = visit (directory, name); !top)
    return top;
  while (!path.empty ())
    {
      DIR *stream = path.back ().get ();
      auto entry = next_entry (stream);
      if (!entry)
        return std::unexpected {entry.error ()};
      if (!*entry)
        path.pop_back ();
      else if (auto visited = visit (dirfd (stream), *entry); !visited)
        return visited;
    }
  return {};
}

}
