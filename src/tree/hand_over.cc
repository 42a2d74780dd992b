// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/hand_over.hh"

#include "base/directory.hh"
#include "base/printable.hh"
#include "base/unique_fd.hh"
#include "tree/platform.hh"

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
  mode_t mode;  // of the top
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

// Hand over what is open as FD, has STATUS and is no directory.
static outcome<void>
hand_over_file (int fd, const struct stat &status,
                const parties &parties) noexcept
{
  mode_t mode = harmless (status.st_mode);
  if (!S_ISLNK (status.st_mode) && mode != (status.st_mode & 07777))
    if (auto changed = change_mode (fd, mode); !changed)
      return changed;
  if (fchownat (fd, "", parties.owner, parties.group, AT_EMPTY_PATH) < 0)
    return failed ("fchownat");
  return {};
}

// Put the directory that is open as PLACE and has MODE on PATH.  As long as it
// is there, nobody can exchange what is in it: neither who gets it, nor who
// was passed its descriptor.
static outcome<void>
enter (int place, mode_t mode, std::vector<level> &path)
{
  if (path.size () == maximum_depth)
    return failed ("hand-over-tree", "", ENAMETOOLONG);
  if (auto changed = change_mode (place, S_IRWXU); !changed)
    return changed;
  unique_fd fd {openat (place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd)
    return failed ("openat");
  auto stream = open_stream (fd.get ());
  if (!stream)
    return failed ("fdopendir");
  path.push_back ({std::move (stream), mode});
  return {};
}

// Hand over the innermost directory of PATH, which loses it.
static outcome<void>
leave (std::vector<level> &path, const parties &parties)
{
  auto &level = path.back ();
  int fd = dirfd (level.stream.get ());
  if (fchmod (fd, path.size () == 1 ? parties.mode : harmless (level.mode))
      < 0)
    return failed ("fchmod");
  if (fchown (fd, parties.owner, parties.group) < 0)
    return failed ("fchown");
  path.pop_back ();
  return {};
}

static std::unexpected<fault>
failed_on (std::string_view who, const char *name, int error = errno) noexcept
{
  return failed (who, printable {name, {}}.view (), error);
}

// Open NAME in DIRECTORY, whatever it is, for no more than to deal with this
// very file.
static outcome<unique_fd>
grasp (int directory, const char *name, struct stat &status) noexcept
{
  unique_fd fd {openat (directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd)
    return failed_on ("openat", name);
  if (fstat (fd.get (), &status) < 0)
    return failed_on ("fstat", name);
  return fd;
}

// Go on with NAME in DIRECTORY.  A file of somebody else is here as a link
// that the builder has made.
static outcome<void>
visit (int directory, const char *name, const parties &parties,
       std::vector<level> &path)
{
  struct stat status;
  auto fd = grasp (directory, name, status);
  if (!fd)
    return std::unexpected {fd.error ()};
  if (status.st_uid != parties.builder)
    return {};
  auto result = S_ISDIR (status.st_mode)
                    ? enter (fd->get (), status.st_mode, path)
                    : hand_over_file (fd->get (), status, parties);
  if (!result)
    return failed_on (result.error ().who, name, result.error ().error);
  return {};
}

// Hand over what is in the directories of PATH, and these.
static outcome<void>
hand_over (std::vector<level> &path, const parties &parties)
{
  while (!path.empty ())
    {
      DIR *stream = path.back ().stream.get ();
      auto entry = next_entry (stream);
      if (!entry)
        return std::unexpected {entry.error ()};
      auto result = *entry ? visit (dirfd (stream), *entry, parties, path)
                           : leave (path, parties);
      if (!result)
        return result;
    }
  return {};
}

outcome<void>
hand_over_tree (int directory, const char *name, uid_t owner, gid_t group,
                mode_t mode)
{
  struct stat top;
  auto fd = grasp (directory, name, top);
  if (!fd)
    return std::unexpected {fd.error ()};
  const parties parties {top.st_uid, owner, group, mode};
  std::vector<level> path;
  auto result = visit (directory, name, parties, path);
  if (result)
    result = hand_over (path, parties);
  // Those that nobody was given stay as they were.
  for (auto &level : path)
    (void) fchmod (dirfd (level.stream.get ()), level.mode & 07777);
  return result;
}

}
