// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/links.hh"
#include "base/directory.hh"
#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <climits>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix {

// Levels of directories; each takes a descriptor while the walk is below it.
static constexpr std::size_t maximum_depth = 64;

// Bytes of a name from the top directory on.
static constexpr std::size_t maximum_name = 512;

// True for the errors of what is out of sight, or just gone.  A link that is
// not to be followed is EMLINK on FreeBSD.
static bool
passed_over (int error) noexcept
{
  return error == EACCES || error == EPERM || error == ENOENT
         || error == ENOTDIR || error == ELOOP || error == EMLINK;
}

static outcome<void>
read_link_at (int directory, const std::string &name, std::string &out)
{
  char target[PATH_MAX];
  ssize_t size = readlinkat (directory, name.c_str (), target, sizeof target);
  if (size < 0)
    return failed ("readlink", name);
  out.assign (target, size);
  return {};
}

namespace {

struct level
{
  unique_fd fd;
  directory_stream stream;
  std::string prefix;
};

}

// What has been read of links that have several names.
using known_targets = std::map<std::pair<dev_t, ino_t>,
                               std::shared_ptr<const std::string>>;

// The target of the link ENTRY in DIRECTORY, nothing if that is passed over:
// it may be no link any more.
static outcome<std::shared_ptr<const std::string>>
target_of (int directory, const std::string &entry, const struct stat &status,
           known_targets &known)
{
  auto place = std::pair {status.st_dev, status.st_ino};
  if (auto found = known.find (place); found != known.end ())
    return found->second;
  std::string text;
  if (auto read = read_link_at (directory, entry, text); !read)
    {
      int error = read.error ().error;
      if (passed_over (error) || error == EINVAL)
        return {};
      return std::unexpected {read.error ()};
    }
  auto target = std::make_shared<const std::string> (std::move (text));
  if (status.st_nlink > 1)
    known.emplace (place, target);
  return target;
}

// Open NAME in DIRECTORY as the next level, whose entries have PREFIX;
// nothing if that is passed over.
static outcome<void>
enter (int directory, const char *name, std::string prefix,
       std::vector<level> &levels)
{
  unique_fd fd {retry ([&]
    {
      return openat (directory, name,
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    })};
  if (!fd && passed_over (errno))
    return {};
  auto stream = fd ? open_stream (fd.get ()) : nullptr;
  if (!stream)
    return failed ("open", prefix.empty () ? name : prefix);
  levels.push_back ({std::move (fd), std::move (stream), std::move (prefix)});
  return {};
}

static outcome<void>
visit (const char *entry, std::vector<level> &levels, known_targets &known,
       std::vector<link_or_file> &out)
{
  int directory = levels.back ().fd.get ();
  std::string name = levels.back ().prefix + entry;
  if (name.size () > maximum_name)
    return {};
  struct stat status;
  if (fstatat (directory, entry, &status, AT_SYMLINK_NOFOLLOW) < 0)
    {
      if (passed_over (errno))
        return {};
      return failed ("fstatat", name);
    }
  if (S_ISDIR (status.st_mode) && levels.size () < maximum_depth)
    return enter (directory, entry, name + "/", levels);
  if (S_ISREG (status.st_mode))
    out.push_back ({std::move (name), {}});
  if (S_ISLNK (status.st_mode))
    {
      auto target = target_of (directory, entry, status, known);
      if (!target)
        return std::unexpected {target.error ()};
      if (*target)
        out.push_back ({std::move (name), std::move (*target)});
    }
  return {};
}

outcome<void>
list_links (const std::string &directory, std::vector<link_or_file> &out)
{
  std::vector<level> levels;
  known_targets known;
  if (auto entered = enter (AT_FDCWD, directory.c_str (), "", levels);
      !entered)
    return entered;
  while (!levels.empty ())
    {
      auto entry = next_entry (levels.back ().stream.get ());
      if (!entry)
        return std::unexpected {entry.error ()};
      if (!*entry)
        levels.pop_back ();
      else if (auto visited = visit (*entry, levels, known, out);
               !visited)
        return visited;
    }
  return {};
}

outcome<void>
read_link (const std::string &file, std::optional<std::string> &out)
{
  std::string target;
  auto read = read_link_at (AT_FDCWD, file, target);
  if (read)
    out = std::move (target);
  else if (read.error ().error != EINVAL) // EINVAL: not a symbolic link
    return read;
  return {};
}

outcome<void>
make_link (const std::string &target, const std::string &file)
{
  if (symlink (target.c_str (), file.c_str ()) < 0)
    return failed ("symlink", file);
  return {};
}

}
