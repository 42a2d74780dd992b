// SPDX-License-Identifier: GPL-3.0-or-later
// What a hostile program tries in its sandbox on Linux, and what comes of it:
// one "ATTEMPT: RESULT" a line, RESULT being "done" or the name of an errno.
//
// Usage: attack INPUT SECRET PID SOCKET: a read-only file and a file that is
// not there, a process of the host, the name of an abstract socket of the
// host.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <mntent.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void
attempt (const char *what, long result)
{
  std::printf ("%s: %s\n", what,
               result < 0 ? strerrorname_np (errno) : "done");
}

static void
attack_files (const char *input, const char *secret)
{
  std::string copy {input};
  std::string directory {::dirname (copy.data ())};
  attempt ("write to an input", ::open (input, O_WRONLY));
  attempt ("change the mode of an input", ::chmod (input, 0777));
  attempt ("remove an input", ::unlink (input));
  attempt ("create beside an input",
           ::open ((directory + "/new").c_str (), O_WRONLY | O_CREAT, 0600));
  attempt ("move an input away", ::rename (directory.c_str (), "/tmp/moved"));
  attempt ("create in the root", ::mkdir ("/new", 0700));
  attempt ("see a file of the host", ::access (secret, F_OK));
  attempt ("see it through /proc/1/root",
           ::access ((std::string {"/proc/1/root"} + secret).c_str (), F_OK));
  attempt ("see it through /proc/1/cwd",
           ::access ((std::string {"/proc/1/cwd/../.."} + secret).c_str (),
                     F_OK));
  attempt ("make a device", ::mknod ("/tmp/disk", S_IFBLK | 0600,
                                     makedev (8, 0)));
  attempt ("change the mode of a device", ::chmod ("/dev/null", 0666));
  attempt ("write to core_pattern",
           ::open ("/proc/sys/kernel/core_pattern", O_WRONLY));
  struct
  {
    unsigned bytes = 8;
    int type = 1;
    char handle[8] = {2};
  } root;
  attempt ("open by handle", ::syscall (SYS_open_by_handle_at, AT_FDCWD,
                                        &root, O_RDONLY));
}

// Set LIMIT, and look whether it holds.
static long
set_core_limit (const struct rlimit &limit)
{
  struct rlimit now {};
  if (::setrlimit (RLIMIT_CORE, &limit) < 0
      || ::getrlimit (RLIMIT_CORE, &now) < 0)
    return -1;
  errno = EPERM;
  return now.rlim_cur == limit.rlim_cur ? 0 : -1;
}

static void
attack_identity ()
{
  attempt ("become root", ::setuid (0));
  attempt ("take a group", ::setgid (0));
  gid_t none[1];
  attempt ("change groups", ::setgroups (0, none));
  attempt ("give a file to root",
           (::close (::open ("/tmp/mine", O_WRONLY | O_CREAT, 0600)),
            ::chown ("/tmp/mine", 0, 0)));
  attempt ("rename the host", ::sethostname ("evil", 4));
  attempt ("change the root directory", ::chroot ("/tmp"));
  struct rlimit limit = {2, 2};
  attempt ("allow core dumps", set_core_limit (limit));
}

static void
attack_processes (pid_t host)
{
  char byte;
  struct iovec here = {&byte, 1}, there = {&here, 1};
  attempt ("signal a process of the host", ::kill (host, 0));
  attempt ("trace a process of the host",
           ::ptrace (PTRACE_ATTACH, host, nullptr, nullptr));
  attempt ("read its memory",
           ::process_vm_readv (host, &here, 1, &there, 1, 0));
  attempt ("signal everybody", ::kill (-1, SIGTERM));
}

// A mount where files with set-id bits would have an effect; 0 if there is.
static int
find_set_id_mount ()
{
  std::FILE *table = ::setmntent ("/proc/self/mounts", "r");
  while (auto *entry = table ? ::getmntent (table) : nullptr)
    {
      struct statvfs status;
      if (::statvfs (entry->mnt_dir, &status) == 0
          && !(status.f_flag & ST_NOSUID))
        return 0;
    }
  errno = table ? ENOENT : errno;
  return -1;
}

static void
attack_mounts (const char *input)
{
  std::string copy {input};
  const char *directory = ::dirname (copy.data ());
  attempt ("make an input writable",
           ::mount (nullptr, directory, nullptr, MS_REMOUNT | MS_BIND,
                    nullptr));
  attempt ("unmount an input", ::umount2 (directory, MNT_DETACH));
  attempt ("unmount /proc", ::umount2 ("/proc", MNT_DETACH));
  attempt ("mount over an input",
           ::mount ("none", directory, "tmpfs", 0, nullptr));
  attempt ("find a mount that honours set-id bits", find_set_id_mount ());
}

// The same from a user namespace of one's own, where one has all
// capabilities.
static void
attack_from_namespace (const char *input, const char *secret)
{
  std::string copy {input};
  const char *directory = ::dirname (copy.data ());
  attempt ("nested, namespaces", ::unshare (CLONE_NEWUSER | CLONE_NEWNS));
  attempt ("nested, make an input writable",
           ::mount (nullptr, directory, nullptr, MS_REMOUNT | MS_BIND,
                    nullptr));
  attempt ("nested, unmount an input", ::umount2 (directory, MNT_DETACH));
  attempt ("nested, write to an input", ::open (input, O_WRONLY));
  attempt ("nested, mount a device", ::mount ("/dev/vda", "/tmp", "ext4", 0,
                                              nullptr));
  // The classic way out of a changed root.
  int outside = ::open ("/", O_RDONLY | O_DIRECTORY);
  attempt ("nested, change the root directory", ::chroot ("/tmp"));
  bool back = ::fchdir (outside) == 0;
  for (int i = 0; back && i < 64; i++)
    back = ::chdir ("..") == 0;
  attempt ("nested, climb up", back ? ::chroot (".") : -1);
  attempt ("nested, see a file of the host", ::access (secret, F_OK));
}

static void
attack_network (const char *name)
{
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::strncpy (address.sun_path + 1, name, sizeof address.sun_path - 2);
  int fd = ::socket (AF_UNIX, SOCK_STREAM, 0);
  attempt ("reach an abstract socket of the host",
           ::connect (fd, reinterpret_cast<struct sockaddr *> (&address),
                      static_cast<socklen_t> (
                          offsetof (struct sockaddr_un, sun_path) + 1
                          + std::strlen (name))));
  attempt ("open a packet socket", ::socket (AF_PACKET, SOCK_RAW, 0));
}

int
main (int argc, char **argv)
{
  if (argc != 5)
    return 2;
  attack_files (argv[1], argv[2]);
  attack_identity ();
  attack_processes (std::atoi (argv[3]));
  attack_mounts (argv[1]);
  attack_network (argv[4]);
  std::fflush (stdout);
  // In a child, since that changes who we are.
  pid_t child = ::fork ();
  if (child == 0)
    {
      attack_from_namespace (argv[1], argv[2]);
      std::fflush (stdout);
      ::_exit (0);
    }
  ::waitpid (child, nullptr, 0);
}
