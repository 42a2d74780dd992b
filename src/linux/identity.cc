// SPDX-License-Identifier: GPL-3.0-or-later
// Users, capabilities and who owns the mounts.
#include "linux/control.hh"
#include "linux/id_maps.hh"
#include "linux/steps.hh"

#include <cstring>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix::plan {

// In the outer namespace: map the groups ARGUMENT of CALLER.
static void
map_groups (const char *caller, void *argument) noexcept
{
  char name[64] = "/proc/";
  std::strcat (std::strcat (name, caller), "/gid_map");
  // Who called looks at what has come of it.
  [[maybe_unused]] auto written
      = write_control (name, *static_cast<const std::string *> (argument));
}

// ("lock-mounts" UIDS GIDS GROUPS...): move to one more user namespace with
// these maps, and a mount namespace, where mounts of the outer one can be
// neither removed nor remounted.  GROUPS are GIDS and more, if there can be.
outcome<void>
lock_mounts (const step &step, context &) noexcept
{
  attendant mapper;
  if (step.texts.size () > 2)
    {
      auto groups = const_cast<std::string *> (&step.texts[2]);
      if (auto result = mapper.start (map_groups, groups); !result)
        return result;
    }
  if (::unshare (CLONE_NEWUSER | CLONE_NEWNS) < 0)
    return failed ("unshare");
  return map_ids (step.texts[0], step.texts[1], mapper);
}

// Who may not drop the bounding set needs not, once programs that it executes
// give it nothing.  See PR_SET_NO_NEW_PRIVS in prctl (2).
static bool
cannot_gain_privileges () noexcept
{
  return errno == EPERM && ::prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

// ("drop-capabilities"): all that could outlast exec: the ambient and the
// inheritable set, and the bounding set.
outcome<void>
drop_capabilities (const step &, context &) noexcept
{
  if (auto withheld = withhold_privileges (); !withheld)
    return withheld;
  int capability = 0;
  while (::prctl (PR_CAPBSET_DROP, capability) == 0)
    capability++;
  // Thus it says that there are no more.
  if (errno != EINVAL && !cannot_gain_privileges ())
    return failed ("prctl", "PR_CAPBSET_DROP");
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  if (::syscall (SYS_capget, &header, sets) < 0)
    return failed ("capget");
  for (auto &set : sets)
    set.inheritable = 0;
  if (::syscall (SYS_capset, &header, sets) < 0)
    return failed ("capset");
  return {};
}

}
