// SPDX-License-Identifier: GPL-3.0-or-later
// The floor under the time of a trivial sandboxed run on Linux: clone with
// the same namespaces, exec of a static program, wait; nothing else.
//
// Usage: floor COUNT PROGRAM
// Prints the microseconds that one run takes.  Without privileges there is a
// user namespace, too.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
run (unsigned long long namespaces, char *program)
{
  struct clone_args arguments {};
  arguments.flags = namespaces;
  arguments.exit_signal = SIGCHLD;
  long child = ::syscall (SYS_clone3, &arguments, sizeof arguments);
  if (child == 0)
    {
      char *argv[] = {program, nullptr}, *none = nullptr;
      ::execve (program, argv, &none);
      ::_exit (127);
    }
  int status;
  return child > 0 && ::waitpid (static_cast<pid_t> (child), &status, 0) > 0
         && WIFEXITED (status) && WEXITSTATUS (status) != 127;
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    return 2;
  auto namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC
                    | CLONE_NEWUTS
                    | (::geteuid () == 0 ? 0 : CLONE_NEWUSER);
  int count = std::atoi (argv[1]);
  auto start = std::chrono::steady_clock::now ();
  for (int i = 0; i < count; i++)
    if (!run (static_cast<unsigned> (namespaces), argv[2]))
      {
        std::perror (argv[2]);
        return 1;
      }
  std::chrono::duration<double, std::micro> time
      = std::chrono::steady_clock::now () - start;
  std::printf ("%.0f\n", time.count () / count);
}
