// SPDX-License-Identifier: GPL-3.0-or-later
// Credentials on FreeBSD, where the kernel keeps them for each process: the
// same calls do for a process and for a child.
#include "process/credentials.hh"

#include "process/platform.hh"

#include <sys/param.h>
#include <sys/procctl.h>
#include <sys/socket.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <unistd.h>

namespace fruix {

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

static int
set_groups (std::span<const gid_t> groups) noexcept
{
  return ::setgroups (static_cast<int> (groups.size ()), groups.data ());
}

outcome<void>
set_user (uid_t user) noexcept
{
  return act_as (user, ::setresuid);
}

// Before FreeBSD 15 the first of the groups is the effective one: so it is
// set, harmlessly, in both ways.
outcome<void>
set_credentials (std::span<const std::int64_t> ids) noexcept
{
  return become (ids, {set_groups, ::setresgid, ::setresuid, true});
}

outcome<void>
set_process_credentials (std::span<const std::int64_t> ids) noexcept
{
  return set_credentials (ids);
}

outcome<void>
set_no_new_privileges () noexcept
{
  int enable = PROC_NO_NEW_PRIVS_ENABLE;
  if (::procctl (P_PID, 0, PROC_NO_NEW_PRIVS_CTL, &enable) < 0)
    return failed ("procctl", "PROC_NO_NEW_PRIVS_CTL");
  return {};
}

// There are no others.
outcome<void>
withhold_privileges () noexcept
{
  return {};
}

outcome<bool>
no_new_privileges () noexcept
{
  int status;
  if (::procctl (P_PID, 0, PROC_NO_NEW_PRIVS_STATUS, &status) < 0)
    return failed ("procctl", "PROC_NO_NEW_PRIVS_STATUS");
  return status == PROC_NO_NEW_PRIVS_ENABLE;
}

}
