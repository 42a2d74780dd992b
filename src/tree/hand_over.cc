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

namespace {

// A directory whose entries are changing hands.
struct level
{
  directory_stream stream;
  mode_t mode;
};

}

static mode_t
harmless (mode_t mode) noexcept
{
  return mode & 07777 & ~mode_t {S_ISUID | S_ISGID | S_IWOTH};
}

// Hand over NAME, which has STATUS and is no directory.
static outcome<void>
hand_over_file (int directory, const char *name, const struct stat &status,
                const parties &parties) noexcept
{
  mode_t mode = harmless (status.st_mode);
  if (!S_ISLNK (status.st_mode) && mode != (status.st_mode & 07777)
      && fchmodat (directory, name, mode, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fchmodat", name);
  if (fchownat (directory, name, parties.owner, parties.group,
                AT_SYMLINK_NOFOLLOW)
      < 0)
    return failed ("fchownat", name);
  return {};
}

// Open the directory NAME of PARENT and put it on PATH.  As long as it is
// there, nobody can exchange what is in it: neither who gets it, nor who was
// passed its descriptor.
static outcome<void>
enter (int parent, const char *name, std::vector<level> &path)
{
  if (path.size () == maximum_depth)
    return failed ("hand-over-tree", name, ENAMETOOLONG);
  unique_fd fd {openat (parent, name,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd)
    return failed ("openat", name);
  struct stat status;
  if (fstat (fd.get (), &status) < 0)
    return failed ("fstat", name);
  auto stream = open_stream (fd.get ());
  if (!stream)
    return failed ("fdopendir", name);
  if (fchmod (fd.get (), S_IRWXU) < 0)
    return failed ("fchmod", name);
  path.push_back ({std::move (stream), status.st_mode});
  return {};
}

// Hand over the innermost directory of PATH, which loses it.
static outcome<void>
leave (std::vector<level> &path, const parties &parties)
{
  auto &level = path.back ();
  int fd = dirfd (level.stream.get ());
  if (fchmod (fd, harmless (level.mode)) < 0)
    return failed ("fchmod", "directory");
  if (fchown (fd, parties.owner, parties.group) < 0)
    return failed ("fchown", "directory");
  path.pop_back ();
  return {};
}

// Go on with NAME in DIRECTORY.  A file of somebody else is here as a link
// that the builder has made.
static outcome<void>
visit (int directory, const char *name, const parties &parties,
       std::vector<level> &path)
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fstatat", name);
  if (status.st_uid != parties.builder)
    return {};
  if (S_ISDIR (status.st_mode))
    return enter (directory, name, path);
  return hand_over_file (directory, name, status, parties);
}

outcome<void>
hand_over_tree (int directory, const char *name, uid_t owner, gid_t group)
{
  struct stat top;
  if (fstatat (directory, name, &top, AT_SYMLINK_NOFOLLOW) < 0)
    return failed ("fstatat", name);
  const parties parties {top.st_uid, owner, group};
  std::vector<level> path;
  auto result = visit (directory, name, parties, path);
  while (result && !path.empty ())
    {
      DIR *stream = path.back ().stream.get ();
      auto entry = next_entry (stream);
      if (!entry)
        return std::unexpected {entry.error ()};
      result = *entry ? visit (dirfd (stream), *entry, parties, path)
                      : leave (path, parties);
    }
  return result;
}

}
