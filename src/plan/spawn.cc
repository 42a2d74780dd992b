// SPDX-License-Identifier: GPL-3.0-or-later
// The child shares no lock, no heap and no handler with its parent's threads:
// signals stay blocked from before the fork until it has reset them all, and
// it makes async-signal-safe calls only.  What it has to say goes over a
// socket that exec closes: a fault, after which it is gone, or "ready" (a
// fault without error), which the parent answers.
#include "plan/spawn.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "process/signals.hh"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fruix::plan {

static std::vector<char *>
pointers (std::vector<std::string> &texts)
{
  std::vector<char *> result;
  result.reserve (texts.size () + 1);
  for (auto &text : texts)
    result.push_back (text.data ());
  result.push_back (nullptr);
  return result;
}

[[noreturn]] static void
die (const fault &fault, const child &child) noexcept
{
  // Without a reader there is nobody to tell.
  [[maybe_unused]] auto sent
      = ::send (child.channel, &fault, sizeof fault, MSG_NOSIGNAL);
  ::_exit (127);
}

[[noreturn]] static void
run_child (const spawn_request &request, char **arguments,
           char **environment, child &child) noexcept
{
  reset_signals ();
  for (auto &step : request.steps)
    if (auto result = perform (step, child); !result)
      die (result.error (), child);
  ::execve (child.program, arguments, environment);
  die (make_fault ("execve", child.program), child);
}

// Reap PROCESS, which is about to end, and close its descriptor.
static void
bury (const process &process) noexcept
{
  [[maybe_unused]] auto reaped
      = retry ([&] { return ::waitpid (process.id, nullptr, 0); });
  unique_fd {process.descriptor};
}

// Serve CHANNEL until the child executes its program or reports a fault.
static outcome<process>
await_exec (const process &process, int channel) noexcept
{
  for (;;)
    {
      fault report;
      auto receive = [&]
        { return ::recv (channel, &report, sizeof report, MSG_WAITALL); };
      auto length = retry (receive);
      if (length != static_cast<ssize_t> (sizeof report))
        return process;
      if (report.error != 0)
        {
          bury (process);
          return std::unexpected {report};
        }
      [[maybe_unused]] auto answered
          = ::send (channel, "", 1, MSG_NOSIGNAL);
    }
}

outcome<process>
spawn (spawn_request &request)
{
  if (auto result = plan::resolve (request.steps); !result)
    return std::unexpected {result.error ()};
  auto arguments = pointers (request.arguments);
  auto environment = pointers (request.environment);
  int ends[2];
  if (::socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return failed ("socketpair");
  unique_fd ours {ends[0]}, theirs {ends[1]};
  child child {.channel = theirs.get (),
                     .program = request.program.c_str ()};
  outcome<process> started;
  {
    blocked_signals blocked;
    started = fork_process (request.namespaces);
    if (started && started->id == 0)
      run_child (request, arguments.data (), environment.data (), child);
  }
  if (!started)
    return started;
  theirs.reset ();
  return await_exec (*started, ours.get ());
}

}
