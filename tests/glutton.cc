// SPDX-License-Identifier: GPL-3.0-or-later
// What a greedy program gets: glutton MEGABYTES PROCESSES.  It takes so much
// memory, starts so many processes that stay as long as it does, and tells
// what it got and why it got no more.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool
take_megabyte ()
{
  constexpr std::size_t size = 1 << 20;
  void *memory = ::mmap (nullptr, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return false;
  std::memset (memory, 1, size);
  return true;
}

static bool
start_process ()
{
  pid_t id = ::fork ();
  if (id == 0)
    {
      ::prctl (PR_SET_PDEATHSIG, SIGKILL);
      ::pause ();
      ::_exit (0);
    }
  return id > 0;
}

// Call TAKE at most WANTED times, until it fails.
static void
take (const char *what, int wanted, bool (*take) ())
{
  int count = 0;
  errno = 0;
  while (count < wanted && take ())
    count++;
  std::printf ("%s: %d %s\n", what, count,
               count < wanted ? strerrorname_np (errno) : "all");
  std::fflush (stdout);
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    return 2;
  take ("megabytes", std::atoi (argv[1]), take_megabyte);
  take ("processes", std::atoi (argv[2]), start_process);
}
