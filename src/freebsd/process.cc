// SPDX-License-Identifier: GPL-3.0-or-later
// Processes on FreeBSD.  Its system calls change the credentials of the
// process, not of a thread, so the C library's are safe in a child.
#include "process/platform.hh"

#include "base/retry.hh"

#include <csignal>
#include <sys/param.h>
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/socket.h>
#include <sys/ucred.h>
#include <sys/un.h>
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
      || !birth.cgroup.empty ())
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

outcome<peer>
peer_credentials (int socket) noexcept
{
  struct xucred credentials;
  socklen_t size = sizeof credentials;
  if (::getsockopt (socket, SOL_LOCAL, LOCAL_PEERCRED, &credentials, &size)
      < 0)
    return failed ("getsockopt", "LOCAL_PEERCRED");
  if (credentials.cr_version != XUCRED_VERSION || credentials.cr_ngroups < 1)
    return failed ("getsockopt", "LOCAL_PEERCRED", EPROTO);
  return peer {credentials.cr_pid, credentials.cr_uid,
               credentials.cr_groups[0]};
}

void
reset_signals () noexcept
{
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= _SIG_MAXSIG; signal++)
    ::sigaction (signal, &action, nullptr);
  sigset_t none;
  ::sigemptyset (&none);
  ::sigprocmask (SIG_SETMASK, &none, nullptr);
}

outcome<void>
set_user (uid_t user) noexcept
{
  if (::setresuid (user, user, user) < 0)
    return failed ("setresuid");
  return {};
}

static bool
holds_ids (uid_t user, gid_t group) noexcept
{
  uid_t u[3];
  gid_t g[3];
  return ::getresuid (&u[0], &u[1], &u[2]) == 0
         && ::getresgid (&g[0], &g[1], &g[2]) == 0 && u[0] == user
         && u[1] == user && u[2] == user && g[0] == group && g[1] == group
         && g[2] == group;
}

// Before FreeBSD 15 the first of the groups is the effective one: so it is
// set, harmlessly, in both ways.
outcome<void>
set_credentials (std::span<const std::int64_t> ids) noexcept
{
  constexpr std::size_t limit = 64;
  gid_t groups[limit];
  auto user = static_cast<uid_t> (ids[0]);
  auto group = static_cast<gid_t> (ids[1]);
  auto given = ids.subspan (1);
  if (given.size () > limit)
    return failed ("setgroups", "", EINVAL);
  for (std::size_t i = 0; i < given.size (); i++)
    groups[i] = static_cast<gid_t> (given[i]);
  if (::setgroups (static_cast<int> (given.size ()), groups) < 0)
    return failed ("setgroups");
  if (::setresgid (group, group, group) < 0)
    return failed ("setresgid");
  if (auto result = set_user (user); !result)
    return result;
  if (!holds_ids (user, group) || (user != 0 && ::setuid (0) == 0))
    return failed ("setresuid", "credentials regained", EPERM);
  return {};
}

outcome<void>
set_no_new_privileges () noexcept
{
  int enable = PROC_NO_NEW_PRIVS_ENABLE;
  if (::procctl (P_PID, 0, PROC_NO_NEW_PRIVS_CTL, &enable) < 0)
    return failed ("procctl", "PROC_NO_NEW_PRIVS_CTL");
  return {};
}

outcome<void>
set_death_signal (int signal) noexcept
{
  if (::procctl (P_PID, 0, PROC_PDEATHSIG_CTL, &signal) < 0)
    return failed ("procctl", "PROC_PDEATHSIG_CTL");
  return {};
}

}
