// SPDX-License-Identifier: GPL-3.0-or-later
// Mounts, made detached: of file systems of one's own, and of what is there.
#pragma once

#include "base/unique_fd.hh"
#include "plan/step.hh"

#include <span>

namespace fruix::plan {

// A new, detached file system of TYPE with OPTIONS, each "KEY" or
// "KEY=VALUE"; its mount has ATTRIBUTES.
outcome<unique_fd> create_filesystem (const char *type,
                                      std::span<const std::string> options,
                                      unsigned attributes) noexcept;

// The file or directory SOURCE, and what is mounted in it, as a new, detached
// tree of mounts with ATTRIBUTES added to theirs.  A symbolic link is not
// followed.
outcome<unique_fd> clone_tree (const char *source,
                               unsigned attributes) noexcept;

}
