// SPDX-License-Identifier: GPL-3.0-or-later
#include "process/probe.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <fcntl.h>
#include <spawn.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fruix {

static outcome<void>
try_nothing (const char *) noexcept
{
  return {};
}

static outcome<void>
try_close_range (const char *) noexcept
{
  int fd = ::open ("/dev/null", O_RDONLY);
  if (fd < 0)
    return failed ("open", "/dev/null");
  auto number = static_cast<unsigned> (fd);
  if (::close_range (number, number, 0) < 0)
    return failed ("close_range");
  if (::fcntl (fd, F_GETFD) >= 0)
    return failed ("close_range", "the descriptor is still open", EBUSY);
  return {};
}

static outcome<void>
try_chroot (const char *directory) noexcept
{
  if (::chroot (directory) < 0)
    return failed ("chroot", directory);
  return {};
}

// Start a shell that succeeds if its descriptor 9 is closed.
static int
spawn_shell (pid_t &id) noexcept
{
  constexpr int fd = 9;
  char name[] = "sh", option[] = "-c", script[] = "! true <&9";
  char *arguments[] = {name, option, script, nullptr};
  char *environment[] = {nullptr};
  posix_spawn_file_actions_t actions;
  if (int error = ::posix_spawn_file_actions_init (&actions))
    return error;
  int error = ::posix_spawn_file_actions_addopen (&actions, 2, "/dev/null",
                                                  O_WRONLY, 0);
  if (error == 0)
    error = ::posix_spawn_file_actions_addopen (&actions, fd, "/dev/null",
                                                O_RDONLY, 0);
  if (error == 0)
    error = ::posix_spawn_file_actions_addclosefrom_np (&actions, 3);
  if (error == 0)
    error = ::posix_spawn (&id, "/bin/sh", &actions, nullptr, arguments,
                           environment);
  ::posix_spawn_file_actions_destroy (&actions);
  return error;
}

static outcome<std::int64_t>
try_spawn (const char *) noexcept
{
  pid_t id;
  int status;
  if (int error = spawn_shell (id))
    return failed ("posix_spawn", "/bin/sh", error);
  if (retry ([&] { return ::waitpid (id, &status, 0); }) < 0)
    return failed ("waitpid");
  if (status != 0)
    return failed ("posix_spawn", "a descriptor is still open", EBUSY);
  return 0;
}

static outcome<std::int64_t>
try_fallocate (const char *file) noexcept
{
  unique_fd fd {::open (file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd)
    return failed ("open", file);
  if (int error = ::posix_fallocate (fd.get (), 0, 1))
    return failed ("posix_fallocate", "", error);
  return 0;
}

// Set the times of the symbolic link LINK itself to the first second.
static outcome<std::int64_t>
try_lutimes (const char *link) noexcept
{
  struct timeval first[2] = {{1, 0}, {1, 0}};
  if (::lutimes (link, first) < 0)
    return failed ("lutimes");
  return 0;
}

// Make the user "nobody" the owner of the symbolic link LINK itself.
static outcome<std::int64_t>
try_lchown (const char *link) noexcept
{
  constexpr uid_t nobody = 65534;
  if (::lchown (link, nobody, static_cast<gid_t> (-1)) < 0)
    return failed ("lchown");
  return 0;
}

static outcome<std::int64_t>
try_statvfs (const char *file) noexcept
{
  struct statvfs status;
  if (::statvfs (file, &status) < 0)
    return failed ("statvfs", file);
  return 0;
}

static constexpr probe shared_probes[] = {
  {"fork", in_child<try_nothing>},
  {"close_range", in_child<try_close_range>},
  {"chroot", in_child<try_chroot>},
  {"posix_spawn", try_spawn},
  {"posix_fallocate", try_fallocate},
  {"lutimes", try_lutimes},
  {"lchown", try_lchown},
  {"statvfs", try_statvfs},
};

outcome<std::int64_t>
run_probe (std::string_view name, const char *subject) noexcept
{
  for (auto table : {std::span<const probe> {shared_probes},
                     system_probes ()})
    for (auto &probe : table)
      if (name == probe.name)
        return probe.run (subject);
  return failed (name, "", ENOSYS);
}

}
