// SPDX-License-Identifier: GPL-3.0-or-later
// The child may run in its parent's memory, but shares no lock with its
// threads: signals stay blocked from before its birth until it has reset them
// all, and it makes async-signal-safe calls only.  All that it has to say is
// a fault, over a pipe that exec closes.
#include "plan/spawn.hh"

#include "base/retry.hh"
#include "base/signals.hh"
#include "base/unique_fd.hh"

#include <fcntl.h>
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

// What a child needs.
struct childhood
{
  const spawn_request &request;
  char **arguments;
  char **environment;
  struct context context;
};

[[noreturn]] static void
die (const fault &fault, const context &context) noexcept
{
  // Without a reader there is nobody to tell.
  [[maybe_unused]] auto written
      = ::write (context.channel, &fault, sizeof fault);
  ::_exit (127);
}

static void
run_child (void *argument)
{
  auto &[request, arguments, environment, context]
      = *static_cast<childhood *> (argument);
  reset_signals ();
  for (auto &step : request.steps)
    if (auto result = perform (step, context); !result)
      die (result.error (), context);
  if (context.executable >= 0)
    ::fexecve (context.executable, arguments, environment);
  else
    ::execve (context.program, arguments, environment);
  die (make_fault ("execve", context.program), context);
}

// Reap PROCESS, which is about to end, and close its descriptor.
static void
bury (const process &process) noexcept
{
  [[maybe_unused]] auto reaped
      = retry ([&] { return ::waitpid (process.id, nullptr, 0); });
  unique_fd {process.descriptor};
}

// Wait at CHANNEL until the child executes its program or reports a fault.
static outcome<process>
await_exec (const process &process, int channel) noexcept
{
  fault report;
  auto length
      = retry ([&] { return ::read (channel, &report, sizeof report); });
  if (length != static_cast<ssize_t> (sizeof report))
    return process;
  bury (process);
  return std::unexpected {report};
}

outcome<process>
spawn (spawn_request &request)
{
  if (auto result = resolve (request.steps, performer::child); !result)
    return std::unexpected {result.error ()};
  auto arguments = pointers (request.arguments);
  auto environment = pointers (request.environment);
  int ends[2];
  if (::pipe2 (ends, O_CLOEXEC) < 0)
    return failed ("pipe2");
  unique_fd ours {ends[0]}, theirs {ends[1]};
  auto self = this_process ();
  if (!self)
    return self;
  unique_fd witness {self->descriptor};
  childhood childhood {request, arguments.data (), environment.data (), {}};
  unique_fd null {::open ("/dev/null", O_RDWR | O_CLOEXEC)};
  childhood.context.channel = theirs.get ();
  childhood.context.null = null.get ();
  childhood.context.parent = *self;
  childhood.context.program = request.program.c_str ();
  childhood.context.executable = request.executable;
  outcome<process> started;
  {
    blocked_signals blocked;
    started = start_process (request.birth, run_child, &childhood);
  }
  theirs.reset ();
  if (!started)
    return started;
  return await_exec (*started, ours.get ());
}

}
