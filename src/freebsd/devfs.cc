// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/devfs.hh"

#include "base/unique_fd.hh"

#include <algorithm>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <vector>

#include <fs/devfs/devfs.h>

namespace fruix {

using rule_set = std::vector<devfs_rule>;

static devfs_rule
make_rule (std::uint16_t set, std::size_t number, int action)
{
  devfs_rule rule {};
  rule.dr_magic = DEVFS_MAGIC;
  rule.dr_id = static_cast<devfs_rid> (mkrid (std::uint32_t {set}, number));
  rule.dr_iacts = DRA_BACTS;
  rule.dr_bacts = action;
  return rule;
}

// Hide all, then show what matches VISIBLE; the last rule that matches wins.
static outcome<rule_set>
intended_rules (std::uint16_t set, std::span<const std::string> visible)
{
  rule_set rules {make_rule (set, 1, DRB_HIDE)};
  for (auto &pattern : visible)
    {
      auto rule = make_rule (set, rules.size () + 1, DRB_UNHIDE);
      if (pattern.empty () || pattern.size () >= sizeof rule.dr_pathptrn
          || rules.size () == UINT16_MAX)
        return failed ("devfs rule", pattern, EINVAL);
      rule.dr_icond = DRC_PATHPTRN;
      copy_text (rule.dr_pathptrn, pattern);
      rules.push_back (rule);
    }
  return rules;
}

static bool
same (const devfs_rule &a, const devfs_rule &b) noexcept
{
  return a.dr_id == b.dr_id && a.dr_icond == b.dr_icond
         && std::string_view {a.dr_pathptrn} == b.dr_pathptrn
         && a.dr_iacts == b.dr_iacts && a.dr_bacts == b.dr_bacts;
}

static outcome<rule_set>
read_rules (int devices, std::uint16_t set)
{
  rule_set rules;
  auto rule = make_rule (set, 0, 0);
  while (::ioctl (devices, DEVFSIO_RGETNEXT, &rule) == 0)
    rules.push_back (rule);
  if (errno != ENOENT)
    return failed ("ioctl", "DEVFSIO_RGETNEXT");
  return rules;
}

// Turn the rules OLD into NEXT.  What they have in common at the beginning
// stays, so that "hide all" goes last and comes first.
static outcome<void>
replace_rules (int devices, rule_set &old, rule_set &next)
{
  auto [kept, added] = std::ranges::mismatch (old, next, same);
  for (auto rule = old.end (); rule != kept;)
    if (::ioctl (devices, DEVFSIO_RDEL, &(--rule)->dr_id) < 0)
      return failed ("ioctl", "DEVFSIO_RDEL");
  for (; added != next.end (); ++added)
    if (::ioctl (devices, DEVFSIO_RADD, &*added) < 0)
      return failed ("ioctl", "DEVFSIO_RADD");
  return {};
}

outcome<void>
define_device_rules (std::uint16_t number,
                     std::span<const std::string> visible)
{
  if (number == 0)
    return failed ("devfs rule set", "0", EINVAL);
  auto next = intended_rules (number, visible);
  if (!next)
    return std::unexpected {next.error ()};
  unique_fd devices {::open ("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!devices)
    return failed ("open", "/dev");
  auto old = read_rules (devices.get (), number);
  if (!old)
    return std::unexpected {old.error ()};
  auto replaced = replace_rules (devices.get (), *old, *next);
  if (!replaced)
    return replaced;
  auto defined = read_rules (devices.get (), number);
  if (!defined)
    return std::unexpected {defined.error ()};
  if (!std::ranges::equal (*defined, *next, same))
    return failed ("devfs rule set", "changed meanwhile", EBUSY);
  return {};
}

}
