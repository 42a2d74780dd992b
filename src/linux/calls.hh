// SPDX-License-Identifier: GPL-3.0-or-later
// Which system calls a program in a sandbox may make: the policy, as tables.
//
// It is a list of what is allowed.  Older calls are allowed by ranges whose
// every number has been looked at, those from 424 on, where all machines
// agree, a few at a time.  Whatever is in no range does not exist (ENOSYS),
// and so does whatever a later kernel adds.  A call whose flags or mode lie
// in memory, where no filter can see them, is left out for an older one,
// which the C library then takes: openat2, clone3.  So is io_uring, which
// makes calls that no filter sees.
//
// Rules restrict calls, whether in a range or not:
//
// - No file gets set-user-ID or set-group-ID bits, unless it is asked for: it
//   might be seen from outside before they are taken away.
// - There are no new namespaces.  A user namespace would give back all
//   capabilities, and with them most of what the kernel has kept for root.
// - Sockets are local, TCP or UDP, or ask for routes.  Other families are
//   parts of the kernel that no build needs, and where most holes have been;
//   some do not even belong to the network namespace.
// - What only root may do is refused even to what became root by mistake,
//   and so is what an administrator can open to everybody: BPF, performance
//   events, page faults.
// - Keyrings belong to a user, not to a build.
// - Files can be read without a key that is gone one day, and deleted: there
//   is no encryption and no subvolume.
// - Nobody waits for a builder who opens a file, or a directory: there are no
//   leases and no delegations, which the owner of an input could have on it.
// - The limit on cores stays.  Where they go to a program, that is run as root
//   and outside, whatever the limit; but for 1, by which the kernel knows that
//   program itself.
//
// Numbers are not taken from the system's headers, since one kernel serves
// two machines, such as x86-64 and i386.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <linux/audit.h>
#include <linux/btrfs.h>
#include <linux/fscrypt.h>
#include <span>

namespace fruix::calls {

enum class rule_kind
{
  refuse,       // always, with the error PARAMETER
  mode,         // of a file: argument PARAMETER
  creation,     // the mode, if the argument before, flags, says to create
  namespaces,   // flags of clone (2): argument PARAMETER
  socket,       // the arguments of socket (2)
  socket_pair,  // those of socketpair (2)
  multiplexer,  // socketcall (2), the arguments being in memory
  control,      // the request of ioctl (2): argument PARAMETER
  lease,        // the command of fcntl (2): argument PARAMETER
  limit,        // the resource of setrlimit (2): argument PARAMETER
  limits,       // the arguments of prlimit64 (2)
};

struct rule
{
  const char *name;
  std::array<int, 4> numbers;  // x86-64, i386, ARM, others; -1 for none
  rule_kind kind;
  int parameter = 0;
};

inline constexpr rule rules[] = {
  {"open", {2, 5, 5, -1}, rule_kind::creation, 2},
  {"openat", {257, 295, 322, 56}, rule_kind::creation, 3},
  {"creat", {85, 8, 8, -1}, rule_kind::mode, 1},
  {"chmod", {90, 15, 15, -1}, rule_kind::mode, 1},
  {"fchmod", {91, 94, 94, 52}, rule_kind::mode, 1},
  {"fchmodat", {268, 306, 333, 53}, rule_kind::mode, 2},
  {"fchmodat2", {452, 452, 452, 452}, rule_kind::mode, 2},
  {"mkdir", {83, 39, 39, -1}, rule_kind::mode, 1},
  {"mkdirat", {258, 296, 323, 34}, rule_kind::mode, 2},
  {"mknod", {133, 14, 14, -1}, rule_kind::mode, 1},
  {"mknodat", {259, 297, 324, 33}, rule_kind::mode, 2},

  {"clone", {56, 120, 120, 220}, rule_kind::namespaces, 0},
  {"unshare", {272, 310, 337, 97}, rule_kind::namespaces, 0},
  {"setns", {308, 346, 375, 268}, rule_kind::refuse, EPERM},

  {"socket", {41, 359, 281, 198}, rule_kind::socket},
  {"socketpair", {53, 360, 288, 199}, rule_kind::socket_pair},
  {"socketcall", {-1, 102, -1, -1}, rule_kind::multiplexer},

  {"ioctl", {16, 54, 54, 29}, rule_kind::control, 1},
  {"fcntl", {72, 55, 55, 25}, rule_kind::lease, 1},
  {"fcntl64", {-1, 221, 221, -1}, rule_kind::lease, 1},

  {"setrlimit", {160, 75, 75, 164}, rule_kind::limit},
  {"prlimit64", {302, 340, 369, 261}, rule_kind::limits},

  {"mount", {165, 21, 21, 40}, rule_kind::refuse, EPERM},
  {"umount", {-1, 22, -1, -1}, rule_kind::refuse, EPERM},
  {"umount2", {166, 52, 52, 39}, rule_kind::refuse, EPERM},
  {"pivot_root", {155, 217, 218, 41}, rule_kind::refuse, EPERM},
  {"swapon", {167, 87, 87, 224}, rule_kind::refuse, EPERM},
  {"swapoff", {168, 115, 115, 225}, rule_kind::refuse, EPERM},
  {"quotactl", {179, 131, 131, 60}, rule_kind::refuse, EPERM},
  {"reboot", {169, 88, 88, 142}, rule_kind::refuse, EPERM},
  {"kexec_load", {246, 283, 347, 104}, rule_kind::refuse, EPERM},
  {"kexec_file_load", {320, -1, 401, 294}, rule_kind::refuse, EPERM},
  {"init_module", {175, 128, 128, 105}, rule_kind::refuse, EPERM},
  {"finit_module", {313, 350, 379, 273}, rule_kind::refuse, EPERM},
  {"delete_module", {176, 129, 129, 106}, rule_kind::refuse, EPERM},
  {"syslog", {103, 103, 103, 116}, rule_kind::refuse, EPERM},
  {"bpf", {321, 357, 386, 280}, rule_kind::refuse, EPERM},
  {"perf_event_open", {298, 336, 364, 241}, rule_kind::refuse, EPERM},
  {"userfaultfd", {323, 374, 388, 282}, rule_kind::refuse, EPERM},
  {"fanotify_init", {300, 338, 367, 262}, rule_kind::refuse, EPERM},
  {"open_by_handle_at", {304, 342, 371, 265}, rule_kind::refuse, EPERM},

  // As if the kernel had no keyrings, which programs are ready for.
  {"add_key", {248, 286, 309, 217}, rule_kind::refuse, ENOSYS},
  {"request_key", {249, 287, 310, 218}, rule_kind::refuse, ENOSYS},
  {"keyctl", {250, 288, 311, 219}, rule_kind::refuse, ENOSYS},
};

// What no file system knows for a builder.
inline constexpr std::uint32_t refused_requests[] = {
  BTRFS_IOC_SUBVOL_CREATE, BTRFS_IOC_SUBVOL_CREATE_V2,
  BTRFS_IOC_SNAP_CREATE,   BTRFS_IOC_SNAP_CREATE_V2,
  FS_IOC_SET_ENCRYPTION_POLICY,
};

// F_SETDELEG, since Linux 6.19.
inline constexpr std::uint32_t set_delegation = 1040;

struct range
{
  std::uint32_t first, last;
};

// Since 424, the first number that is the same everywhere.
inline constexpr range common_ranges[] = {
  {424, 424},  // pidfd_send_signal
  {434, 434},  // pidfd_open
  {436, 436},  // close_range
  {439, 441},  // faccessat2, process_madvise, epoll_pwait2
  {444, 446},  // landlock_*
  {448, 450},  // process_mrelease, futex_waitv, set_mempolicy_home_node
  {453, 456},  // map_shadow_stack, futex_wake, futex_wait, futex_requeue
  {462, 462},  // mseal
};

inline constexpr range x86_64_ranges[] = {{0, 334}};
inline constexpr range i386_ranges[] = {{0, 386}, {393, 423}};
// The last ones are of ARM only: cache flushing, the thread pointer.
inline constexpr range arm_ranges[]
    = {{0, 401}, {403, 423}, {0xf0001, 0xf0006}};
inline constexpr range aarch64_ranges[] = {{0, 243}, {260, 294}};
inline constexpr range riscv64_ranges[] = {{0, 243}, {258, 294}};

struct machine
{
  std::uint32_t architecture;
  int column;  // of the numbers in rules
  std::span<const range> ranges;
};

// Those whose programs this one's kernel can run.  x32, which counts as
// x86-64, has numbers that are in no range.
inline constexpr machine machines[] = {
#if defined __x86_64__ || defined __i386__
  {AUDIT_ARCH_X86_64, 0, x86_64_ranges},
  {AUDIT_ARCH_I386, 1, i386_ranges},
#elif defined __aarch64__ || defined __arm__
  {AUDIT_ARCH_AARCH64, 3, aarch64_ranges},
  {AUDIT_ARCH_ARM, 2, arm_ranges},
#elif defined __riscv && __riscv_xlen == 64
  {AUDIT_ARCH_RISCV64, 3, riscv64_ranges},
#else
#error "The system calls of this machine have not been looked at."
#endif
};

}
