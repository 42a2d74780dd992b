// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/teardown.hh"

#include "freebsd/jail.hh"
#include "freebsd/mount.hh"
#include "freebsd/sysctl.hh"

#include <algorithm>
#include <chrono>
#include <thread>

namespace fruix {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds first_pause = 1ms;
constexpr milliseconds longest_pause = 100ms;
constexpr milliseconds patience_with_jail = 1s;
constexpr milliseconds patience_with_processes = 10s;
constexpr milliseconds patience_with_mount = 1s;

// Call ATTEMPT, with pauses that grow, until it returns true or PATIENCE is
// over; return its last answer.
template <class Attempt>
static bool
insist (milliseconds patience, Attempt &&attempt)
{
  auto end = steady_clock::now () + patience;
  for (auto pause = first_pause; !attempt ();
       pause = std::min (2 * pause, longest_pause))
    {
      if (steady_clock::now () >= end)
        return false;
      std::this_thread::sleep_for (pause);
    }
  return true;
}

// Zombies do nothing any more.
static outcome<bool>
has_processes (int id)
{
  auto processes = all_processes ();
  if (!processes)
    return std::unexpected {processes.error ()};
  return std::ranges::any_of (*processes, [=] (const kinfo_proc &process)
    { return process.ki_jid == id && process.ki_stat != SZOMB; });
}

// Whether the jail ID is gone for good.  Removing one that is dying kills
// what has been forked meanwhile.
static outcome<bool>
remove_again (int id) noexcept
{
  auto removed = remove_jail (id);
  if (removed)
    return false;
  if (removed.error ().error == EINVAL)
    return true;
  return std::unexpected {removed.error ()};
}

outcome<bool>
tear_down_jail (int id)
{
  outcome<bool> gone = false, used = true;
  auto remove = [&]
    {
      gone = remove_again (id);
      return !gone || *gone;
    };
  if (insist (patience_with_jail, remove))
    return gone;
  auto empty = [&]
    {
      used = has_processes (id);
      return remove () || !used || !*used;
    };
  if (insist (patience_with_processes, empty))
    return used ? gone : used;
  return failed ("jail_remove", jail_label (id).data (), EBUSY);
}

outcome<void>
tear_down_mount (std::uint64_t number) noexcept
{
  outcome<void> result;
  auto attempt = [&]
    {
      result = unmount_filesystem (number, false);
      return result || result.error ().error != EBUSY;
    };
  if (!insist (patience_with_mount, attempt))
    result = unmount_filesystem (number, true);
  if (!result && result.error ().error == ENOENT)
    return {};
  return result;
}

}
