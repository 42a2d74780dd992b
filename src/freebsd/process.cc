// SPDX-License-Identifier: GPL-3.0-or-later
// Processes on FreeBSD.
#include "process/platform.hh"

#include "base/retry.hh"

#include <csignal>
#include <ctime>
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fruix {

// The descriptor kills the process when the last copy of it is closed: so it
// never outlives its parent.  See pdfork(2).
outcome<process>
start_process (const birth &birth, process_body body,
               void *argument) noexcept
{
  if (!birth.namespaces.empty () || birth.relative >= 0
      || !birth.cgroup.empty () || !birth.maps.users.empty ())
    return failed ("pdfork", "namespaces and cgroups", EINVAL);
  int descriptor = -1;
  pid_t id = ::pdfork (&descriptor, PD_CLOEXEC);
  if (id < 0)
    return failed ("pdfork");
  if (id == 0)
    {
      body (argument);
      ::_exit (127);
    }
  return process {id, descriptor};
}

outcome<process>
this_process () noexcept
{
  return process {::getpid (), -1};
}

bool
parent_lives (process parent) noexcept
{
  return ::getppid () == parent.id;
}

outcome<void>
close_from (int first) noexcept
{
  if (::close_range (first, ~0U, 0) < 0)
    return failed ("close_range");
  return {};
}

// Those who wait for any child do not reap one that has a descriptor.
outcome<void>
await_exit (process process) noexcept
{
  siginfo_t info;
  if (retry ([&] {
        return ::waitid (P_PID, process.id, &info, WEXITED | WNOWAIT);
      })
      < 0)
    return failed ("waitid");
  return {};
}

outcome<void>
send_signal (process process, int signal) noexcept
{
  if (::pdkill (process.descriptor, signal) < 0)
    return failed ("pdkill");
  return {};
}

// The kernel passes over a process that is being forked, but not over its
// parent, which cannot end before that is done: so none are left when none was
// found to be signalled, which is EPERM if there are others.
outcome<void>
kill_all () noexcept
{
  constexpr int attempts = 10'000;
  constexpr timespec pause {0, 1'000'000};
  for (int i = 0; i < attempts; i++)
    {
      if (::kill (-1, SIGKILL) < 0)
        {
          if (errno == ESRCH || errno == EPERM)
            return {};
          return failed ("kill");
        }
      ::nanosleep (&pause, nullptr);
    }
  return failed ("kill", "", ETIMEDOUT);
}

// By raw calls: the C library takes a lock for each signal, which another
// thread of the parent, in a handler, may hold for ever here.
void
reset_signals () noexcept
{
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= _SIG_MAXSIG; signal++)
    ::syscall (SYS_sigaction, signal, &action, nullptr);
  sigset_t none;
  ::sigemptyset (&none);
  ::syscall (SYS_sigprocmask, SIG_SETMASK, &none, nullptr);
}

outcome<void>
set_death_signal (int signal) noexcept
{
  if (::procctl (P_PID, 0, PROC_PDEATHSIG_CTL, &signal) < 0)
    return failed ("procctl", "PROC_PDEATHSIG_CTL");
  return {};
}

}
