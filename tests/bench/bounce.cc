// SPDX-License-Identifier: GPL-3.0-or-later
// bounce COUNT REQUEST REPLY: let two processes exchange REQUEST bytes for
// REPLY bytes over a socket COUNT times, and print how often a second that
// was.  It is what the system takes for a request, whatever is done about it.

#include "tests/bench/program.hh"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace
{

void
send_all (int fd, const std::string &bytes)
{
  if (::write (fd, bytes.data (), bytes.size ()) != ssize_t (bytes.size ()))
    throw std::runtime_error {"write"};
}

// Fill BYTES from FD; return false where it ends.
bool
receive_all (int fd, std::string &bytes)
{
  for (std::size_t size = 0; size < bytes.size ();)
    {
      ssize_t count = ::read (fd, bytes.data () + size, bytes.size () - size);
      if (count <= 0)
        return false;
      size += count;
    }
  return true;
}

void
run (int count, std::size_t request_size, std::size_t reply_size)
{
  std::string request (request_size, '\0'), reply (reply_size, '\0');
  int ends[2];
  if (::socketpair (AF_UNIX, SOCK_STREAM, 0, ends) < 0)
    throw std::runtime_error {"socketpair"};
  pid_t child = ::fork ();
  if (child < 0)
    throw std::runtime_error {"fork"};
  ::close (ends[child == 0 ? 0 : 1]);
  if (child == 0)
    {
      while (receive_all (ends[1], request))
        send_all (ends[1], reply);
      return;
    }
  auto start = std::chrono::steady_clock::now ();
  for (int i = 0; i < count; i++)
    {
      send_all (ends[0], request);
      if (!receive_all (ends[0], reply))
        throw std::runtime_error {"the other process is gone"};
    }
  std::chrono::duration<double> seconds
      = std::chrono::steady_clock::now () - start;
  std::printf ("%.1f\n", count / seconds.count ());
}

} // namespace

int
main (int argc, char **argv)
{
  return run_program (argc, argv, 3, [] (char **arguments)
    {
      run (std::atoi (arguments[0]), std::atoi (arguments[1]),
           std::atoi (arguments[2]));
    });
}
