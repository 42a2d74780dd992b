// SPDX-License-Identifier: GPL-3.0-or-later
// The steps that every system has.
#include "base/retry.hh"
#include "plan/step.hh"
#include "process/platform.hh"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix::plan {

// Open /dev/null if SOURCE is -1; place the copy above the descriptors that
// are being assigned, so that no assignment overwrites another's source.
static int
lift (int source, int count) noexcept
{
  if (source >= 0)
    return ::fcntl (source, F_DUPFD_CLOEXEC, count);
  int null = ::open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0)
    return -1;
  int lifted = ::fcntl (null, F_DUPFD_CLOEXEC, count);
  ::close (null);
  return lifted;
}

// ("descriptors" SOURCE...): descriptor N becomes the Nth SOURCE, or
// /dev/null for -1; all others are closed.
static outcome<void>
assign_descriptors (const step &step, child &child) noexcept
{
  constexpr int limit = 64;
  int lifted[limit], count = static_cast<int> (step.numbers.size ());
  if (count > limit)
    return failed ("dup2", "too many descriptors", EINVAL);
  for (int i = 0; i < count; i++)
    if ((lifted[i] = lift (static_cast<int> (step.numbers[i]), count)) < 0)
      return failed ("dup2", step.numbers[i] < 0 ? "/dev/null" : "");
  int channel = ::fcntl (child.channel, F_DUPFD_CLOEXEC, count);
  if (channel < 0)
    return failed ("dup2");
  for (int i = 0; i < count; i++)
    if (::dup2 (lifted[i], i) < 0)
      return failed ("dup2");
  if (channel != count)
    {
      // Whatever is at COUNT has been copied.
      if (::dup2 (channel, count) < 0
          || ::fcntl (count, F_SETFD, FD_CLOEXEC) < 0)
        return failed ("dup2");
    }
  child.channel = count;
  if (::close_range (count + 1, ~0U, 0) < 0)
    return failed ("close_range");
  return {};
}

// ("session"): a session of its own, without a terminal.
static outcome<void>
start_session (const step &, child &) noexcept
{
  if (::setsid () < 0)
    return failed ("setsid");
  return {};
}

// ("umask" MASK)
static outcome<void>
set_umask (const step &step, child &) noexcept
{
  ::umask (static_cast<mode_t> (step.numbers[0]));
  return {};
}

// ("chdir" DIRECTORY)
static outcome<void>
change_directory (const step &step, child &) noexcept
{
  if (::chdir (step.text (0)) < 0)
    return failed ("chdir", step.text (0));
  return {};
}

static int
resource (std::string_view name) noexcept
{
  static constexpr struct
  {
    std::string_view name;
    int resource;
  } table[] = {
    {"address-space", RLIMIT_AS}, {"core", RLIMIT_CORE},
    {"cpu", RLIMIT_CPU},          {"data", RLIMIT_DATA},
    {"file-size", RLIMIT_FSIZE},  {"open-files", RLIMIT_NOFILE},
    {"processes", RLIMIT_NPROC},  {"stack", RLIMIT_STACK},
  };
  for (auto &row : table)
    if (row.name == name)
      return row.resource;
  return -1;
}

// ("limit" RESOURCE SOFT HARD); -1 is no limit.
static outcome<void>
set_limit (const step &step, child &) noexcept
{
  auto value = [&] (int i)
    {
      return step.numbers[i] < 0 ? RLIM_INFINITY
                                 : static_cast<rlim_t> (step.numbers[i]);
    };
  int which = resource (step.texts[0]);
  if (which < 0)
    return failed ("setrlimit", step.text (0), EINVAL);
  struct rlimit limit = {value (0), value (1)};
  if (::setrlimit (static_cast<decltype (RLIMIT_CORE)> (which), &limit) < 0)
    return failed ("setrlimit", step.text (0));
  return {};
}

// ("credentials" UID GID GROUP...): give up all other identities for good.
static outcome<void>
drop_credentials (const step &step, child &) noexcept
{
  return set_credentials (step.numbers);
}

// ("no-new-privileges"): set-id bits have no effect from now on.
static outcome<void>
refuse_privileges (const step &, child &) noexcept
{
  return set_no_new_privileges ();
}

// ("death-signal" SIGNAL): receive SIGNAL when the thread that made this
// process ends.  Last of all, since a change of credentials would disarm it;
// then make sure that the thread had not ended before.
static outcome<void>
arm_death_signal (const step &step, child &child) noexcept
{
  auto armed = set_death_signal (static_cast<int> (step.numbers[0]));
  if (!armed)
    return armed;
  return await_parent (child);
}

outcome<void>
await_parent (child &child) noexcept
{
  fault ready {};
  char answer;
  if (::send (child.channel, &ready, sizeof ready, MSG_NOSIGNAL)
          != sizeof ready
      || retry ([&] { return ::recv (child.channel, &answer, 1, 0); }) != 1)
    ::_exit (127);
  return {};
}

static constexpr step_kind table[] = {
  {"descriptors", "i*", assign_descriptors},
  {"session", "", start_session},
  {"umask", "i", set_umask},
  {"chdir", "s", change_directory},
  {"limit", "sii", set_limit},
  {"credentials", "iii*", drop_credentials},
  {"no-new-privileges", "", refuse_privileges},
  {"death-signal", "i", arm_death_signal},
};

std::span<const step_kind>
shared_steps () noexcept
{
  return table;
}

}
