// SPDX-License-Identifier: GPL-3.0-or-later
// What a hostile program tries in its jail on FreeBSD, and what comes of it:
// one "ATTEMPT: RESULT" a line, RESULT being "done" or what strerror says.
//
// Usage: attack-freebsd INPUT SECRET PID PORT SOCKET KEY: a read-only file
// and a file that is not there, a process of the host, a TCP port where the
// host listens, a local socket of the host in a mounted directory, and the
// key of the memory that the host shares with everybody.  That is made by
// "attack-freebsd share KEY" and removed by "attack-freebsd unshare KEY".
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <kenv.h>
#include <libgen.h>
#include <netinet/in.h>
#include <string>
#include <sys/param.h>
#include <sys/jail.h>
#include <sys/linker.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/procctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void
attempt (const char *what, long result)
{
  std::printf ("%s: %s\n", what, result < 0 ? std::strerror (errno) : "done");
}

static void
count_descriptors ()
{
  int open = 0;
  for (int fd = 3; fd < 1024; fd++)
    open += ::fcntl (fd, F_GETFD) >= 0;
  std::printf ("descriptors inherited: %d\n", open);
}

static void
attack_files (const char *input, const char *secret)
{
  std::string copy {input};
  std::string directory {::dirname (copy.data ())};
  attempt ("write to an input", ::open (input, O_WRONLY));
  attempt ("change the mode of an input", ::chmod (input, 0777));
  attempt ("change the flags of an input", ::chflags (input, UF_NODUMP));
  attempt ("rename an input",
           ::rename (input, (directory + "/moved").c_str ()));
  attempt ("remove an input", ::unlink (input));
  attempt ("create beside an input",
           ::open ((directory + "/new").c_str (), O_WRONLY | O_CREAT, 0600));
  attempt ("create in the root", ::mkdir ("/new", 0700));
  attempt ("see a file of the host", ::access (secret, F_OK));
  fhandle_t handle {};
  attempt ("take the handle of an input", ::getfh (input, &handle));
  attempt ("open by handle", ::fhopen (&handle, O_RDONLY));
}

static void
attack_own_file ()
{
  const char *mine = "/tmp/fruix-attack";
  ::close (::open (mine, O_WRONLY | O_CREAT, 0600));
  attempt ("set a flag of root's", ::chflags (mine, SF_IMMUTABLE));
  attempt ("give a file to root", ::chown (mine, 0, 0));
  ::unlink (mine);
}

static void
attack_devices ()
{
  attempt ("make a device",
           ::mknod ("/tmp/fruix-attack", S_IFBLK | 0600, 0));
  attempt ("open the memory", ::open ("/dev/mem", O_RDONLY));
  attempt ("open the kernel's memory", ::open ("/dev/kmem", O_RDONLY));
  attempt ("listen to devices", ::open ("/dev/devctl", O_RDONLY));
  attempt ("open the console", ::open ("/dev/console", O_RDONLY));
  attempt ("control devfs", ::open ("/dev/devfs", O_RDONLY));
}

static void
attack_identity ()
{
  attempt ("become root", ::setuid (0));
  attempt ("take a group", ::setgid (0));
  gid_t wheel = 0;
  attempt ("change groups", ::setgroups (1, &wheel));
  attempt ("change the name of the login", ::setlogin ("root"));
  struct rlimit limit = {1, 1};
  attempt ("allow core dumps", ::setrlimit (RLIMIT_CORE, &limit));
  int privileges = 0;
  ::procctl (P_PID, 0, PROC_NO_NEW_PRIVS_STATUS, &privileges);
  std::printf ("new privileges: %s\n",
               privileges == PROC_NO_NEW_PRIVS_ENABLE ? "none" : "possible");
}

static bool
honours_set_id (const char *path)
{
  struct statfs status;
  return ::statfs (path, &status) < 0 || !(status.f_flags & MNT_NOSUID);
}

static int
mount_tmpfs (char *path)
{
  char type_key[] = "fstype", type[] = "tmpfs", path_key[] = "fspath";
  struct iovec parameters[] = {{type_key, sizeof type_key},
                               {type, sizeof type},
                               {path_key, sizeof path_key},
                               {path, std::strlen (path) + 1}};
  return ::nmount (parameters, 4, 0);
}

static void
attack_mounts (const char *input)
{
  std::string copy {input};
  char *directory = ::dirname (copy.data ());
  attempt ("change the root directory", ::chroot ("/tmp"));
  attempt ("unmount an input", ::unmount (directory, MNT_FORCE));
  attempt ("mount over an input", mount_tmpfs (directory));
  struct statfs *mounts = nullptr;
  std::printf ("mounts that are seen: %d\n",
               ::getmntinfo (&mounts, MNT_NOWAIT));
  std::printf ("set-id bits: %s\n",
               honours_set_id ("/") || honours_set_id (input) ? "honoured"
                                                              : "ignored");
}

static void
attack_system ()
{
  attempt ("enter another jail", ::jail_attach (1));
  attempt ("make a jail", ::jail_set (nullptr, 0, JAIL_CREATE));
  attempt ("rename the host", ::sethostname ("evil", 4));
  int bits = 1;
  attempt ("change a setting of the kernel",
           ::sysctlbyname ("security.bsd.unprivileged_chroot", nullptr,
                           nullptr, &bits, sizeof bits));
  attempt ("load a module", ::kldload ("if_epair"));
  char value[] = "yes";
  attempt ("change the environment of the kernel",
           ::kenv (KENV_SET, "fruix.attack", value, sizeof value));
  struct timeval now {};
  ::gettimeofday (&now, nullptr);
  attempt ("set the clock", ::settimeofday (&now, nullptr));
  attempt ("go first", ::setpriority (PRIO_PROCESS, 0, -20));
}

constexpr char shared_name[] = "/fruix-attack";

static bool
share (key_t key)
{
  ::umask (0);
  return ::shmget (key, 1, IPC_CREAT | 0666) >= 0
         && ::shm_open (shared_name, O_RDWR | O_CREAT, 0666) >= 0;
}

static bool
unshare (key_t key)
{
  return ::shmctl (::shmget (key, 0, 0), IPC_RMID, nullptr) == 0
         && ::shm_unlink (shared_name) == 0;
}

static void
attack_processes (pid_t host)
{
  attempt ("signal a process of the host", ::kill (host, 0));
  attempt ("trace a process of the host",
           ::ptrace (PT_ATTACH, host, nullptr, 0));
  attempt ("signal everybody", ::kill (-1, 0));
}

static void
attack_shared (key_t key)
{
  attempt ("take shared memory of the host", ::shmget (key, 0, 0));
  attempt ("take it by name", ::shm_open (shared_name, O_RDONLY, 0));
}

static void
attack_network (std::uint16_t port, const char *name)
{
  struct sockaddr_in address {};
  address.sin_len = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = htons (port);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int fd = ::socket (AF_INET, SOCK_STREAM, 0);
  attempt ("make a socket", fd);
  attempt ("reach a port of the host",
           ::connect (fd, reinterpret_cast<sockaddr *> (&address),
                      sizeof address));
  attempt ("make a raw socket", ::socket (AF_INET, SOCK_RAW, IPPROTO_ICMP));
  struct sockaddr_un local {};
  local.sun_family = AF_UNIX;
  std::strncpy (local.sun_path, name, sizeof local.sun_path - 1);
  fd = ::socket (AF_UNIX, SOCK_STREAM, 0);
  attempt ("reach a local socket of the host",
           ::connect (fd, reinterpret_cast<sockaddr *> (&local),
                      sizeof local));
}

int
main (int argc, char **argv)
{
  if (argc == 3)
    {
      auto act = std::strcmp (argv[1], "share") == 0 ? share : unshare;
      return act (std::atoi (argv[2])) ? 0 : 1;
    }
  if (argc != 7)
    return 2;
  count_descriptors ();
  attack_files (argv[1], argv[2]);
  attack_own_file ();
  attack_devices ();
  attack_identity ();
  attack_mounts (argv[1]);
  attack_system ();
  attack_processes (std::atoi (argv[3]));
  attack_shared (std::atoi (argv[6]));
  attack_network (static_cast<std::uint16_t> (std::atoi (argv[4])), argv[5]);
}
