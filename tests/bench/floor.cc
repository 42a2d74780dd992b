// SPDX-License-Identifier: GPL-3.0-or-later
// floor COUNT WIDTH MOUNTS PROGRAM: run PROGRAM COUNT times, WIDTH at a time,
// each in new namespaces of the kinds that a sandbox has, after as many
// read-only mounts of /usr.  That is what the kernel takes for a build,
// whoever asks for it.

#include <cstdio>
#include <cstdlib>
#include <linux/sched.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

constexpr unsigned long long namespaces = CLONE_NEWNS | CLONE_NEWPID
                                          | CLONE_NEWNET | CLONE_NEWIPC
                                          | CLONE_NEWUTS;

// Without root, a user namespace is what makes the others possible.
unsigned long long
flags ()
{
  return namespaces | (::geteuid () == 0 ? 0 : CLONE_NEWUSER);
}

bool
mount_one (const std::string &target)
{
  return ::mkdir (target.c_str (), 0755) == 0
         && ::mount ("/usr", target.c_str (), nullptr, MS_BIND, nullptr) == 0
         && ::mount (nullptr, target.c_str (), nullptr,
                     MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr)
                == 0;
}

bool
mount_all (int count)
{
  if (count == 0)
    return true;
  if (::mount (nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0
      || ::mount ("floor", "/mnt", "tmpfs", 0, nullptr) < 0)
    return false;
  for (int i = 0; i < count; i++)
    if (!mount_one ("/mnt/" + std::to_string (i)))
      return false;
  return true;
}

bool
start (int mounts, char **program)
{
  clone_args arguments {};
  arguments.flags = flags ();
  arguments.exit_signal = SIGCHLD;
  long pid = ::syscall (SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0)
    {
      if (mount_all (mounts))
        ::execv (program[0], program);
      ::_exit (127);
    }
  return pid > 0;
}

bool
finish ()
{
  int status;
  return ::wait (&status) > 0 && status == 0;
}

} // namespace

int
main (int argc, char **argv)
{
  if (argc < 5)
    return 64;
  int count = std::atoi (argv[1]);
  int width = std::atoi (argv[2]);
  int mounts = std::atoi (argv[3]);
  for (int started = 0, ended = 0; ended < count;)
    if (started < count && started - ended < width)
      {
        if (!start (mounts, argv + 4))
          return std::perror ("clone3"), 1;
        ++started;
      }
    else
      {
        if (!finish ())
          return std::fputs ("the program failed\n", stderr), 1;
        ++ended;
      }
}
