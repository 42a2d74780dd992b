// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of FreeBSD, by the file that performs them.
#pragma once

#include "plan/step.hh"

namespace fruix::plan {

// tree_steps.cc: what is mounted in the tree that becomes a jail's root.
outcome<void> start_root (const step &, context &);
outcome<void> bind (const step &, context &);
outcome<void> mount_in_tree (const step &, context &);
outcome<void> define_devices (const step &, context &);
outcome<void> make_user_database (const step &, context &);
outcome<void> undo_mount (const step &, context &);
outcome<void> undo_shared_memory (const step &, context &);

// jail_steps.cc: the jail itself, its network and its limits.
outcome<void> make_jail (const step &, context &);
outcome<void> undo_jail (const step &, context &);
outcome<void> raise_jail_loopback (const step &, context &);
outcome<void> add_jail_rule (const step &, context &);
outcome<void> undo_jail_rules (const step &, context &);
outcome<void> choose_processors (const step &, context &);

// child_steps.cc: what a process in the jail does.
outcome<void> attach (const step &, context &) noexcept;
outcome<void> fix_addresses (const step &, context &) noexcept;
outcome<void> require_program_within (const step &, context &) noexcept;

}
