// SPDX-License-Identifier: GPL-3.0-or-later
// What builds and their test suites do, and must be able to.
#include "escape.hh"

#include <arpa/inet.h>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <thread>

static void
work_on_files ()
{
  attempt ("mkdir 1777", ::mkdir ("directory", 01777));
  int fd = ::open ("directory/file", O_RDWR | O_CREAT, 0644);
  attempt ("open 644", fd);
  attempt ("chmod 755", ::chmod ("directory/file", 0755));
  attempt ("fchmod 700", ::fchmod (fd, 0700));
  attempt ("open nameless, 600", ::open (".", O_RDWR | O_TMPFILE, 0600));
  // The mode counts only for what is created.
  attempt ("open, a mode in vain",
           ::syscall (SYS_openat, AT_FDCWD, ".", O_RDONLY, 06777));
  attempt ("mkfifo", ::mkfifo ("directory/fifo", 0600));
  attempt ("rename", ::rename ("directory/file", "directory/other"));
  struct statx status;
  attempt ("statx", ::statx (fd, "", AT_EMPTY_PATH, STATX_ALL, &status));
  attempt ("copy_file_range",
           ::copy_file_range (fd, nullptr, fd, nullptr, 0, 0));
  attempt ("inotify", ::inotify_init ());
  ::unlink ("directory/other");
  ::unlink ("directory/fifo");
  ::rmdir ("directory");
}

// Whether a byte gets from one end of a connection to the other.
static long
exchange (int from, int to)
{
  char byte = 'x';
  return ::send (from, &byte, 1, 0) == 1 && ::recv (to, &byte, 1, 0) == 1
             ? 0 : -1;
}

// Over the loopback interface.
static long
connect_by_tcp (int family)
{
  struct sockaddr_storage address {};
  address.ss_family = static_cast<sa_family_t> (family);
  socklen_t size = sizeof address;
  auto pointer = reinterpret_cast<struct sockaddr *> (&address);
  int listener = ::socket (family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int client = ::socket (family, SOCK_STREAM, IPPROTO_TCP);
  if (::bind (listener, pointer, size) < 0 || ::listen (listener, 1) < 0
      || ::getsockname (listener, pointer, &size) < 0
      || ::connect (client, pointer, size) < 0)
    return -1;
  return exchange (client, ::accept4 (listener, nullptr, nullptr, 0));
}

static void
work_on_sockets ()
{
  int ends[2];
  attempt ("socket pair", ::socketpair (AF_UNIX, SOCK_STREAM, 0, ends));
  attempt ("its ends", exchange (ends[0], ends[1]));
  attempt ("socket pair of packets",
           ::socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
  attempt ("TCP", connect_by_tcp (AF_INET));
  attempt ("UDP", ::socket (AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  struct ifaddrs *interfaces;
  attempt ("list network interfaces", ::getifaddrs (&interfaces));
}

static void
work_on_processes ()
{
  attempt ("fork", in_child ([] { return 0; }));
  pid_t child;
  char name[] = "true";
  char *arguments[] = {name, nullptr}, *environment[] = {nullptr};
  attempt ("spawn", ::posix_spawn (&child, "/bin/true", nullptr, nullptr,
                                   arguments, environment)
                        == 0 ? ::waitpid (child, nullptr, 0) : -1);
  int ran = -1;
  std::thread {[&] { ran = 0; }}.join ();
  attempt ("thread", ran);
  child = ::fork ();
  if (child == 0)
    for (;;)
      ::pause ();
  attempt ("process descriptor", ::syscall (SYS_pidfd_open, child, 0));
  int there = 0;
  struct iovec iov = {&there, sizeof there};
  attempt ("read a child's memory",
           ::process_vm_readv (child, &iov, 1, &iov, 1, 0));
  attempt ("trace a child",
           ::ptrace (PTRACE_SEIZE, child, nullptr, nullptr));
  attempt ("kill a child", ::kill (child, SIGKILL));
  ::waitpid (child, nullptr, 0);
  attempt ("personality", ::personality (0xffffffff));
}

// One more filter, which allows everything.
static long
install_filter ()
{
  struct sock_filter code = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  struct sock_fprog program = {1, &code};
  return ::prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void
work_on_memory ()
{
  attempt ("memory file", ::memfd_create ("memory", MFD_CLOEXEC));
  attempt ("executable memory",
           ::mmap (nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1 : 0);
  int id = ::shmget (IPC_PRIVATE, 4096, 0600);
  attempt ("shared memory", id);
  ::shmctl (id, IPC_RMID, nullptr);
  char byte;
  attempt ("random bytes", ::getrandom (&byte, 1, 0));
  attempt ("epoll", ::epoll_create1 (0));
  attempt ("a filter of one's own", in_child (install_filter));
}

void
attempt_work ()
{
  work_on_files ();
  work_on_sockets ();
  work_on_processes ();
  work_on_memory ();
}
