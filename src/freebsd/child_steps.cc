// SPDX-License-Identifier: GPL-3.0-or-later
// What a process does on its way into a jail; async-signal-safe.
#include "freebsd/steps.hh"

#include "base/unique_fd.hh"
#include "freebsd/jail.hh"
#include "plan/place.hh"

#include <cstring>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/param.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <sys/uio.h>
#include <sys/user.h>

namespace fruix::plan {

// ("attach" NAME): from here on this process is in the jail, where nobody can
// trace it until it executes its program; see procctl(2).
outcome<void>
attach (const step &step, context &) noexcept
{
  char key[] = "name";
  auto &name = step.texts[0];
  struct iovec which[] = {
    {key, sizeof key},
    {const_cast<char *> (name.c_str ()), name.size () + 1},
  };
  int id = ::jail_get (which, 2, 0);
  if (id < 0)
    return failed ("jail_get", name);
  if (auto attached = attach_jail (id); !attached)
    return attached;
  int tracing = PROC_TRACE_CTL_DISABLE;
  // Unless the administrator does so already.
  if (::procctl (P_PID, 0, PROC_TRACE_CTL, &tracing) < 0 && errno != EBUSY)
    return failed ("procctl", "PROC_TRACE_CTL");
  return {};
}

// ("fixed-addresses"): programs find everything where they found it the last
// time; see procctl(2).
outcome<void>
fix_addresses (const step &, context &) noexcept
{
  int randomising = PROC_ASLR_FORCE_DISABLE;
  if (::procctl (P_PID, 0, PROC_ASLR_CTL, &randomising) < 0)
    return failed ("procctl", "PROC_ASLR_CTL");
  return {};
}

// ("program-within" DIRECTORY): the program, once all symbolic links are
// followed, lies below DIRECTORY.
outcome<void>
require_program_within (const step &step, context &context) noexcept
{
  unique_fd fd {::open (context.program, O_PATH | O_CLOEXEC)};
  if (!fd)
    return failed ("open", context.program);
  struct kinfo_file file;
  file.kf_structsize = sizeof file;
  if (::fcntl (fd.get (), F_KINFO, &file) < 0)
    return failed ("fcntl", context.program);
  if (!lies_below (file.kf_path, step.texts[0]))
    return failed ("not there", context.program, EACCES);
  return {};
}

}
