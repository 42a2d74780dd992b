// SPDX-License-Identifier: GPL-3.0-or-later
// Users, capabilities and who owns the mounts.
#include "linux/steps.hh"

#include "base/unique_fd.hh"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix::plan {

static outcome<void>
write_file (const char *name, std::string_view text) noexcept
{
  unique_fd fd {::open (name, O_WRONLY | O_CLOEXEC)};
  if (!fd)
    return failed ("open", name);
  if (::write (fd.get (), text.data (), text.size ())
      != static_cast<ssize_t> (text.size ()))
    return failed ("write", name);
  return {};
}

// Write the maps of the user and of the group, each one line: one's own ID,
// which needs no privilege as long as groups can no longer be dropped.  See
// user_namespaces (7).
static outcome<void>
map_ids (const step &step) noexcept
{
  auto result = write_file ("/proc/self/setgroups", "deny");
  if (result)
    result = write_file ("/proc/self/uid_map", step.texts[0]);
  if (result)
    result = write_file ("/proc/self/gid_map", step.texts[1]);
  return result;
}

// ("user-map" UIDS GIDS): the maps of the user namespace that this process
// was born in.
outcome<void>
map_user (const step &step, context &) noexcept
{
  return map_ids (step);
}

// ("lock-mounts" UIDS GIDS): move to one more user namespace with these maps,
// and a mount namespace, where mounts of the outer one can be neither removed
// nor remounted.
outcome<void>
lock_mounts (const step &step, context &) noexcept
{
  if (::unshare (CLONE_NEWUSER | CLONE_NEWNS) < 0)
    return failed ("unshare");
  return map_ids (step);
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
  if (::prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
    return failed ("prctl", "PR_CAP_AMBIENT");
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
