// SPDX-License-Identifier: GPL-3.0-or-later
// Processes on Linux.
#include "process/platform.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fruix {

struct directory_entry
{
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

// Close the descriptors from FIRST on that ENTRIES names, but not KEPT.
static void
close_entries (std::span<const char> entries, int first, int kept) noexcept
{
  while (!entries.empty ())
    {
      auto *entry = reinterpret_cast<const directory_entry *> (
          entries.data ());
      int fd = -1;
      std::string_view name {entry->name};
      std::from_chars (name.data (), name.data () + name.size (), fd);
      if (fd >= first && fd != kept)
        ::close (fd);
      entries = entries.subspan (entry->length);
    }
}

// What close_range (2) does, where it is missing: by the kernel's own list,
// since a limit on descriptors says nothing about those that are open.  In a
// sandbox that was joined, anything may be mounted on /proc.
static outcome<void>
close_listed_from (int first) noexcept
{
  unique_fd list {::open ("/proc/self/fd",
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!list)
    return failed ("close_range", "/proc/self/fd");
  struct statfs filesystem;
  if (::fstatfs (list.get (), &filesystem) < 0)
    return failed ("fstatfs", "/proc/self/fd");
  if (filesystem.f_type != PROC_SUPER_MAGIC)
    return failed ("close_range", "/proc/self/fd", ENOSYS);
  alignas (directory_entry) char buffer[4096];
  for (;;)
    {
      long length = ::syscall (SYS_getdents64, list.get (), buffer,
                               sizeof buffer);
      if (length < 0)
        return failed ("getdents64", "/proc/self/fd");
      if (length == 0)
        return {};
      close_entries ({buffer, static_cast<std::size_t> (length)}, first,
                     list.get ());
    }
}

outcome<process>
this_process () noexcept
{
  pid_t id = ::getpid ();
  int descriptor = static_cast<int> (::syscall (SYS_pidfd_open, id, 0));
  if (descriptor < 0)
    return failed ("pidfd_open");
  return process {id, descriptor};
}

bool
parent_lives (process parent) noexcept
{
  struct pollfd watched = {parent.descriptor, POLLIN, 0};
  return retry ([&] { return ::poll (&watched, 1, 0); }) == 0;
}

outcome<void>
close_from (int first) noexcept
{
  if (::syscall (SYS_close_range, first, ~0U, 0) == 0)
    return {};
  if (errno != ENOSYS)
    return failed ("close_range");
  return close_listed_from (first);
}

// By the pidfd: once somebody has reaped the process, its ID may be that of
// another child.
outcome<void>
await_exit (process process) noexcept
{
  auto descriptor = static_cast<id_t> (process.descriptor);
  siginfo_t info;
  if (retry ([&] {
        return ::waitid (P_PIDFD, descriptor, &info, WEXITED | WNOWAIT);
      })
      < 0)
    return failed ("waitid");
  return {};
}

outcome<void>
send_signal (process process, int signal) noexcept
{
  // glibc 2.36 declares its function without C linkage.
  if (::syscall (SYS_pidfd_send_signal, process.descriptor, signal, nullptr,
                 0)
      == 0)
    return {};
  // The ID of a child is nobody else's before it has been waited for.
  if (errno == ENOSYS && ::kill (process.id, signal) == 0)
    return {};
  return failed ("pidfd_send_signal");
}

// None of the processes can fork between the kernel's look at it and its
// death.
outcome<void>
kill_all () noexcept
{
  if (::kill (-1, SIGKILL) < 0 && errno != ESRCH)
    return failed ("kill");
  return {};
}

// By raw calls, since the C library refuses to touch the signals that it
// keeps for itself, which may be ignored, too.
void
reset_signals () noexcept
{
  constexpr int signals = 64;
  std::uint64_t mask = 0;
  struct
  {
    void *handler = nullptr;  // SIG_DFL
    unsigned long flags = 0;
    void *restorer = nullptr;
    std::uint64_t mask = 0;
  } action;
  for (int signal = 1; signal <= signals; signal++)
    ::syscall (SYS_rt_sigaction, signal, &action, nullptr, sizeof mask);
  ::syscall (SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

outcome<void>
set_death_signal (int signal) noexcept
{
  if (::prctl (PR_SET_PDEATHSIG, signal) < 0)
    return failed ("prctl", "PR_SET_PDEATHSIG");
  return {};
}

}
