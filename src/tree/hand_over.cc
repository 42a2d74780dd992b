// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/hand_over.hh"

#include "base/directory.hh"
#include "base/unique_fd.hh"

#include <sys/stat.h>
#include <vector>

namespace fruix {

// Directories deeper than this are an error: each level holds a descriptor.
static constexpr std::size_t maximum_depth = 512;

// Who has the tree, and who gets it.
struct parties
{
  uid_t builder;
  uid_t owner;
  gid_t group;
};

// Hand over one file; return whether it is a directory that was.  A file of
// somebody else is here as a link that the builder has made.
static outcome<bool>
hand_over_file (int directory, const char *name, const parties &parties)
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fstatat", name);
  if (status.st_uid != parties.builder)
    return false;
  mode_t mode = status.st_mode & 07777;
  mode_t harmless = mode & ~mode_t {S_ISUID | S_ISGID | S_IWOTH};
  if (!S_ISLNK (status.st_mode) && harmless != mode
      && fchmodat (directory, name, harmless, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fchmodat", name);
  if (fchownat (directory, name, parties.owner, parties.group,
                AT_SYMLINK_NOFOLLOW)
      < 0)
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
  struct stat top;
  if (fstatat (directory, name, &top, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fstatat", name);
  const parties parties {top.st_uid, owner, group};
  std::vector<directory_stream> path;
  if (S_ISDIR (top.st_mode))
    if (auto entered = enter (directory, name, path); !entered)
      return entered;
  while (!path.empty ())
    {
      DIR *stream = path.back ().get ();
      auto entry = next_entry (stream);
      if (!entry)
        return std::unexpected {entry.error ()};
      if (!*entry)
        {
          path.pop_back ();
          continue;
        }
      auto deeper = hand_over_file (dirfd (stream), *entry, parties);
      if (!deeper)
        return std::unexpected {deeper.error ()};
      if (*deeper)
        if (auto entered = enter (dirfd (stream), *entry, path); !entered)
          return entered;
    }
  auto last = hand_over_file (directory, name, parties);
  return last ? outcome<void> {} : std::unexpected {last.error ()};
}

}
