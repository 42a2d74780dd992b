// SPDX-License-Identifier: GPL-3.0-or-later
// What a hostile program tries in its jail on FreeBSD, and what comes of it:
// one "ATTEMPT: RESULT" a line, RESULT being "done" or what strerror says.
//
// Usage: attack-freebsd INPUT SECRET PID PORT SOCKET KEY: a read-only file and
// a file that is not there, a process of the host, a TCP port where the host
// listens, a local socket of the host in a mounted directory, and the key of
// its shared memory.
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
attack_files (const char *input, const char *secret)
{
  std::string copy {input};
  std::string directory {::dirname (copy.data ())};
  attempt ("write to an input", ::open (input, O_WRONLY));
  attempt ("change the mode of an input", ::chmod (input, 0777));
  attempt ("change the flags of an input", ::chflags (input, UF_IMMUTABLE));
  attempt ("remove an input", ::unlink (input));
  attempt ("create beside an input",
           ::open ((directory + "/new").c_str (), O_WRONLY | O_CREAT, 0600));
  attempt ("create in the root", ::mkdir ("/new", 0700));
  attempt ("see a file of the host", ::access (secret, F_OK));
  attempt ("make a device", ::mknod ("/tmp/disk", S_IFBLK | 0600, 0));
  attempt ("open the memory", ::open ("/dev/mem", O_RDONLY));
  attempt ("set a flag of root's",
           (::close (::open ("/tmp/mine", O_WRONLY | O_CREAT, 0600)),
            ::chflags ("/tmp/mine", SF_IMMUTABLE)));
  attempt ("give a file to root", ::chown ("/tmp/mine", 0, 0));
  fhandle_t handle {};
  attempt ("open by handle", ::fhopen (&handle, O_RDONLY));
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
  int open = 0;
  for (int fd = 3; fd < 1024; fd++)
    open += ::fcntl (fd, F_GETFD) >= 0;
  std::printf ("descriptors inherited: %d\n", open);
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
attack_system (const char *input)
{
  std::string copy {input};
  char *directory = ::dirname (copy.data ());
  attempt ("change the root directory", ::chroot ("/tmp"));
  attempt ("unmount an input", ::unmount (directory, MNT_FORCE));
  attempt ("mount over an input", mount_tmpfs (directory));
  attempt ("enter another jail", ::jail_attach (1));
  attempt ("make a jail", ::jail_set (nullptr, 0, JAIL_CREATE));
  attempt ("rename the host", ::sethostname ("evil", 4));
  int bits = 1;
  attempt ("change a setting of the kernel",
           ::sysctlbyname ("security.bsd.unprivileged_chroot", nullptr,
                           nullptr, &bits, sizeof bits));
  attempt ("load a module", ::kldload ("if_epair"));
  struct statfs *mounts = nullptr;
  std::printf ("mounts that are seen: %d\n",
               ::getmntinfo (&mounts, MNT_NOWAIT));
}

static void
attack_processes (pid_t host, key_t key)
{
  attempt ("signal a process of the host", ::kill (host, 0));
  attempt ("trace a process of the host",
           ::ptrace (PT_ATTACH, host, nullptr, 0));
  attempt ("signal everybody", ::kill (-1, 0));
  attempt ("take shared memory of the host", ::shmget (key, 0, 0));
  attempt ("take it by name", ::shm_open ("/fruix-attack", O_RDONLY, 0));
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
  if (argc != 7)
    return 2;
  attack_files (argv[1], argv[2]);
  attack_identity ();
  attack_system (argv[1]);
  attack_processes (std::atoi (argv[3]), std::atoi (argv[6]));
  attack_network (static_cast<std::uint16_t> (std::atoi (argv[4])), argv[5]);
}
