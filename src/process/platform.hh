// SPDX-License-Identifier: GPL-3.0-or-later
// What each system does in its own way, in src/linux or src/freebsd.
//
// Those marked "child" are called between fork and exec: async-signal-safe,
// and raw system calls where the C library would involve the threads that
// only the parent has.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fruix {

struct process
{
  pid_t id;
  int descriptor;  // pidfd, close-on-exec; -1 where there is none
};

// Fork without running any atfork handler, the child being in fresh
// NAMESPACES ("mount", "pid"...); EINVAL if the system has no such one.  In
// the child 'id' is 0.
outcome<process>
fork_process (const std::vector<std::string> &namespaces) noexcept;

// Send SIGNAL to PROCESS, a child that has not been waited for.
outcome<void> send_signal (process process, int signal) noexcept;

struct peer
{
  pid_t process;
  uid_t user;
  gid_t group;
};

// Who connected the local stream SOCKET, or listened on it.
outcome<peer> peer_credentials (int socket) noexcept;

// Child: every signal at its default, none blocked.
void reset_signals () noexcept;

// Child: become user IDS[0], group IDS[1] with IDS[2...] as supplementary
// groups, in every sense and for good; verified by reading back and by
// trying to return.
outcome<void>
set_credentials (std::span<const std::int64_t> ids) noexcept;

// Child: become user USER, whatever the groups, so as to signal its
// processes.
outcome<void> set_user (uid_t user) noexcept;

// Child.
outcome<void> set_no_new_privileges () noexcept;
outcome<void> set_death_signal (int signal) noexcept;

}
