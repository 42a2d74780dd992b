// SPDX-License-Identifier: GPL-3.0-or-later
// A job that says what it may do after it has become its user, then holds for
// some seconds: job HOST-FILE SECONDS.  Portable, and statically linked.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
attempt (const char *what, int result)
{
  std::printf ("%s: %s\n", what, result < 0 ? std::strerror (errno) : "done");
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    return 2;
  std::printf ("user: %d %d\n", static_cast<int> (::getuid ()),
               static_cast<int> (::geteuid ()));
  std::printf ("group: %d %d\n", static_cast<int> (::getgid ()),
               static_cast<int> (::getegid ()));
  attempt ("become root", ::setuid (0));
  attempt ("read own file", ::open ("/own/input", O_RDONLY));
  attempt ("write output",
           ::open ("/own/output", O_WRONLY | O_CREAT | O_EXCL, 0600));
  struct stat stat {};
  ::stat ("/own/output", &stat);
  std::printf ("output: %d %d %o\n", static_cast<int> (stat.st_uid),
               static_cast<int> (stat.st_gid),
               static_cast<unsigned> (stat.st_mode) & 07777);
  attempt ("read the peer's file", ::open ("/peer/input", O_RDONLY));
  attempt ("see a file of the host", ::open (argv[1], O_RDONLY));
  attempt ("write where root may",
           ::open ("/protected/new", O_WRONLY | O_CREAT, 0600));
  attempt ("give output to root", ::chown ("/own/output", 0, 0));
  std::fflush (stdout);
  ::sleep (static_cast<unsigned> (std::atoi (argv[2])));
}
