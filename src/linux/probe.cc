// SPDX-License-Identifier: GPL-3.0-or-later
// The probes of Linux.
#include "process/probe.hh"

#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix {

// Whether there is the system call NUMBER, to none of which these arguments
// make sense.
template <long number>
static outcome<std::int64_t>
has_call (const char *) noexcept
{
  if (::syscall (number, -1L, -1L, -1L, -1L, -1L, -1L) < 0
      && errno == ENOSYS)
    return failed ("syscall");
  return 0;
}

// Where user namespaces come without capabilities, it is their use that
// fails.
static outcome<void>
try_user_namespace (const char *) noexcept
{
  if (::unshare (CLONE_NEWUSER | CLONE_NEWNS) < 0)
    return failed ("unshare");
  if (::mount (nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return failed ("mount");
  return {};
}

// Load a filter that allows everything.
static outcome<void>
try_seccomp (const char *) noexcept
{
  struct sock_filter allow = BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &allow};
  if (::prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return failed ("prctl");
  if (::syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
    return failed ("seccomp");
  return {};
}

// The version of the interface, from 1.
static outcome<std::int64_t>
landlock_version (const char *) noexcept
{
  long version = ::syscall (SYS_landlock_create_ruleset, nullptr, 0,
                            LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0)
    return failed ("landlock_create_ruleset");
  return version;
}

static constexpr probe table[] = {
  {"clone", has_call<SYS_clone>},
  {"unshare", has_call<SYS_unshare>},
  {"setns", has_call<SYS_setns>},
  {"pivot_root", has_call<SYS_pivot_root>},
  {"prctl", has_call<SYS_prctl>},
  {"clone3", has_call<SYS_clone3>},
  {"pidfd_open", has_call<SYS_pidfd_open>},
  {"openat2", has_call<SYS_openat2>},
  {"open_tree", has_call<SYS_open_tree>},
  {"move_mount", has_call<SYS_move_mount>},
  {"mount_setattr", has_call<SYS_mount_setattr>},
  {"fsopen", has_call<SYS_fsopen>},
  {"user-namespaces", in_child<try_user_namespace>},
  {"seccomp", in_child<try_seccomp>},
  {"landlock", landlock_version},
};

std::span<const probe>
system_probes () noexcept
{
  return table;
}

}
