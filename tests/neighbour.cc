// SPDX-License-Identifier: GPL-3.0-or-later
// What a hostile program on FreeBSD tries on another sandbox of the same user
// beside its own, and by what they share: one "ATTEMPT: RESULT" a line, RESULT
// being "done" or what strerror says.
//
// Usage: neighbour INPUT PID PORT: a read-only file, beside it "set-id", a
// copy of this program that belongs to root; a process of that sandbox; a TCP
// port where the host listens.
//
// Usage: neighbour leave SECONDS: leave things with known names behind,
// listen at /shared/socket, say "leave: done", and hold.
// Usage: neighbour identity: exit with 0 as root.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <string>
#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/ipc.h>
#include <sys/jail.h>
#include <sys/ktrace.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/rctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <net/route.h>
#include <unistd.h>

static void
attempt (const std::string &what, long result)
{
  std::printf ("%s: %s\n", what.c_str (),
               result < 0 ? std::strerror (errno) : "done");
  std::fflush (stdout);
}

// A result for 'attempt' that sets errno to ERROR unless HARM was done.
static int
refused (bool harm, int error)
{
  errno = error;
  return harm ? 0 : -1;
}

// The information of KIND about PROCESS.
static int
look_at (pid_t process, int kind)
{
  int name[] = {CTL_KERN, KERN_PROC, kind, process};
  char buffer[4096];
  size_t size = sizeof buffer;
  if (::sysctl (name, 4, buffer, &size, nullptr, 0) < 0)
    return errno == ENOMEM ? 0 : -1;
  return refused (size > 0, ESRCH);
}

static void
attack_processes (pid_t process)
{
  auto on = [&] (const std::string &verb, long result)
    {
      attempt (verb + " a process", result);
    };
  on ("signal", ::kill (process, 0));
  on ("trace", ::ptrace (PT_ATTACH, process, nullptr, 0));
  ::close (::open ("/tmp/trace", O_WRONLY | O_CREAT, 0600));
  on ("log the calls of",
      ::ktrace ("/tmp/trace", KTROP_SET, KTRFAC_SYSCALL, process));
  on ("see", look_at (process, KERN_PROC_PID));
  on ("see the arguments of", look_at (process, KERN_PROC_ARGS));
  on ("see the files of", look_at (process, KERN_PROC_FILEDESC));
  cpuset_t set;
  CPU_ZERO (&set);
  CPU_SET (0, &set);
  on ("move to another processor",
      ::cpuset_setaffinity (CPU_LEVEL_WHICH, CPU_WHICH_PID, process,
                            sizeof set, &set));
}

static void
attack_jails ()
{
  // More than have been made while the tests ran.
  constexpr int last = 1000;
  int entered = -1, removed = -1, none = 0;
  for (int id = 0; id < last; id++)
    {
      entered = std::max (entered, ::jail_attach (id));
      removed = std::max (removed, ::jail_remove (id));
    }
  attempt ("enter any jail", refused (entered >= 0, EPERM));
  attempt ("remove any jail", refused (removed >= 0, EPERM));
  char last_key[] = "lastjid";
  struct iovec next[] = {{last_key, sizeof last_key}, {&none, sizeof none}};
  attempt ("see a jail", ::jail_get (next, 2, 0));
}

static int
run (const std::string &program, const char *argument)
{
  pid_t child = ::fork ();
  if (child == 0)
    {
      ::execl (program.c_str (), program.c_str (), argument, nullptr);
      ::_exit (127);
    }
  int status;
  ::waitpid (child, &status, 0);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static int
mount (const char *type, const char *target, int flags)
{
  auto text = [] (const char *value)
    {
      return iovec {const_cast<char *> (value), std::strlen (value) + 1};
    };
  struct iovec options[] = {text ("fstype"), text (type), text ("fspath"),
                            text (target),   text ("from"), text ("/tmp")};
  return ::nmount (options, 6, flags);
}

static void
attack_files (const std::string &input, const std::string &directory)
{
  attempt ("truncate an input", ::truncate (input.c_str (), 0));
  attempt ("link to an input", ::link (input.c_str (), "/tmp/link"));
  attempt ("be root by an input",
           refused (run (directory + "/set-id", "identity") == 0, EPERM));
  attempt ("make an input writable",
           mount ("nullfs", directory.c_str (), MNT_UPDATE));
  attempt ("unmount /dev", ::unmount ("/dev", MNT_FORCE));
  for (auto type : {"nullfs", "devfs", "procfs", "fdescfs"})
    attempt (std::string {"mount "} + type, mount (type, "/tmp", 0));
}

constexpr key_t key = 0x66727578;
constexpr char memory_name[] = "/fruix-attack";

// Do CALL, bind or connect, with a new socket of FAMILY and ADDRESS; return
// the socket.
template <class Address>
static int
use (decltype (::connect) call, int family, const Address &address)
{
  int fd = ::socket (family, SOCK_STREAM, 0);
  if (fd < 0)
    return -1;
  return call (fd, reinterpret_cast<const struct sockaddr *> (&address),
               sizeof address)
                 < 0
             ? -1
             : fd;
}

static int
use_local (decltype (::connect) call, const std::string &name)
{
  struct sockaddr_un address {};
  address.sun_family = AF_LOCAL;
  std::strncpy (address.sun_path, name.c_str (),
                sizeof address.sun_path - 1);
  return use (call, AF_LOCAL, address);
}

// Remove the default route.
static long
change_routes ()
{
  struct
  {
    struct rt_msghdr header;
    struct sockaddr_in address;
  } message {};
  message.header.rtm_msglen = sizeof message;
  message.header.rtm_version = RTM_VERSION;
  message.header.rtm_type = RTM_DELETE;
  message.header.rtm_addrs = RTA_DST;
  message.address.sin_len = sizeof message.address;
  message.address.sin_family = AF_INET;
  int fd = ::socket (PF_ROUTE, SOCK_RAW, 0);
  return fd < 0 ? -1 : ::write (fd, &message, sizeof message);
}

static void
attack_loopback (int port)
{
  struct sockaddr_in address {};
  address.sin_family = AF_INET;
  address.sin_port = htons (static_cast<in_port_t> (port));
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  attempt ("reach a server of the host",
           use (::connect, AF_INET, address));
  struct sockaddr_in6 address6 {};
  address6.sin6_family = AF_INET6;
  address6.sin6_port = address.sin_port;
  address6.sin6_addr = in6addr_loopback;
  attempt ("reach it over IPv6", use (::connect, AF_INET6, address6));
}

static void
attack_network (int port)
{
  attempt ("reach a local socket",
           use_local (::connect, "/shared/socket"));
  attempt ("open a raw socket of IPv6",
           ::socket (AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
  attempt ("change the routes", change_routes ());
  attempt ("open a socket of IPv4", ::socket (AF_INET, SOCK_STREAM, 0));
  attempt ("open a socket of IPv6", ::socket (AF_INET6, SOCK_STREAM, 0));
  attack_loopback (port);
  constexpr char rule[] = "user:0:maxproc:deny=1";
  attempt ("limit others", ::rctl_add_rule (rule, sizeof rule, nullptr, 0));
}

// Look for what 'leave' left.
static void
attack_shared ()
{
  attempt ("find shared memory of System V", ::shmget (key, 1, 0));
  attempt ("find semaphores", ::semget (key, 1, 0));
  attempt ("find a message queue", ::msgget (key, 0));
  attempt ("find shared memory of POSIX",
           ::shm_open (memory_name, O_RDWR, 0));
}

static int
leave (int seconds)
{
  int socket = use_local (::bind, "/shared/socket");
  bool left = ::listen (socket, 1) == 0
              && ::shmget (key, 1, IPC_CREAT | 0666) >= 0
              && ::semget (key, 1, IPC_CREAT | 0666) >= 0
              && ::msgget (key, IPC_CREAT | 0666) >= 0
              && ::shm_open (memory_name, O_RDWR | O_CREAT, 0666) >= 0;
  attempt ("leave", left ? 0 : -1);
  ::sleep (static_cast<unsigned> (seconds));
  return left ? 0 : 1;
}

int
main (int argc, char **argv)
{
  std::string mode {argc > 1 ? argv[1] : ""};
  if (argc == 2 && mode == "identity")
    return ::geteuid () == 0 ? 0 : 1;
  if (argc == 3 && mode == "leave")
    return leave (std::atoi (argv[2]));
  if (argc != 4)
    return 2;
  attack_files (mode, ::dirname (std::string {mode}.data ()));
  attack_processes (std::atoi (argv[2]));
  attack_jails ();
  attack_network (std::atoi (argv[3]));
  attack_shared ();
}
