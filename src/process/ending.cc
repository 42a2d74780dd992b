// SPDX-License-Identifier: GPL-3.0-or-later
// The processes of a user are killed by acting as that user: the kernel then
// knows whom kill (-1) reaches.
#include "process/ending.hh"

#include "base/retry.hh"
#include "base/signals.hh"
#include "process/platform.hh"

#include <charconv>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fruix {

bool
has_processes (uid_t user) noexcept
{
  errno = 0;
  return ::getpriority (PRIO_USER, user) != -1 || errno != ESRCH;
}

// The exit status is the errno.
static void
run_killer (void *argument)
{
  auto user = *static_cast<uid_t *> (argument);
  reset_signals ();
  if (auto result = set_user (user); !result)
    ::_exit (result.error ().error);
  auto killed = kill_all ();
  ::_exit (killed ? 0 : killed.error ().error);
}

outcome<void>
kill_user (uid_t user) noexcept
{
  char name[16] = "uid ";
  std::to_chars (name + 4, name + sizeof name - 1, user);
  if (user == 0)
    return failed ("kill", name, EINVAL);
  outcome<process> killer;
  {
    blocked_signals blocked;
    killer = start_process ({}, run_killer, &user);
  }
  if (!killer)
    return std::unexpected {killer.error ()};
  int status;
  auto reaped = retry ([&] { return ::waitpid (killer->id, &status, 0); });
  if (killer->descriptor >= 0)
    ::close (killer->descriptor);
  if (reaped < 0)
    return failed ("waitpid", name);
  // It may have been killed by another killer of the same user.
  if (WIFSIGNALED (status))
    return failed ("kill", name, EINTR);
  if (WEXITSTATUS (status) != 0)
    return failed ("kill", name, WEXITSTATUS (status));
  return {};
}

}
