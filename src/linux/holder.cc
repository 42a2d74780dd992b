// SPDX-License-Identifier: GPL-3.0-or-later
// fruix-holder: the first process of a sandbox that stays open.  It does
// nothing until its input, a socket, is closed at the other end; with it all
// processes of its PID namespace end.
//
// It is a program of its own, so that those who share its namespaces find
// nothing of the daemon's memory in it, and undumpable, so that they find
// nothing at all: not even the file that it was executed from.
#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

int
main ()
{
  if (::prctl (PR_SET_DUMPABLE, 0) < 0)
    return 1;
  // Orphans become its children: let the kernel reap them.
  std::signal (SIGCHLD, SIG_IGN);
  if (::write (0, "", 1) != 1)
    return 1;
  char byte;
  ssize_t length;
  do
    length = ::read (0, &byte, 1);
  while (length > 0 || (length < 0 && errno == EINTR));
}
