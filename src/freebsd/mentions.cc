// SPDX-License-Identifier: GPL-3.0-or-later
// What processes use, from sysctl(3).
#include "process/mentions.hh"

#include "freebsd/sysctl.hh"

#include <sys/sysctl.h>

namespace fruix {

outcome<void>
list_processes (std::vector<pid_t> &out)
{
  auto processes = all_processes ();
  if (!processes)
    return std::unexpected {processes.error ()};
  for (auto &process : *processes)
    out.push_back (process.ki_pid);
  return {};
}

// Most answers are structures; the names in them are text, which ends with a
// NUL, so they are searched as they are.
outcome<void>
find_mentions (pid_t process, mention_finder &finder)
{
  for (int subject : {KERN_PROC_PATHNAME, KERN_PROC_CWD, KERN_PROC_FILEDESC,
                      KERN_PROC_VMMAP, KERN_PROC_ENV})
    {
      const int question[] = {CTL_KERN, KERN_PROC, subject, process};
      // A process that is gone, or somebody else's, says nothing.
      if (auto answer = ask_kernel ("kern.proc", question))
        {
          finder.feed (*answer);
          finder.finish ();
        }
    }
  return {};
}

}
