// SPDX-License-Identifier: GPL-3.0-or-later
// Becoming another user for good: in what order, and how it is verified.  By
// which calls depends on the system, and on whether a thread or a process
// changes.  Async-signal-safe.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <span>
#include <sys/types.h>

namespace fruix {

struct credential_calls
{
  int (*setgroups) (std::span<const gid_t> groups);
  int (*setresgid) (gid_t real, gid_t effective, gid_t saved);
  int (*setresuid) (uid_t real, uid_t effective, uid_t saved);
  bool group_is_listed;  // setgroups is to name the group itself, too
};

// Become user IDS[0] and group IDS[1] in every sense, with IDS[2...] as
// supplementary groups.  That is verified by reading back and by trying to
// return; EPERM if it is not so.  EINVAL for user 0, who gives up nothing.
outcome<void> become (std::span<const std::int64_t> ids,
                      const credential_calls &calls) noexcept;

// By the call SETRESUID, get the right to signal the processes of USER without
// becoming somebody whom they could signal: they would stop whoever is about
// to kill them.
outcome<void> act_as (uid_t user,
                      int (*setresuid) (uid_t, uid_t, uid_t)) noexcept;

}
