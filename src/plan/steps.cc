// SPDX-License-Identifier: GPL-3.0-or-later
// The steps that every system has.
#include "plan/step.hh"
#include "process/platform.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix::plan {

constexpr int null = -1, closed = -2;

// Copy source I of STEP to FIRST or above.
static outcome<int>
lift (const step &step, int i, int first, const context &context) noexcept
{
  auto source = step.numbers[i];
  int copy = ::fcntl (source == null ? context.null : step.number (i),
                      F_DUPFD_CLOEXEC, first);
  if (copy >= 0)
    return copy;
  char name[24] = "/dev/null";
  if (source != null)
    *std::to_chars (name, name + sizeof name - 1, source).ptr = '\0';
  return failed ("fcntl", name);
}

// The descriptors that this process itself needs until it executes its
// program, or -1.
static std::array<int *, 4>
own_descriptors (context &context) noexcept
{
  return {&context.channel, &context.null, &context.parent.descriptor,
          &context.executable};
}

// Move them out of the way, to FIRST or above.
static bool
raise_own (context &context, int first) noexcept
{
  for (int *fd : own_descriptors (context))
    if (*fd >= 0 && (*fd = ::fcntl (*fd, F_DUPFD_CLOEXEC, first)) < 0)
      return false;
  return true;
}

// Move them to NEXT and the descriptors after it; leave NEXT behind them.
static bool
lower_own (context &context, int &next) noexcept
{
  for (int *fd : own_descriptors (context))
    if (*fd >= 0)
      {
        if (::dup3 (*fd, next, O_CLOEXEC) < 0)
          return false;
        *fd = next++;
      }
  return true;
}

// ("descriptors" SOURCE...): descriptor N becomes the Nth SOURCE, or
// /dev/null for -1, or stays closed for -2; all others are closed.
static outcome<void>
assign_descriptors (const step &step, context &context) noexcept
{
  constexpr int limit = 256;
  if (step.numbers.size () > limit)
    return failed ("dup2", "too many descriptors", EINVAL);
  int lifted[limit], count = static_cast<int> (step.numbers.size ());
  // Copy everything to where no assignment overwrites another's source.
  int last = count + static_cast<int> (own_descriptors (context).size ());
  if (!raise_own (context, last))
    return failed ("fcntl");
  for (int i = 0; i < count; i++)
    if (step.numbers[i] == closed)
      lifted[i] = closed;
    else if (auto copy = lift (step, i, count, context))
      lifted[i] = *copy;
    else
      return std::unexpected {copy.error ()};
  for (int i = 0; i < count; i++)
    if (lifted[i] == closed)
      ::close (i);
    else if (::dup2 (lifted[i], i) < 0)
      return failed ("dup2");
  if (!lower_own (context, count))
    return failed ("dup3");
  return close_from (count);
}

// ("session"): a session of its own, without a terminal.
static outcome<void>
start_session (const step &, context &) noexcept
{
  if (::setsid () < 0)
    return failed ("setsid");
  return {};
}

// ("terminal"): the terminal that is descriptor 0 controls this session.
static outcome<void>
take_terminal (const step &, context &) noexcept
{
  if (::ioctl (0, TIOCSCTTY, 0) < 0)
    return failed ("ioctl", "TIOCSCTTY");
  return {};
}

// ("process-group"): a process group of its own, in the same session.
static outcome<void>
start_process_group (const step &, context &) noexcept
{
  if (::setpgid (0, 0) < 0)
    return failed ("setpgid");
  return {};
}

// ("umask" MASK)
static outcome<void>
set_umask (const step &step, context &) noexcept
{
  ::umask (static_cast<mode_t> (step.numbers[0]));
  return {};
}

// ("chdir" DIRECTORY)
static outcome<void>
change_directory (const step &step, context &) noexcept
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

// ("limit" RESOURCE VALUE)
static outcome<void>
set_limit (const step &step, context &) noexcept
{
  int which = resource (step.texts[0]);
  if (which < 0 || step.numbers[0] < 0)
    return failed ("setrlimit", step.text (0), EINVAL);
  auto value = static_cast<rlim_t> (step.numbers[0]);
  struct rlimit limit = {value, value};
  if (::setrlimit (static_cast<decltype (RLIMIT_CORE)> (which), &limit) < 0)
    return failed ("setrlimit", step.text (0));
  return {};
}

// ("soft-limit" RESOURCE VALUE): that is enough at first; it can be raised
// again.
static outcome<void>
set_soft_limit (const step &step, context &) noexcept
{
  auto which = static_cast<decltype (RLIMIT_CORE)> (resource (step.texts[0]));
  struct rlimit limit;
  if (::getrlimit (which, &limit) < 0)
    return failed ("getrlimit", step.text (0));
  limit.rlim_cur = std::min (limit.rlim_cur,
                             static_cast<rlim_t> (step.numbers[0]));
  if (::setrlimit (which, &limit) < 0)
    return failed ("setrlimit", step.text (0));
  return {};
}

// ("credentials" UID GID GROUP...): give up all other identities for good.
static outcome<void>
drop_credentials (const step &step, context &) noexcept
{
  return set_credentials (step.numbers);
}

// ("no-new-privileges"): set-id bits have no effect from now on.
static outcome<void>
refuse_privileges (const step &, context &) noexcept
{
  return set_no_new_privileges ();
}

// ("death-signal" SIGNAL): see set_death_signal.  Last of all, since a change
// of credentials would disarm it; then make sure that the parent had not
// ended before.
static outcome<void>
arm_death_signal (const step &step, context &context) noexcept
{
  auto armed = set_death_signal (step.number (0));
  if (armed && !parent_lives (context.parent))
    ::_exit (127);
  return armed;
}

static constexpr step_kind table[] = {
  {"descriptors", "i*", performer::child, assign_descriptors},
  {"session", "", performer::child, start_session},
  {"umask", "i", performer::child, set_umask},
  {"chdir", "s", performer::child, change_directory},
  {"limit", "si", performer::child, set_limit},
  {"soft-limit", "si", performer::child, set_soft_limit},
  {"credentials", "iii*", performer::child, drop_credentials},
  {"no-new-privileges", "", performer::child, refuse_privileges},
  {"death-signal", "i", performer::child, arm_death_signal},
  {"terminal", "", performer::child, take_terminal},
  {"process-group", "", performer::child, start_process_group},
};

std::span<const step_kind>
shared_steps () noexcept
{
  return table;
}

}
