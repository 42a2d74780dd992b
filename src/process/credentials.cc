// SPDX-License-Identifier: GPL-3.0-or-later
#include "process/credentials.hh"

#include <algorithm>
#include <limits>
#include <unistd.h>

namespace fruix {

// With the group itself.
constexpr std::size_t group_limit = 64;

// The last number means "no change" to the calls.
static bool
is_id (std::int64_t number) noexcept
{
  return number >= 0 && number < std::numeric_limits<uid_t>::max ();
}

static bool
holds_ids (uid_t user, gid_t group) noexcept
{
  uid_t u[3];
  gid_t g[3];
  return ::getresuid (&u[0], &u[1], &u[2]) == 0
         && ::getresgid (&g[0], &g[1], &g[2]) == 0 && u[0] == user
         && u[1] == user && u[2] == user && g[0] == group && g[1] == group
         && g[2] == group;
}

static bool
includes (std::span<const gid_t> all, std::span<const gid_t> some) noexcept
{
  return std::ranges::all_of (some, [=] (gid_t group) {
    return std::ranges::find (all, group) != all.end ();
  });
}

// In whatever order, as kernels sort them.
static bool
holds_groups (std::span<const gid_t> groups) noexcept
{
  gid_t held[group_limit];
  int count = ::getgroups (group_limit, held);
  if (count < 0)
    return false;
  std::span<const gid_t> list {held, static_cast<std::size_t> (count)};
  return includes (groups, list) && includes (list, groups);
}

outcome<void>
become (std::span<const std::int64_t> ids,
        const credential_calls &calls) noexcept
{
  if (!std::ranges::all_of (ids, is_id))
    return failed ("setresuid", "not an ID", EINVAL);
  auto user = static_cast<uid_t> (ids[0]);
  auto group = static_cast<gid_t> (ids[1]);
  if (user == 0)
    return failed ("setresuid", "user 0", EINVAL);
  if (ids.size () - 1 > group_limit)
    return failed ("setgroups", "too many groups", EINVAL);
  auto listed = ids.subspan (calls.group_is_listed ? 1 : 2);
  gid_t buffer[group_limit];
  std::ranges::transform (listed, buffer, [] (std::int64_t id) {
    return static_cast<gid_t> (id);
  });
  std::span<const gid_t> groups {buffer, listed.size ()};
  if (calls.setgroups (groups) < 0)
    return failed ("setgroups");
  if (calls.setresgid (group, group, group) < 0)
    return failed ("setresgid");
  if (calls.setresuid (user, user, user) < 0)
    return failed ("setresuid");
  if (!holds_ids (user, group) || !holds_groups (groups)
      || calls.setresuid (0, 0, 0) == 0)
    return failed ("setresuid", "credentials regained", EPERM);
  return {};
}

// The effective user may signal, the others are signalled.  They become one
// whom no system gives out, and another for each USER, as whoever has the same
// is signalled, too; but not where a user namespace has no such users.
outcome<void>
act_as (uid_t user, int (*setresuid) (uid_t, uid_t, uid_t)) noexcept
{
  uid_t nobody = user | uid_t {1} << 31;
  if (!is_id (nobody) || setresuid (nobody, user, nobody) < 0)
    if (setresuid (user, user, user) < 0)
      return failed ("setresuid");
  return {};
}

}
