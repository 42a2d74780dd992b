// SPDX-License-Identifier: GPL-3.0-or-later
// What no namespace separates: keyrings, and, while the network is shared,
// the abstract names of local sockets.
#include "linux/steps.hh"

#include "base/unique_fd.hh"

#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix::plan {

// ("new-keyring"): a session keyring of its own, which nobody else can find
// or join.
outcome<void>
join_new_keyring (const step &, context &) noexcept
{
  // Where there are no keyrings, none is shared.
  if (::syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0
      && errno != ENOSYS)
    return failed ("keyctl");
  return {};
}

// What landlock (7) has gained with its version 6, in Linux 6.12.
struct ruleset
{
  std::uint64_t handled_access_fs, handled_access_net, scoped;
};
constexpr std::uint64_t scope_abstract_sockets = 1 << 0;

// ("abstract-sockets"): reach no abstract socket but those of this process and
// its children.
outcome<void>
scope_abstract_names (const step &, context &) noexcept
{
  ruleset rules {0, 0, scope_abstract_sockets};
  unique_fd fd {static_cast<int> (
      ::syscall (SYS_landlock_create_ruleset, &rules, sizeof rules, 0))};
  if (!fd)
    return failed ("landlock", "create_ruleset");
  if (::syscall (SYS_landlock_restrict_self, fd.get (), 0) < 0)
    return failed ("landlock", "restrict_self");
  return {};
}

}
