// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/sysctl.hh"

#include <cstring>
#include <sys/sysctl.h>

namespace fruix {

static constexpr std::size_t first_size = 65536;
static constexpr std::size_t largest_answer = std::size_t {1} << 28;

// It may grow while it is read.
outcome<std::string>
ask_kernel (const char *name, std::span<const int> question)
{
  std::string answer;
  for (std::size_t size = first_size; size <= largest_answer; size *= 2)
    {
      answer.resize (size);
      auto length = static_cast<unsigned> (question.size ());
      if (::sysctl (question.data (), length, answer.data (), &size, nullptr,
                    0)
          == 0)
        {
          answer.resize (size);
          return answer;
        }
      if (errno != ENOMEM)
        return failed ("sysctl", name);
      size = answer.size ();
    }
  return failed ("sysctl", name, ENOMEM);
}

outcome<std::vector<kinfo_proc>>
all_processes ()
{
  constexpr int question[] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC};
  auto answer = ask_kernel ("kern.proc", question);
  if (!answer)
    return std::unexpected {answer.error ()};
  std::vector<kinfo_proc> result (answer->size () / sizeof (kinfo_proc));
  std::memcpy (result.data (), answer->data (),
               result.size () * sizeof (kinfo_proc));
  return result;
}

}
