// SPDX-License-Identifier: GPL-3.0-or-later
// Credentials on Linux, where the kernel keeps them for each thread.  The C
// library's calls change those of all threads, for which they wait; a child
// that has only one of its parent's threads makes the raw calls.
#include "process/credentials.hh"

#include "process/platform.hh"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix {

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

static int
raw_setgroups (std::span<const gid_t> groups) noexcept
{
  return static_cast<int> (
      ::syscall (SYS_setgroups, groups.size (), groups.data ()));
}

static int
raw_setresgid (gid_t real, gid_t effective, gid_t saved) noexcept
{
  return static_cast<int> (
      ::syscall (SYS_setresgid, real, effective, saved));
}

static int
raw_setresuid (uid_t real, uid_t effective, uid_t saved) noexcept
{
  return static_cast<int> (
      ::syscall (SYS_setresuid, real, effective, saved));
}

static int
all_setgroups (std::span<const gid_t> groups) noexcept
{
  return ::setgroups (groups.size (), groups.data ());
}

outcome<void>
set_user (uid_t user) noexcept
{
  return act_as (user, raw_setresuid);
}

outcome<void>
set_credentials (std::span<const std::int64_t> ids) noexcept
{
  return become (ids, {raw_setgroups, raw_setresgid, raw_setresuid, false});
}

outcome<void>
set_process_credentials (std::span<const std::int64_t> ids) noexcept
{
  return become (ids, {all_setgroups, ::setresgid, ::setresuid, false});
}

outcome<void>
set_no_new_privileges () noexcept
{
  if (::prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return failed ("prctl", "PR_SET_NO_NEW_PRIVS");
  return {};
}

// Ambient capabilities.
outcome<void>
withhold_privileges () noexcept
{
  if (::prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
    return failed ("prctl", "PR_CAP_AMBIENT");
  return {};
}

outcome<bool>
no_new_privileges () noexcept
{
  int set = ::prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  if (set < 0)
    return failed ("prctl", "PR_GET_NO_NEW_PRIVS");
  return set != 0;
}

}
