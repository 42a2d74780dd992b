// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/limits.hh"

#include "freebsd/jail.hh"

#include <sys/types.h>
#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/rctl.h>

namespace fruix {

using rule_call = int (*) (const char *, std::size_t, char *, std::size_t);

static outcome<void>
call_with_rule (const char *who, rule_call call, const std::string &rule)
{
  if (call (rule.c_str (), rule.size () + 1, nullptr, 0) < 0)
    return failed (who, rule);
  return {};
}

outcome<void>
add_resource_rule (const std::string &rule)
{
  return call_with_rule ("rctl_add_rule", ::rctl_add_rule, rule);
}

outcome<void>
remove_resource_rules (const std::string &filter)
{
  return call_with_rule ("rctl_remove_rule", ::rctl_remove_rule, filter);
}

outcome<void>
limit_processors (int id, std::int64_t count, std::uint64_t first) noexcept
{
  cpuset_t all, chosen;
  if (::cpuset_getaffinity (CPU_LEVEL_WHICH, CPU_WHICH_JAIL, id, sizeof all,
                            &all)
      < 0)
    return failed ("cpuset_getaffinity", jail_label (id).data ());
  int available = CPU_COUNT (&all);
  if (count < 1 || count > available)
    return failed ("cpuset_setaffinity", "number of processors", EINVAL);
  CPU_ZERO (&chosen);
  int index = 0;
  int start = static_cast<int> (first % static_cast<unsigned> (available));
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, &all))
      {
        if ((index - start + available) % available < count)
          CPU_SET (cpu, &chosen);
        index++;
      }
  if (::cpuset_setaffinity (CPU_LEVEL_WHICH, CPU_WHICH_JAIL, id,
                            sizeof chosen, &chosen)
      < 0)
    return failed ("cpuset_setaffinity", jail_label (id).data ());
  return {};
}

}
