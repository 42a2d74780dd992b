// SPDX-License-Identifier: GPL-3.0-or-later
// floor COUNT WIDTH PROGRAM: run PROGRAM COUNT times, WIDTH at a time, each
// in new namespaces of the kinds that a sandbox has.  That is what the kernel
// takes for a build, whoever asks for it.

#include <cstdio>
#include <cstdlib>
#include <linux/sched.h>
#include <sched.h>
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
start (char **program)
{
  clone_args arguments {};
  arguments.flags = flags ();
  arguments.exit_signal = SIGCHLD;
  long pid = ::syscall (SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0)
    {
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
  if (argc < 4)
    return 64;
  int count = std::atoi (argv[1]);
  int width = std::atoi (argv[2]);
  for (int started = 0, ended = 0; ended < count;)
    if (started < count && started - ended < width)
      {
        if (!start (argv + 3))
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
