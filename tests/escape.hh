// SPDX-License-Identifier: GPL-3.0-or-later
// How attempts are reported: "ATTEMPT: RESULT" a line, RESULT being "done" or
// the name of an errno.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

inline void
report (const std::string &what, const char *result)
{
  std::printf ("%s: %s\n", what.c_str (), result);
  std::fflush (stdout);
}

inline void
attempt (const std::string &what, long result)
{
  report (what, result < 0 ? strerrorname_np (errno) : "done");
}

// Call BODY, which returns a negative number and sets errno on failure, in a
// process of its own, since it changes what that is; return the same.
template <class Body>
long
in_child (Body body)
{
  pid_t child = ::fork ();
  if (child == 0)
    ::_exit (body () < 0 ? errno : 0);
  int status = 0;
  if (::waitpid (child, &status, 0) < 0)
    return -1;
  errno = WIFEXITED (status) ? WEXITSTATUS (status) : EFAULT;
  return errno == 0 ? 0 : -1;
}

// escape-files.cc: ways to get a file with set-ID bits.
void attempt_set_ids ();

// escape-sockets.cc: sockets of all families.
void attempt_sockets ();

// escape-kernel.cc: parts of the kernel that no build needs.
void attempt_namespaces ();
void attempt_privileges ();

// escape-x86.cc: the same by other doors, on that machine.
void attempt_other_machines ();

// escape-work.cc: what must still be possible.
void attempt_work ();
