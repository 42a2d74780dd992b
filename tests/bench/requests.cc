// SPDX-License-Identifier: GPL-3.0-or-later
// requests SOCKET COUNT AHEAD NUMBER PATH SHAPE: send the request NUMBER
// about PATH to the daemon at SOCKET, COUNT times, AHEAD requests before
// waiting for as many replies, and print how many a second were answered.
// SHAPE tells what a reply is made of: i, an integer; s, a string; l, a list
// of strings.

#include "tests/bench/program.hh"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace
{

constexpr std::uint64_t client_magic = 0x6e697863, version = 0x164,
                        last = 0x616c7473;

class connection
{
public:
  explicit connection (const char *name);

  void put (std::uint64_t value);
  void put (const std::string &text);
  void flush ();
  std::uint64_t integer ();
  void skip_string ();

private:
  void need (std::size_t size);

  int fd_;
  std::string out_, in_;
  std::size_t at_ = 0;
};

connection::connection (const char *name)
  : fd_ {::socket (AF_UNIX, SOCK_STREAM, 0)}
{
  sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::strncpy (address.sun_path, name, sizeof address.sun_path - 1);
  if (::connect (fd_, reinterpret_cast<sockaddr *> (&address),
                 sizeof address)
      < 0)
    throw std::runtime_error {"connect"};
}

void
connection::put (std::uint64_t value)
{
  out_.append (reinterpret_cast<const char *> (&value), sizeof value);
}

void
connection::put (const std::string &text)
{
  put (text.size ());
  out_ += text;
  out_.append (-text.size () % 8, '\0');
}

void
connection::flush ()
{
  if (::write (fd_, out_.data (), out_.size ()) != ssize_t (out_.size ()))
    throw std::runtime_error {"write"};
  out_.clear ();
}

// Have SIZE bytes to look at.
void
connection::need (std::size_t size)
{
  if (at_ == in_.size ())
    in_.clear (), at_ = 0;
  while (in_.size () - at_ < size)
    {
      char buffer[4096];
      ssize_t count = ::read (fd_, buffer, sizeof buffer);
      if (count <= 0)
        throw std::runtime_error {"the daemon is gone"};
      in_.append (buffer, count);
    }
}

std::uint64_t
connection::integer ()
{
  std::uint64_t value;
  need (sizeof value);
  std::memcpy (&value, in_.data () + at_, sizeof value);
  at_ += sizeof value;
  return value;
}

void
connection::skip_string ()
{
  std::size_t size = (integer () + 7) / 8 * 8;
  need (size);
  at_ += size;
}

void
expect_last (connection &daemon)
{
  if (daemon.integer () != last)
    throw std::runtime_error {"the daemon refuses"};
}

void
greet (connection &daemon)
{
  daemon.put (client_magic);
  daemon.flush ();
  daemon.integer ();
  daemon.integer ();
  for (std::uint64_t value : {version, std::uint64_t {0}, std::uint64_t {1}})
    daemon.put (value);
  daemon.flush ();
  expect_last (daemon);
}

void
skip_reply (connection &daemon, const char *shape)
{
  expect_last (daemon);
  for (; *shape; shape++)
    if (*shape == 'i')
      daemon.integer ();
    else
      for (auto left = *shape == 'l' ? daemon.integer () : 1; left; left--)
        daemon.skip_string ();
}

void
run (char **arguments)
{
  connection daemon {arguments[0]};
  int count = std::atoi (arguments[1]), ahead = std::atoi (arguments[2]);
  greet (daemon);
  auto start = std::chrono::steady_clock::now ();
  for (int done = 0; done < count; done += ahead)
    {
      for (int i = 0; i < ahead; i++)
        {
          daemon.put (std::strtoull (arguments[3], nullptr, 10));
          daemon.put (std::string {arguments[4]});
        }
      daemon.flush ();
      for (int i = 0; i < ahead; i++)
        skip_reply (daemon, arguments[5]);
    }
  std::chrono::duration<double> seconds
      = std::chrono::steady_clock::now () - start;
  std::printf ("%.1f\n", count / seconds.count ());
}

} // namespace

int
main (int argc, char **argv)
{
  return run_program (argc, argv, 6, run);
}
