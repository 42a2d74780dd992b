// SPDX-License-Identifier: GPL-3.0-or-later
// Processes on Linux.  Credentials change by raw system calls: those of the C
// library would wait for threads that the child does not have.
#include "process/platform.hh"

#include <csignal>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix {

static std::uint64_t
namespace_flag (std::string_view name) noexcept
{
  static constexpr struct
  {
    std::string_view name;
    std::uint64_t flag;
  } table[] = {
    {"ipc", CLONE_NEWIPC}, {"mount", CLONE_NEWNS}, {"net", CLONE_NEWNET},
    {"pid", CLONE_NEWPID}, {"user", CLONE_NEWUSER}, {"uts", CLONE_NEWUTS},
  };
  for (auto &row : table)
    if (row.name == name)
      return row.flag;
  return 0;
}

outcome<process>
fork_process (const std::vector<std::string> &namespaces) noexcept
{
  int descriptor = -1;
  struct clone_args arguments {};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t> (&descriptor);
  arguments.exit_signal = SIGCHLD;
  for (auto &name : namespaces)
    {
      auto flag = namespace_flag (name);
      if (flag == 0)
        return failed ("clone3", name, EINVAL);
      arguments.flags |= flag;
    }
  long id = ::syscall (SYS_clone3, &arguments, sizeof arguments);
  if (id < 0)
    return failed ("clone3", namespaces.empty () ? "" : "new namespaces");
  return process {static_cast<pid_t> (id), descriptor};
}

outcome<void>
send_signal (process process, int signal) noexcept
{
  // glibc 2.36 declares its function without C linkage.
  if (::syscall (SYS_pidfd_send_signal, process.descriptor, signal, nullptr,
                 0)
      < 0)
    return failed ("pidfd_send_signal");
  return {};
}

outcome<peer>
peer_credentials (int socket) noexcept
{
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (::getsockopt (socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
      < 0)
    return failed ("getsockopt", "SO_PEERCRED");
  // What a socket that nobody has connected answers.
  if (credentials.pid == 0 && credentials.uid == static_cast<uid_t> (-1))
    return failed ("getsockopt", "SO_PEERCRED", ENOTCONN);
  return peer {credentials.pid, credentials.uid, credentials.gid};
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
set_user (uid_t user) noexcept
{
  if (::syscall (SYS_setresuid, user, user, user) < 0)
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

outcome<void>
set_credentials (std::span<const std::int64_t> ids) noexcept
{
  constexpr std::size_t limit = 64;
  gid_t groups[limit];
  auto user = static_cast<uid_t> (ids[0]);
  auto group = static_cast<gid_t> (ids[1]);
  auto supplementary = ids.subspan (2);
  if (supplementary.size () > limit)
    return failed ("setgroups", "", EINVAL);
  for (std::size_t i = 0; i < supplementary.size (); i++)
    groups[i] = static_cast<gid_t> (supplementary[i]);
  if (::syscall (SYS_setgroups, supplementary.size (), groups) < 0)
    return failed ("setgroups");
  if (::syscall (SYS_setresgid, group, group, group) < 0)
    return failed ("setresgid");
  if (auto result = set_user (user); !result)
    return result;
  if (!holds_ids (user, group)
      || ::getgroups (0, nullptr) != static_cast<int> (supplementary.size ())
      || (user != 0 && ::syscall (SYS_setresuid, 0, 0, 0) == 0))
    return failed ("setresuid", "credentials regained", EPERM);
  return {};
}

outcome<void>
set_no_new_privileges () noexcept
{
  if (::prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return failed ("prctl", "PR_SET_NO_NEW_PRIVS");
  return {};
}

outcome<void>
set_death_signal (int signal) noexcept
{
  if (::prctl (PR_SET_PDEATHSIG, signal) < 0)
    return failed ("prctl", "PR_SET_PDEATHSIG");
  return {};
}

}
