// SPDX-License-Identifier: GPL-3.0-or-later
// What processes use, from /proc.  See proc(5).
#include "process/mentions.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <charconv>
#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace fruix {

// Processes come, go, and are other people's; only what this process itself
// lacks must not be mistaken for that.
static bool
must_be_told (int error) noexcept
{
  return error == EMFILE || error == ENFILE || error == ENOMEM;
}

static outcome<void>
passed_over (const char *call, const char *name) noexcept
{
  if (must_be_told (errno))
    return failed (call, name);
  return {};
}

static unique_fd
open_at (int directory, const char *name, int flags) noexcept
{
  return unique_fd {retry ([&]
    { return ::openat (directory, name, flags | O_RDONLY | O_CLOEXEC); })};
}

struct stream_closer
{
  void operator() (DIR *stream) const noexcept { ::closedir (stream); }
};
using stream = std::unique_ptr<DIR, stream_closer>;

static stream
open_entries (unique_fd fd) noexcept
{
  stream result {::fdopendir (fd.get ())};
  if (result)
    fd.release ();
  return result;
}

static outcome<void>
find_in_link (int directory, const char *name, mention_finder &finder)
{
  char target[PATH_MAX];
  ssize_t size = ::readlinkat (directory, name, target, sizeof target);
  if (size < 0)
    return passed_over ("readlinkat", name);
  finder.feed ({target, static_cast<std::size_t> (size)});
  finder.finish ();
  return {};
}

static outcome<void>
find_in_descriptors (int process, mention_finder &finder)
{
  auto fd = open_at (process, "fd", O_DIRECTORY);
  if (!fd)
    return passed_over ("openat", "fd");
  auto entries = open_entries (std::move (fd));
  if (!entries)
    return passed_over ("fdopendir", "fd");
  while (auto *entry = ::readdir (entries.get ()))
    if (entry->d_name[0] != '.')
      if (auto found = find_in_link (::dirfd (entries.get ()), entry->d_name,
                                     finder);
          !found)
        return found;
  return {};
}

// As much of a file is read: more than the system lets mappings or an
// environment be, unless somebody makes it endless.
static constexpr std::size_t longest_text = std::size_t {1} << 30;

static outcome<void>
find_in_file (int process, const char *name, mention_finder &finder)
{
  auto fd = open_at (process, name, 0);
  if (!fd)
    return passed_over ("openat", name);
  char buffer[65536];
  for (std::size_t total = 0; total < longest_text;)
    {
      ssize_t size = retry ([&]
        { return ::read (fd.get (), buffer, sizeof buffer); });
      if (size < 0)
        if (auto passed = passed_over ("read", name); !passed)
          return passed;
      if (size <= 0)
        break;
      finder.feed ({buffer, static_cast<std::size_t> (size)});
      total += size;
    }
  finder.finish ();
  return {};
}

outcome<void>
list_processes (std::vector<pid_t> &out)
{
  auto fd = open_at (AT_FDCWD, "/proc", O_DIRECTORY);
  auto entries = fd ? open_entries (std::move (fd)) : nullptr;
  if (!entries)
    return failed ("open", "/proc");
  while (auto *entry = ::readdir (entries.get ()))
    {
      std::string_view name {entry->d_name};
      pid_t id;
      auto parsed = std::from_chars (name.data (),
                                     name.data () + name.size (), id);
      if (parsed.ec == std::errc {} && parsed.ptr == name.end ())
        out.push_back (id);
    }
  if (out.empty ())
    return failed ("readdir", "/proc", ENOENT);
  return {};
}

outcome<void>
find_mentions (pid_t process, mention_finder &finder)
{
  auto name = "/proc/" + std::to_string (process);
  auto fd = open_at (AT_FDCWD, name.c_str (), O_PATH | O_DIRECTORY);
  if (!fd)
    return passed_over ("open", name.c_str ());
  for (auto *link : {"exe", "cwd"})
    if (auto found = find_in_link (fd.get (), link, finder); !found)
      return found;
  for (auto *file : {"maps", "environ"})
    if (auto found = find_in_file (fd.get (), file, finder); !found)
      return found;
  return find_in_descriptors (fd.get (), finder);
}

}
