// SPDX-License-Identifier: GPL-3.0-or-later
// The table of them.
#include "freebsd/steps.hh"

#include "plan/place.hh"

namespace fruix::plan {

static constexpr step_kind table[] = {
  {"root", "ss*", performer::host, start_root},
  {"directory", "si", performer::host, make_directory},
  {"file", "ssi", performer::host, make_file},
  {"symlink", "ss", performer::host, make_symlink},
  {"bind", "sssi", performer::host, bind},
  {"filesystem", "sss*", performer::host, mount_in_tree},
  {"devfs-ruleset", "is*", performer::host, define_devices},
  {"user-database", "ss", performer::host, make_user_database},
  {"jail", "s.*", performer::host, make_jail},
  {"loopback-up", "s", performer::host, raise_jail_loopback},
  {"resource-rule", "ss", performer::host, add_jail_rule},
  {"cpus", "si", performer::host, choose_processors},
  {"attach", "s", performer::child, attach},
  {"fixed-addresses", "", performer::child, fix_addresses},
  {"program-within", "s", performer::child, require_program_within},
  {"unmount", "is", performer::undoer, undo_mount},
  {"remove-jail", "ii", performer::undoer, undo_jail},
  {"remove-shared-memory", "s", performer::undoer, undo_shared_memory},
  {"remove-resource-rules", "s", performer::undoer, undo_jail_rules},
};

std::span<const step_kind>
system_steps () noexcept
{
  return table;
}

}
