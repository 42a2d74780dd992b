// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of Linux, by the file that performs them.
#pragma once

#include "plan/step.hh"

namespace fruix::plan {

// cgroup.cc: limits on all processes together, set by the host.
outcome<void> make_cgroup (const step &, context &);
outcome<void> limit_cgroup (const step &, context &);
outcome<void> remove_cgroup (const step &, context &);

// root.cc: the tree that becomes the root.
outcome<void> start_root (const step &, context &) noexcept;
outcome<void> pivot_root (const step &, context &) noexcept;
outcome<void> require_joinable (const step &, context &) noexcept;

// mounts.cc: what is mounted in it.
outcome<void> bind (const step &, context &) noexcept;
outcome<void> mount_filesystem (const step &, context &) noexcept;
outcome<void> make_read_only (const step &, context &) noexcept;

// identity.cc: users, capabilities and who owns the mounts.
outcome<void> lock_mounts (const step &, context &) noexcept;
outcome<void> drop_capabilities (const step &, context &) noexcept;

// system_calls.cc
outcome<void> filter_system_calls (const step &, context &) noexcept;

// separation.cc: what no namespace separates.
outcome<void> join_new_keyring (const step &, context &) noexcept;
outcome<void> scope_abstract_names (const step &, context &) noexcept;

// tap.cc: a network that a program of the host provides.
outcome<void> make_tap (const step &, context &) noexcept;
outcome<void> raise_interface (const step &, context &) noexcept;
outcome<void> set_default_route (const step &, context &) noexcept;
outcome<void> set_network_setting (const step &, context &) noexcept;
outcome<void> add_address6 (const step &, context &) noexcept;
outcome<void> set_default_route6 (const step &, context &) noexcept;

// network.cc: the network of its own.
outcome<void> raise_loopback (const step &, context &) noexcept;
outcome<void> enter_network (const step &, context &) noexcept;

// attributes.cc: the rest.
outcome<void> set_host_name (const step &, context &) noexcept;
outcome<void> set_domain_name (const step &, context &) noexcept;
outcome<void> set_personality (const step &, context &) noexcept;
outcome<void> set_oom_score (const step &, context &) noexcept;

// program.cc: what will be executed.
outcome<void> require_program_within (const step &, context &) noexcept;
outcome<void> check_interpreters (const step &, context &) noexcept;

}
