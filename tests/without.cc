// SPDX-License-Identifier: GPL-3.0-or-later
// Run a program on a lesser kernel, where some system calls answer ENOSYS, or
// another error: without CALL[=ERRNO]... -- PROGRAM ARGUMENT...
//
// A call with errno 0 says that it has done what it has not done.  Without "user-namespaces", clone and unshare answer so if these are what
// they should make.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

struct row
{
  std::string_view name;
  unsigned call;
  unsigned flags;  // what its first argument has to have, if not 0
};

static constexpr row table[] = {
  {"clone3", SYS_clone3, 0},
  {"close_range", SYS_close_range, 0},
  {"fallocate", SYS_fallocate, 0},
  {"fsconfig", SYS_fsconfig, 0},
  {"fsmount", SYS_fsmount, 0},
  {"fsopen", SYS_fsopen, 0},
  {"getdents64", SYS_getdents64, 0},
  {"landlock_create_ruleset", SYS_landlock_create_ruleset, 0},
  {"mount", SYS_mount, 0},
  {"mount_setattr", SYS_mount_setattr, 0},
  {"move_mount", SYS_move_mount, 0},
  {"open_tree", SYS_open_tree, 0},
  {"openat2", SYS_openat2, 0},
  {"personality", SYS_personality, 0},
  {"pidfd_open", SYS_pidfd_open, 0},
  {"pidfd_send_signal", SYS_pidfd_send_signal, 0},
  {"pivot_root", SYS_pivot_root, 0},
  {"prctl", SYS_prctl, 0},
  {"seccomp", SYS_seccomp, 0},
  {"setgroups", SYS_setgroups, 0},
  {"sethostname", SYS_sethostname, 0},
  {"setns", SYS_setns, 0},
  {"setsid", SYS_setsid, 0},
  {"umount2", SYS_umount2, 0},
  {"unshare", SYS_unshare, 0},
  {"user-namespaces", SYS_clone, CLONE_NEWUSER},
  {"user-namespaces", SYS_unshare, CLONE_NEWUSER},
  {"utimensat", SYS_utimensat, 0},
};

using filter = std::vector<struct sock_filter>;

static void
load (filter &filter, std::size_t offset)
{
  filter.push_back (BPF_STMT (BPF_LD | BPF_W | BPF_ABS,
                              static_cast<unsigned> (offset)));
}

// The low half of the first argument, on a little-endian machine.
static void
refuse (filter &filter, const row &row, unsigned error)
{
  unsigned char rest = row.flags ? 3 : 1;
  load (filter, offsetof (struct seccomp_data, nr));
  filter.push_back (
      BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, row.call, 0, rest));
  if (row.flags)
    {
      load (filter, offsetof (struct seccomp_data, args));
      filter.push_back (
          BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, row.flags, 0, 1));
    }
  filter.push_back (
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
}

int
main (int, char **arguments)
{
  filter filter;
  for (arguments++; *arguments && *arguments != std::string_view {"--"};
       arguments++)
    {
      auto before = filter.size ();
      std::string_view rule {*arguments};
      auto equals = rule.find ('=');
      unsigned error = ENOSYS;
      if (equals != rule.npos)
        error = static_cast<unsigned> (std::atoi (*arguments + equals + 1));
      for (auto &row : table)
        if (row.name == rule.substr (0, equals))
          refuse (filter, row, error);
      if (filter.size () == before)
        return std::fprintf (stderr, "without: %s\n", *arguments), 2;
    }
  filter.push_back (BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  struct sock_fprog program
      = {static_cast<unsigned short> (filter.size ()), filter.data ()};
  if (*arguments && ::prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
      && ::prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
    ::execvp (arguments[1], arguments + 1);
  std::perror ("without");
  return 127;
}
