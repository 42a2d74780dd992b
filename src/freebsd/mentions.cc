// SPDX-License-Identifier: GPL-3.0-or-later
// What processes use, from sysctl(3).
#include "process/mentions.hh"

#include <sys/sysctl.h>
#include <sys/types.h>
#include <sys/user.h>

namespace fruix {

// What is larger is cut off: no process that means well has as much.
static constexpr std::size_t largest_answer = std::size_t {1} << 28;

// Put the answer to the question KERN_PROC_... about PROCESS, 0 for all of
// them, into OUT.
static outcome<void>
ask (int question, pid_t process, std::string &out)
{
  int name[] = {CTL_KERN, KERN_PROC, question, process};
  for (std::size_t size = 65536;; size *= 2)
    {
      out.resize (size);
      std::size_t length = size;
      if (::sysctl (name, 4, out.data (), &length, nullptr, 0) == 0
          || (errno == ENOMEM && size >= largest_answer))
        {
          out.resize (length);
          return {};
        }
      if (errno != ENOMEM)
        return failed ("sysctl", "kern.proc");
    }
}

outcome<void>
list_processes (std::vector<pid_t> &out)
{
  std::string answer;
  if (auto asked = ask (KERN_PROC_PROC, 0, answer); !asked)
    return asked;
  for (std::size_t i = 0; i + sizeof (kinfo_proc) <= answer.size ();
       i += sizeof (kinfo_proc))
    {
      kinfo_proc information;
      std::memcpy (&information, answer.data () + i, sizeof information);
      out.push_back (information.ki_pid);
    }
  return {};
}

// Most answers are structures; the names in them are text, which ends with a
// NUL, so they are searched as they are.
outcome<void>
find_mentions (pid_t process, mention_finder &finder)
{
  std::string answer;
  for (int question : {KERN_PROC_PATHNAME, KERN_PROC_CWD,
                       KERN_PROC_FILEDESC, KERN_PROC_VMMAP, KERN_PROC_ENV})
    // A process that is gone, or somebody else's, says nothing.
    if (ask (question, process, answer))
      {
        finder.feed (answer);
        finder.finish ();
      }
  return {};
}

}
