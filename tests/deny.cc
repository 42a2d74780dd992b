// SPDX-License-Identifier: GPL-3.0-or-later
// Run a program for which some system calls do not work:
// deny CALL=ERRNO... -- PROGRAM ARGUMENT...
// A call with errno 0 says that it has done what it has not done.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

static const struct
{
  const char *name;
  unsigned number;
} calls[] = {
  {"close_range", SYS_close_range},
  {"fallocate", SYS_fallocate},
  {"landlock_create_ruleset", SYS_landlock_create_ruleset},
  {"mount_setattr", SYS_mount_setattr},
  {"utimensat", SYS_utimensat},
  {"seccomp", SYS_seccomp},
  {"unshare", SYS_unshare},
};

// Add to FILTER what denies the call that RULE, "CALL=ERRNO", names.
static void
deny (std::vector<struct sock_filter> &filter, const char *rule)
{
  std::size_t length = std::strcspn (rule, "=");
  for (auto &call : calls)
    if (std::strlen (call.name) == length
        && std::strncmp (call.name, rule, length) == 0)
      {
        unsigned error = std::atoi (rule + length + 1);
        filter.push_back (
            BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, 1));
        filter.push_back (
            BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
      }
}

int
main (int, char **arguments)
{
  std::vector<struct sock_filter> filter;
  filter.push_back (BPF_STMT (BPF_LD | BPF_W | BPF_ABS,
                              offsetof (struct seccomp_data, nr)));
  for (++arguments; *arguments && std::strcmp (*arguments, "--"); ++arguments)
    deny (filter, *arguments);
  filter.push_back (BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  struct sock_fprog program
      = {static_cast<unsigned short> (filter.size ()), filter.data ()};
  if (::prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
      && ::prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0
      && *arguments)
    ::execvp (arguments[1], arguments + 1);
  std::perror ("deny");
  return 127;
}
