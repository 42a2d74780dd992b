// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of Linux, by the file that performs them.
#pragma once

#include "plan/step.hh"

namespace fruix::plan {

// root.cc: the tree that becomes the root.
outcome<void> start_root (const step &, child &) noexcept;
outcome<void> pivot_root (const step &, child &) noexcept;

// nodes.cc: what is created in it.
outcome<void> make_directory (const step &, child &) noexcept;
outcome<void> make_file (const step &, child &) noexcept;
outcome<void> make_symlink (const step &, child &) noexcept;

// mounts.cc: what is mounted in it.
outcome<void> bind (const step &, child &) noexcept;
outcome<void> mount_filesystem (const step &, child &) noexcept;

// identity.cc: users, capabilities and who owns the mounts.
outcome<void> map_user (const step &, child &) noexcept;
outcome<void> lock_mounts (const step &, child &) noexcept;
outcome<void> drop_capabilities (const step &, child &) noexcept;

// attributes.cc: the rest.
outcome<void> raise_loopback (const step &, child &) noexcept;
outcome<void> set_host_name (const step &, child &) noexcept;
outcome<void> set_domain_name (const step &, child &) noexcept;
outcome<void> set_personality (const step &, child &) noexcept;
outcome<void> set_oom_score (const step &, child &) noexcept;
outcome<void> require_program_within (const step &, child &) noexcept;

}
