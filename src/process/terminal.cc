// SPDX-License-Identifier: GPL-3.0-or-later
// What is typed may have to wait, for a program that does not read: so it is
// kept, while output goes on.  Output is written at once: a user's terminal
// that does not take it holds up the program, as always.
//
// A change of size is noticed by looking, not by SIGWINCH: that would take a
// handler, which belongs to the whole process.
#include "process/terminal.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "process/descriptors.hh"

#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

namespace fruix {

// Between two looks at the size, in milliseconds.
constexpr int interval = 250;

// More bytes than the kernel keeps for a master to read.
constexpr std::uint64_t most_unread = 1 << 20;

static outcome<unique_fd>
open_slave (int master) noexcept
{
  char name[64];
  if (::grantpt (master) < 0)
    return failed ("grantpt");
  if (::unlockpt (master) < 0)
    return failed ("unlockpt");
  if (::ptsname_r (master, name, sizeof name) != 0)
    return failed ("ptsname_r");
  unique_fd slave {::open (name, O_RDWR | O_NOCTTY | O_CLOEXEC)};
  if (!slave)
    return failed ("open", name);
  return slave;
}

outcome<std::pair<int, int>>
make_terminal (int model) noexcept
{
  struct termios mode;
  struct winsize size;
  if (::tcgetattr (model, &mode) < 0)
    return failed ("tcgetattr");
  if (::ioctl (model, TIOCGWINSZ, &size) < 0)
    return failed ("ioctl", "TIOCGWINSZ");
  unique_fd master {::posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC)};
  if (!master)
    return failed ("posix_openpt");
  auto slave = open_slave (master.get ());
  if (!slave)
    return std::unexpected {slave.error ()};
  if (::tcsetattr (slave->get (), TCSANOW, &mode) < 0)
    return failed ("tcsetattr");
  if (::ioctl (slave->get (), TIOCSWINSZ, &size) < 0)
    return failed ("ioctl", "TIOCSWINSZ");
  return std::pair {master.release (), slave->release ()};
}

struct relay
{
  int user, master;
  struct winsize size {};             // of USER, when last looked at
  std::uint8_t typed[4096] {};
  std::span<std::uint8_t> waiting {};  // those that MASTER did not take yet
  std::uint64_t shown = 0;            // number of bytes written to USER
};

static void
follow_size (relay &relay) noexcept
{
  struct winsize now;
  if (::ioctl (relay.user, TIOCGWINSZ, &now) < 0
      || std::memcmp (&now, &relay.size, sizeof now) == 0)
    return;
  relay.size = now;
  ::ioctl (relay.master, TIOCSWINSZ, &now);
}

// What the failure of CALL on a terminal means: false, that it has hung up;
// true, that it is not ready.
static outcome<bool>
judge (const char *call) noexcept
{
  if (errno == EAGAIN)
    return true;
  if (errno == EIO || errno == ENXIO)
    return false;
  return failed (call);
}

// Each of these returns false if a terminal has hung up.

static outcome<bool>
take_typed (relay &relay) noexcept
{
  auto &typed = relay.typed;
  auto length
      = retry ([&] { return ::read (relay.user, typed, sizeof typed); });
  if (length < 0)
    return judge ("read");
  relay.waiting = std::span {typed}.first (static_cast<std::size_t> (length));
  return length > 0;
}

static outcome<bool>
pass_typed (relay &relay) noexcept
{
  auto &waiting = relay.waiting;
  auto length = retry ([&]
    { return ::write (relay.master, waiting.data (), waiting.size ()); });
  if (length < 0)
    {
      auto there = judge ("write");
      if (!there || *there)
        return there;
      // Nobody reads it; but what was written may still be to come.
      waiting = {};
      return true;
    }
  waiting = waiting.subspan (static_cast<std::size_t> (length));
  return true;
}

static outcome<bool>
show (int user, std::span<const std::uint8_t> bytes) noexcept
{
  while (!bytes.empty ())
    {
      auto length = retry (
          [&] { return ::write (user, bytes.data (), bytes.size ()); });
      if (length >= 0)
        {
          bytes = bytes.subspan (static_cast<std::size_t> (length));
          continue;
        }
      if (auto there = judge ("write"); !there || !*there)
        return there;
      pollfd watched[] = {{user, POLLOUT, 0}};
      if (auto ready = poll_descriptors (watched, -1); !ready)
        return std::unexpected {ready.error ()};
    }
  return true;
}

static outcome<bool>
pass_output (relay &relay) noexcept
{
  std::uint8_t bytes[4096];
  auto length
      = retry ([&] { return ::read (relay.master, bytes, sizeof bytes); });
  if (length < 0)
    return judge ("read");
  if (length == 0)
    return false;
  auto count = static_cast<std::size_t> (length);
  relay.shown += count;
  return show (relay.user, std::span {bytes}.first (count));
}

// Show what is left of a process that has ended, and not what those that it
// has left behind go on to write.
static outcome<void>
drain (relay &relay) noexcept
{
  for (auto end = relay.shown + most_unread; relay.shown < end;)
    {
      pollfd watched[] = {{relay.master, POLLIN, 0}};
      auto ready = poll_descriptors (watched, 0);
      if (!ready)
        return std::unexpected {ready.error ()};
      if (*ready == 0)
        break;
      auto there = pass_output (relay);
      if (!there)
        return std::unexpected {there.error ()};
      if (!*there)
        break;
    }
  return {};
}

// Serve what poll found at USER and MASTER.
static outcome<bool>
serve (relay &relay, short at_user, short at_master) noexcept
{
  outcome<bool> there = true;
  if (at_user & POLLIN)
    there = take_typed (relay);
  else if (at_user != 0)
    return false;
  if (there && *there && !relay.waiting.empty ())
    there = pass_typed (relay);
  if (there && *there && (at_master & ~POLLOUT) != 0)
    there = pass_output (relay);
  return there;
}

static outcome<void>
run (relay &relay, int process) noexcept
{
  for (;;)
    {
      follow_size (relay);
      bool waiting = !relay.waiting.empty ();
      pollfd watched[] = {
        {relay.user, static_cast<short> (waiting ? 0 : POLLIN), 0},
        {relay.master,
         static_cast<short> (waiting ? POLLIN | POLLOUT : POLLIN), 0},
        {process, POLLIN, 0},
      };
      auto ready = poll_descriptors (watched, interval);
      if (!ready)
        return std::unexpected {ready.error ()};
      if (watched[2].revents != 0)
        return drain (relay);
      auto there = serve (relay, watched[0].revents, watched[1].revents);
      if (!there)
        return std::unexpected {there.error ()};
      if (!*there)
        return {};
    }
}

outcome<void>
relay_terminal (int user, int master, int process) noexcept
{
  struct termios before;
  if (::tcgetattr (user, &before) < 0)
    return failed ("tcgetattr");
  if (::fcntl (master, F_SETFL, O_NONBLOCK) < 0)
    return failed ("fcntl");
  auto raw = before;
  ::cfmakeraw (&raw);
  if (::tcsetattr (user, TCSANOW, &raw) < 0)
    return failed ("tcsetattr");
  relay relay {.user = user, .master = master};
  ::ioctl (user, TIOCGWINSZ, &relay.size);
  auto result = run (relay, process);
  // A terminal that has hung up has no mode.
  ::tcsetattr (user, TCSANOW, &before);
  return result;
}

}
