// SPDX-License-Identifier: GPL-3.0-or-later
// Namespaces, and the parts of the kernel that no build needs.  Even root,
// unfiltered, does no harm with these arguments.
#include "escape.hh"

#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fscrypt.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

struct named_flag
{
  const char *name;
  std::uint64_t flag;
};

constexpr named_flag namespaces[] = {
  {"user", CLONE_NEWUSER},     {"mount", CLONE_NEWNS},
  {"PID", CLONE_NEWPID},       {"network", CLONE_NEWNET},
  {"IPC", CLONE_NEWIPC},       {"UTS", CLONE_NEWUTS},
  {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};

// Clone by CALL, which returns what fork (2) would.
template <class Call>
static long
cloned (Call call)
{
  long child = call ();
  if (child == 0)
    ::_exit (0);
  if (child > 0)
    ::waitpid (static_cast<pid_t> (child), nullptr, 0);
  return child;
}

void
attempt_namespaces ()
{
  for (auto [name, flag] : namespaces)
    attempt (std::string {"unshare, "} + name, in_child ([=]
      { return ::unshare (static_cast<int> (flag)); }));
  for (auto [name, flag] : namespaces)
    if (flag != CLONE_NEWTIME)
      attempt (std::string {"clone, "} + name, cloned ([=]
        { return ::syscall (SYS_clone, flag | SIGCHLD, 0, 0, 0, 0); }));
  struct clone_args arguments {};
  arguments.flags = CLONE_NEWUSER;
  arguments.exit_signal = SIGCHLD;
  attempt ("clone3", cloned ([&]
    { return ::syscall (SYS_clone3, &arguments, sizeof arguments); }));
  attempt ("setns", ::syscall (SYS_setns, -1, CLONE_NEWUSER));
}

struct named_call
{
  const char *name;
  long number;
};

// All arguments are wrong for these: -1, a null pointer or an impossible
// flag.
constexpr named_call calls[] = {
  {"mount", SYS_mount},
  {"umount2", SYS_umount2},
  {"pivot_root", SYS_pivot_root},
  {"open_tree", 428},
  {"move_mount", 429},
  {"fsopen", 430},
  {"fsconfig", 431},
  {"fsmount", 432},
  {"fspick", 433},
  {"mount_setattr", 442},
  {"statmount", 457},
  {"listmount", 458},
  {"swapon", SYS_swapon},
  {"swapoff", SYS_swapoff},
  {"quotactl", SYS_quotactl},
  {"quotactl_fd", 443},
  {"reboot", SYS_reboot},
  {"kexec_load", SYS_kexec_load},
#ifdef SYS_kexec_file_load
  {"kexec_file_load", SYS_kexec_file_load},
#endif
  {"init_module", SYS_init_module},
  {"finit_module", SYS_finit_module},
  {"delete_module", SYS_delete_module},
  {"syslog", SYS_syslog},
  {"bpf", SYS_bpf},
  {"perf_event_open", SYS_perf_event_open},
  {"userfaultfd", SYS_userfaultfd},
  {"fanotify_init", SYS_fanotify_init},
  {"open_by_handle_at", SYS_open_by_handle_at},
  {"pidfd_getfd", 438},
  {"lsm_set_self_attr", 460},
  {"io_uring_setup", 425},
  {"io_uring_enter", 426},
  {"io_uring_register", 427},
  {"add_key", SYS_add_key},
  {"request_key", SYS_request_key},
  {"keyctl", SYS_keyctl},
  {"a call of the future", 1000},
};

// By the descriptor, which is none, it can be told who answers.
static void
attempt_requests ()
{
  attempt ("make a subvolume", ::ioctl (-1, BTRFS_IOC_SUBVOL_CREATE, 0));
  attempt ("make a subvolume, limited",
           ::ioctl (-1, BTRFS_IOC_SUBVOL_CREATE_V2, 0));
  attempt ("make a snapshot", ::ioctl (-1, BTRFS_IOC_SNAP_CREATE, 0));
  attempt ("make a snapshot, read-only",
           ::ioctl (-1, BTRFS_IOC_SNAP_CREATE_V2, 0));
  attempt ("encrypt", ::ioctl (-1, FS_IOC_SET_ENCRYPTION_POLICY, 0));
  attempt ("encrypt with upper bits",
           ::syscall (SYS_ioctl, -1,
                      FS_IOC_SET_ENCRYPTION_POLICY | std::uint64_t {1} << 32,
                      0));
  attempt ("another request", ::ioctl (0, FIOCLEX));
  attempt ("take a lease", ::fcntl (-1, F_SETLEASE, F_WRLCK));
  attempt ("take a delegation", ::fcntl (-1, 1040, nullptr));
  attempt ("another command", ::fcntl (0, F_GETFL));
}

static long
changes (const struct rlimit &before)
{
  struct rlimit now;
  ::getrlimit (RLIMIT_CORE, &now);
  errno = EBUSY;
  return now.rlim_cur == before.rlim_cur && now.rlim_max == before.rlim_max
             ? 0 : -1;
}

// Of files.  To a program the kernel gives cores unless the limit is 1.
static void
attempt_cores ()
{
  constexpr struct rlimit none = {0, 0};
  struct rlimit before, old;
  attempt ("ask for the limit on cores", ::getrlimit (RLIMIT_CORE, &before));
  attempt ("limit cores", ::setrlimit (RLIMIT_CORE, &none));
  attempt ("limit cores by the older call",
           ::syscall (SYS_setrlimit, RLIMIT_CORE, &none));
  attempt ("limit cores of another process",
           ::prlimit (::getpid (), RLIMIT_CORE, &none, nullptr));
  attempt ("limit cores and ask",
           ::prlimit (0, RLIMIT_CORE, &none, &old));
  // All that a filter of 32 bits would see of this pointer is null.
  attempt ("limit cores with an upper half alone",
           ::syscall (SYS_prlimit64, 0, RLIMIT_CORE, std::uint64_t {1} << 32,
                      0));
  attempt ("the limit on cores stays", changes (before));
  attempt ("limit files", ::setrlimit (RLIMIT_FSIZE, &none));
}

void
attempt_privileges ()
{
  attempt_requests ();
  attempt ("cores", in_child ([] { attempt_cores (); return 0; }));
  for (auto [name, number] : calls)
    attempt (name, ::syscall (number, -1, -1, -1, -1, -1, -1));
}
