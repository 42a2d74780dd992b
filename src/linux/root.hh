// SPDX-License-Identifier: GPL-3.0-or-later
// Names inside the tree that is to become the root of a child.
#pragma once

#include "base/unique_fd.hh"
#include "plan/step.hh"

#include <span>

namespace fruix::plan {

// A name in a directory that is open.
struct place
{
  int directory;
  const char *name;
};

// Where PATH, which begins with a slash, is inside the child's root.  No
// symbolic link is followed on the way: a mounted directory may hold any.
outcome<place> locate (const char *path, child &child) noexcept;

// A new, detached file system of TYPE with OPTIONS, each "KEY" or
// "KEY=VALUE"; its mount has ATTRIBUTES.
outcome<unique_fd> create_filesystem (const char *type,
                                      std::span<const std::string> options,
                                      unsigned attributes) noexcept;

}
