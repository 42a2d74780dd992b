// SPDX-License-Identifier: GPL-3.0-or-later
// The table of them.
#include "linux/steps.hh"
#include "plan/place.hh"

namespace fruix::plan {

static constexpr step_kind table[] = {
  {"cgroup", "s", performer::host, make_cgroup},
  {"cgroup-limit", "sss", performer::host, limit_cgroup},
  {"remove-cgroup", "s", performer::undoer, remove_cgroup},
  {"network", "i", performer::child, enter_network},
  {"loopback-up", "", performer::child, raise_loopback},
  {"tap", "si", performer::child, make_tap},
  {"interface-up", "siss", performer::child, raise_interface},
  {"default-route", "s", performer::child, set_default_route},
  {"network-setting", "ss", performer::child, set_network_setting},
  {"address6", "ssi", performer::child, add_address6},
  {"default-route6", "ss", performer::child, set_default_route6},
  {"host-name", "s", performer::child, set_host_name},
  {"domain-name", "s", performer::child, set_domain_name},
  {"root", "ss*", performer::child, start_root},
  {"directory", "si", performer::child, make_directory},
  {"file", "ssi", performer::child, make_file},
  {"symlink", "ss", performer::child, make_symlink},
  {"bind", "sss", performer::child, bind},
  {"filesystem", "sss*", performer::child, mount_filesystem},
  {"read-only", "s", performer::child, make_read_only},
  {"pivot-root", "i", performer::child, pivot_root},
  {"joinable", "", performer::child, require_joinable},
  {"personality", "i", performer::child, set_personality},
  {"oom-score", "i", performer::child, set_oom_score},
  {"program-within", "s", performer::child, require_program_within},
  {"interpreters", "", performer::child, check_interpreters},
  {"lock-mounts", "sss*", performer::child, lock_mounts},
  {"drop-capabilities", "", performer::child, drop_capabilities},
  {"system-calls", "s*", performer::child, filter_system_calls},
  {"new-keyring", "", performer::child, join_new_keyring},
  {"abstract-sockets", "", performer::child, scope_abstract_names},
};

std::span<const step_kind>
system_steps () noexcept
{
  return table;
}

}
