// SPDX-License-Identifier: GPL-3.0-or-later
#include "process/descriptors.hh"

#include "base/retry.hh"

#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace fruix {

outcome<int>
open_directory (const char *name) noexcept
{
  int fd = ::open (name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return failed ("open", name);
  return fd;
}

outcome<int>
open_directory_at (int directory, const char *name) noexcept
{
  if (std::string_view {name}.find ('/') != std::string_view::npos)
    return failed ("openat", name, EINVAL);
  int fd = ::openat (directory, name,
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return failed ("openat", name);
  return fd;
}

outcome<std::pair<int, int>>
make_pipe () noexcept
{
  int ends[2];
  if (::pipe2 (ends, O_CLOEXEC) < 0)
    return failed ("pipe2");
  return std::pair {ends[0], ends[1]};
}

outcome<void>
close_descriptors (unsigned first, unsigned last, bool on_exec) noexcept
{
  if (::close_range (first, last, on_exec ? CLOSE_RANGE_CLOEXEC : 0) < 0)
    return failed ("close_range");
  return {};
}

outcome<std::uint64_t>
read_some (int fd, std::span<std::uint8_t> bytes) noexcept
{
  auto length
      = retry ([&] { return ::read (fd, bytes.data (), bytes.size ()); });
  if (length < 0)
    return failed ("read");
  return static_cast<std::uint64_t> (length);
}

outcome<std::uint64_t>
write_some (int fd, std::span<const std::uint8_t> bytes) noexcept
{
  auto length
      = retry ([&] { return ::write (fd, bytes.data (), bytes.size ()); });
  if (length < 0)
    return failed ("write");
  return static_cast<std::uint64_t> (length);
}

static std::int64_t
milliseconds () noexcept
{
  struct timespec now;
  ::clock_gettime (CLOCK_MONOTONIC, &now);
  return std::int64_t {now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

outcome<int>
poll_descriptors (std::span<pollfd> watched, int timeout) noexcept
{
  auto deadline = milliseconds () + timeout;
  for (int remaining = timeout;;)
    {
      int ready = ::poll (watched.data (), watched.size (), remaining);
      if (ready >= 0)
        return ready;
      if (errno != EINTR)
        return failed ("poll");
      if (timeout >= 0)
        remaining = static_cast<int> (
            std::max<std::int64_t> (0, deadline - milliseconds ()));
    }
}

}
