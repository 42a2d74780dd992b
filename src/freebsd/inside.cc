// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/inside.hh"

#include "base/retry.hh"
#include "base/signals.hh"
#include "base/unique_fd.hh"
#include "freebsd/jail.hh"
#include "process/descriptors.hh"
#include "process/platform.hh"

#include <sys/wait.h>
#include <unistd.h>

namespace fruix {

struct visit
{
  int id;
  outcome<void> (*body) () noexcept;
  int channel;
};

static outcome<void>
attach_and_call (int id, outcome<void> (*body) () noexcept) noexcept
{
  if (auto result = attach_jail (id); !result)
    return result;
  return body ();
}

// Say over CHANNEL what went wrong.  All other descriptors go first: with a
// directory among them the process would not be let in.
static void
run_inside (void *argument)
{
  constexpr int own_channel = 0;
  auto &visit = *static_cast<struct visit *> (argument);
  reset_signals ();
  if (::dup2 (visit.channel, own_channel) < 0)
    ::_exit (1);
  ::closefrom (own_channel + 1);
  auto result = attach_and_call (visit.id, visit.body);
  if (result)
    ::_exit (0);
  [[maybe_unused]] auto written
      = ::write (own_channel, &result.error (), sizeof (fault));
  ::_exit (1);
}

// What PROCESS said over CHANNEL and how it ended.
static outcome<void>
await_report (process process, int channel) noexcept
{
  unique_fd descriptor {process.descriptor};
  fault report;
  auto length = retry (
      [&] { return ::read (channel, &report, sizeof report); });
  int status;
  if (retry ([&] { return ::waitpid (process.id, &status, 0); }) < 0)
    return failed ("waitpid");
  if (length == sizeof report)
    return std::unexpected {report};
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    return failed ("process in a jail", "killed", EINTR);
  return {};
}

outcome<void>
call_in_jail (int id, outcome<void> (*body) () noexcept)
{
  auto ends = make_pipe ();
  if (!ends)
    return std::unexpected {ends.error ()};
  unique_fd ours {ends->first}, theirs {ends->second};
  visit visit {id, body, theirs.get ()};
  outcome<process> started;
  {
    blocked_signals blocked;
    started = start_process ({}, run_inside, &visit);
  }
  if (!started)
    return std::unexpected {started.error ()};
  theirs.reset ();
  return await_report (*started, ours.get ());
}

}
