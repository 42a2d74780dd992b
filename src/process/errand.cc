// SPDX-License-Identifier: GPL-3.0-or-later
#include "process/errand.hh"

#include "base/retry.hh"
#include "base/signals.hh"
#include "base/unique_fd.hh"
#include "process/descriptors.hh"
#include "process/platform.hh"

#include <sys/wait.h>
#include <unistd.h>

namespace fruix {

struct child_errand
{
  errand body;
  const void *argument;
  int channel;
};

// All other descriptors go first: with a directory among them, for one, no
// jail can be entered.
static void
run_errand (void *argument)
{
  constexpr int own_channel = 0;
  auto [body, subject, channel] = *static_cast<child_errand *> (argument);
  reset_signals ();
  if (::dup2 (channel, own_channel) < 0)
    ::_exit (1);
  auto result = close_from (own_channel + 1);
  if (result)
    result = body (subject);
  if (result)
    ::_exit (0);
  [[maybe_unused]] auto written
      = ::write (own_channel, &result.error (), sizeof (fault));
  ::_exit (1);
}

// What CHILD says over CHANNEL and how it ends.
static outcome<void>
await_report (process child, int channel) noexcept
{
  unique_fd descriptor {child.descriptor};
  fault report;
  auto length
      = retry ([&] { return ::read (channel, &report, sizeof report); });
  int status;
  if (retry ([&] { return ::waitpid (child.id, &status, 0); }) < 0)
    return failed ("waitpid");
  if (length == static_cast<ssize_t> (sizeof report))
    return std::unexpected {report};
  if (status != 0)
    return failed ("waitpid", "the child was killed", EINTR);
  return {};
}

outcome<void>
run_in_child (errand body, const void *argument) noexcept
{
  auto pipe = make_pipe ();
  if (!pipe)
    return std::unexpected {pipe.error ()};
  unique_fd ours {pipe->first}, theirs {pipe->second};
  child_errand errand {body, argument, theirs.get ()};
  outcome<process> child;
  {
    blocked_signals blocked;
    child = start_process ({}, run_errand, &errand);
  }
  if (!child)
    return std::unexpected {child.error ()};
  theirs.reset ();
  return await_report (*child, ours.get ());
}

}
