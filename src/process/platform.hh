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
  // Pidfd or process descriptor, close-on-exec; -1 where there is none.
  int descriptor;
};

// Who is who in a new user namespace.
struct id_maps
{
  std::string users;   // a line of uid_map and one of gid_map, for the IDs
  std::string groups;  // of who starts the process; empty for no maps
  // What may map more groups than that: a command, to whose name the process
  // ID is added as the first argument.
  std::vector<std::string> mapper;
};

// Where a process is born.
struct birth
{
  std::vector<std::string> namespaces;  // "mount", "pid"...: fresh ones, in
  int relative = -1;                    // those of this process, a pidfd,
  std::vector<std::string> joined;      // of these kinds
  std::string cgroup;  // the directory of its cgroup; empty for its parent's
  id_maps maps;        // of its user namespace
};

// Start a process that runs BODY with ARGUMENT and never returns from it.
// No handler of a fork runs.  Until it executes a program it may share this
// process's memory, the calling thread being suspended.  EINVAL if the system
// has none of what BIRTH asks for.
using process_body = void (*) (void *argument);
outcome<process> start_process (const birth &birth, process_body body,
                                void *argument) noexcept;

// This process; the caller closes the descriptor.
outcome<process> this_process () noexcept;

// Child: whether PARENT, which 'this_process' told it of, has not ended.
bool parent_lives (process parent) noexcept;

// Child: close every descriptor from FIRST on.
outcome<void> close_from (int first) noexcept;

// Wait until PROCESS, a child, has ended, without reaping it; ECHILD if
// somebody has reaped it.
outcome<void> await_exit (process process) noexcept;

// Send SIGNAL to PROCESS, a child; ESRCH if it has been reaped.
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

// Child: become who IDS tell, as 'become' of process/credentials.hh says.
outcome<void>
set_credentials (std::span<const std::int64_t> ids) noexcept;

// The same for this process with all its threads.
outcome<void>
set_process_credentials (std::span<const std::int64_t> ids) noexcept;

// Child: become able to signal the processes of USER, as 'act_as' of
// process/credentials.hh says.
outcome<void> set_user (uid_t user) noexcept;

// Child: send SIGKILL to every process that its user may signal, but itself,
// so that none of them escapes by forking.
outcome<void> kill_all () noexcept;

// Child, or this process; on Linux a thread and those that it starts.
outcome<void> set_no_new_privileges () noexcept;
outcome<bool> no_new_privileges () noexcept;

// Let programs that are executed from now on inherit no privileges but those of
// their user; on Linux by this thread and those that it starts.
outcome<void> withhold_privileges () noexcept;

// Child: SIGNAL comes when its parent ends; on Linux, when the thread that
// started it does.
outcome<void> set_death_signal (int signal) noexcept;

}
