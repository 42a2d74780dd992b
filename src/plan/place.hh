// SPDX-License-Identifier: GPL-3.0-or-later
// Names inside the tree that is to become the root of a sandbox.
#pragma once

#include "plan/step.hh"

#include <sys/types.h>

namespace fruix::plan {

// A name in a directory that is open.
struct place
{
  int directory;
  const char *name;
};

// Where PATH, which begins with a slash, is inside the root.  No symbolic
// link is followed on the way: a mounted directory may hold any.
outcome<place> locate (const char *path, context &context) noexcept;

// Open the directory PATH, relative to DIRECTORY, as a mere place, through no
// symbolic link and not upwards; -1 and errno if it is not there.  How it is
// done best depends on the system; anywhere, component by component.
int open_beneath (int directory, const char *path) noexcept;
int walk_beneath (int directory, const char *path) noexcept;

// Open the directory on which a root is to grow: it must be no symbolic link,
// its own user's, and nobody else's to write.
outcome<int> open_root (const char *path) noexcept;

// Whether NAME, without symbolic links on the way, is below DIRECTORY.
constexpr bool
lies_below (std::string_view name, std::string_view directory) noexcept
{
  return name.starts_with (directory) && name.size () > directory.size ()
         && name[directory.size ()] == '/';
}

// Make sure that there is a mount point for a file of the type of MODE.
outcome<void> make_mount_point (const place &place, mode_t mode) noexcept;

// nodes.cc: steps that create what is in the tree.
outcome<void> make_directory (const step &, context &) noexcept;
outcome<void> make_file (const step &, context &) noexcept;
outcome<void> make_symlink (const step &, context &) noexcept;

}
