// SPDX-License-Identifier: GPL-3.0-or-later
// The table of them.
#include "linux/steps.hh"

namespace fruix::plan {

static constexpr step_kind table[] = {
  {"user-map", "ss", map_user},
  {"loopback-up", "", raise_loopback},
  {"host-name", "s", set_host_name},
  {"domain-name", "s", set_domain_name},
  {"root", "ss*", start_root},
  {"directory", "si", make_directory},
  {"file", "ssi", make_file},
  {"symlink", "ss", make_symlink},
  {"bind", "sss", bind},
  {"filesystem", "sss*", mount_filesystem},
  {"pivot-root", "i", pivot_root},
  {"personality", "i", set_personality},
  {"oom-score", "i", set_oom_score},
  {"program-within", "s", require_program_within},
  {"lock-mounts", "ss", lock_mounts},
  {"drop-capabilities", "", drop_capabilities},
};

std::span<const step_kind>
system_steps () noexcept
{
  return table;
}

}
