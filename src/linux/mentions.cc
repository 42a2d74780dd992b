// SPDX-License-Identifier: GPL-3.0-or-later
// What processes use, from /proc.  See proc(5).
#include "process/mentions.hh"

#include "base/directory.hh"
#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <charconv>
#include <climits>
#include <fcntl.h>
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
  auto found = for_each_entry (fd.get (), [&] (const dirent &entry)
    { return find_in_link (fd.get (), entry.d_name, finder); });
  if (!found && must_be_told (found.error ().error))
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
  if (!fd)
    return failed ("open", "/proc");
  auto listed = for_each_entry (fd.get (), [&] (const dirent &entry)
    {
      std::string_view name {entry.d_name};
      pid_t id;
      auto parsed = std::from_chars (name.data (),
                                     name.data () + name.size (), id);
      if (parsed.ec == std::errc {} && parsed.ptr == name.end ())
        out.push_back (id);
      return outcome<void> {};
    });
  if (!listed)
    return listed;
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
