// SPDX-License-Identifier: GPL-3.0-or-later
// Other doors to the same kernel, on x86-64: the calls of i386, those of x32,
// and a call that is replaced once it has been looked at.
#include "escape.hh"

#ifdef __x86_64__

#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fscrypt.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>

static long
i386_call (long number, long a = 0, long b = 0, long c = 0, long d = 0)
{
  long result;
  asm volatile ("int $0x80"
                : "=a"(result)
                : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0L)
                : "memory", "r8", "r9", "r10", "r11");
  auto value = static_cast<std::int32_t> (result);
  if (value >= 0 || value < -4095)
    return static_cast<std::uint32_t> (value);
  errno = -value;
  return -1;
}

// Copy the SIZE bytes from DATA to where i386 can point to.
static long
low_copy (const void *data, std::size_t size)
{
  void *low = ::mmap (nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  std::memcpy (low, data, size);
  return reinterpret_cast<long> (low);
}

static void
attempt_i386_files ()
{
  long file = low_copy ("file", 5), here = AT_FDCWD;
  int fd = ::open ("file", O_WRONLY | O_CREAT, 0755);
  attempt ("i386 chmod", i386_call (15, file, 04755));
  attempt ("i386 fchmod", i386_call (94, fd, 04755));
  attempt ("i386 fchmodat", i386_call (306, here, file, 02755));
  attempt ("i386 fchmodat2", i386_call (452, here, file, 02755, 0));
  attempt ("i386 chmod 755", i386_call (15, file, 0755));
  ::close (fd);
  auto create = [] (const char *what, long result)
    {
      attempt (what, result);
      ::unlink ("file");
      ::rmdir ("file");
    };
  ::unlink ("file");
  create ("i386 open", i386_call (5, file, O_WRONLY | O_CREAT, 04755));
  create ("i386 creat", i386_call (8, file, 04755));
  create ("i386 mknod", i386_call (14, file, S_IFREG | 04755));
  create ("i386 mkdir", i386_call (39, file, 02755));
  create ("i386 openat",
          i386_call (295, here, file, O_WRONLY | O_CREAT, 04755));
  create ("i386 mkdirat", i386_call (296, here, file, 02755));
  create ("i386 mknodat", i386_call (297, here, file, S_IFREG | 04755));
}

static void
attempt_i386_calls ()
{
  attempt ("i386 socket", i386_call (359, AF_VSOCK, SOCK_STREAM, 0));
  attempt ("i386 socket, local", i386_call (359, AF_UNIX, SOCK_STREAM, 0));
  attempt ("i386 socketpair", i386_call (360, AF_TIPC, SOCK_STREAM, 0));
  const std::int32_t arguments[] = {AF_UNIX, SOCK_STREAM, 0};
  attempt ("i386 socketcall",
           i386_call (102, 1, low_copy (arguments, sizeof arguments)));
  attempt ("i386 clone", in_child ([]
    { return i386_call (120, CLONE_NEWUSER | SIGCHLD); }));
  attempt ("i386 unshare", in_child ([]
    { return i386_call (310, CLONE_NEWUSER); }));
  attempt ("i386 mount", i386_call (21, -1, -1, -1, -1));
  attempt ("i386 umount", i386_call (22, -1));
  attempt ("i386 umount2", i386_call (52, -1, -1));
  attempt ("i386 make a subvolume",
           i386_call (54, -1, BTRFS_IOC_SUBVOL_CREATE));
  attempt ("i386 encrypt", i386_call (54, -1, FS_IOC_SET_ENCRYPTION_POLICY));
  attempt ("i386 take a lease", i386_call (55, -1, F_SETLEASE, F_WRLCK));
  attempt ("i386 take a lease by fcntl64",
           i386_call (221, -1, F_SETLEASE, F_WRLCK));
  attempt ("i386 take a delegation", i386_call (55, -1, 1040));
  attempt ("i386 limit cores", i386_call (75, RLIMIT_CORE, 1));
  attempt ("i386 limit cores by prlimit64",
           i386_call (340, 0, RLIMIT_CORE, 1));
  attempt ("i386 limit cores and ask", i386_call (340, 0, RLIMIT_CORE, 1, 1));
  attempt ("i386 bpf", i386_call (357, -1, -1, -1));
  attempt ("i386 keyctl", i386_call (288, -1));
  attempt ("i386 io_uring_setup", i386_call (425, -1, -1));
}

static void
attempt_x32_calls ()
{
  constexpr long x32 = 0x40000000;
  attempt ("x32 getpid", ::syscall (x32 | SYS_getpid));
  attempt ("x32 chmod", ::syscall (x32 | SYS_chmod, ".", 04755));
  attempt ("x32 socket", ::syscall (x32 | SYS_socket, AF_VSOCK,
                                    SOCK_STREAM, 0));
}

// Let CHILD, which is stopped, enter a call, and make it chmod (2).
static long
replace_call (pid_t child, const char *file)
{
  int status;
  struct user_regs_struct registers;
  auto proceed = [&]
    {
      ::ptrace (PTRACE_SYSCALL, child, nullptr, nullptr);
      ::waitpid (child, &status, 0);
      ::ptrace (PTRACE_GETREGS, child, nullptr, &registers);
    };
  ::waitpid (child, &status, 0);
  proceed ();
  registers.orig_rax = SYS_chmod;
  registers.rdi = reinterpret_cast<std::uintptr_t> (file);
  registers.rsi = 04755;
  ::ptrace (PTRACE_SETREGS, child, nullptr, &registers);
  proceed ();
  ::kill (child, SIGKILL);
  ::waitpid (child, &status, 0);
  auto result = static_cast<long> (registers.rax);
  errno = result < 0 ? static_cast<int> (-result) : 0;
  return result < 0 ? -1 : 0;
}

static void
attempt_replacement ()
{
  ::close (::open ("file", O_WRONLY | O_CREAT, 0755));
  pid_t child = ::fork ();
  if (child == 0)
    {
      ::ptrace (PTRACE_TRACEME, 0, nullptr, nullptr);
      ::raise (SIGSTOP);
      for (;;)
        ::getppid ();
    }
  attempt ("a call that becomes chmod", replace_call (child, "file"));
  ::unlink ("file");
}

void
attempt_other_machines ()
{
  attempt_replacement ();
  // The kernel looks at 32 bits of the family.
  attempt ("socket, vsock with upper bits",
           ::syscall (SYS_socket, AF_VSOCK | 1L << 32, SOCK_STREAM, 0));
  attempt_x32_calls ();
  // Without support for i386, this is a segmentation fault.
  bool i386 = in_child ([] { return i386_call (20); }) == 0;
  report ("i386", i386 ? "present" : "absent");
  if (i386)
    {
      attempt_i386_files ();
      attempt_i386_calls ();
    }
}

#else

void
attempt_other_machines ()
{
}

#endif
