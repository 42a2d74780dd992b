// SPDX-License-Identifier: GPL-3.0-or-later
// Symbolic links as data: read them, all of a tree or one, and make one.
//
// The trees are those in which a collector looks for its roots.  Users write
// in them, so they are walked by directory descriptors and no link in them is
// followed; what one may not see, or what vanishes meanwhile, is left out.
// A million names of one link with a long target cost a user nothing: here
// they have one copy of it.
#pragma once

#include "base/outcome.hh"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fruix {

struct link_or_file
{
  std::string name;                           // from the top directory on
  std::shared_ptr<const std::string> target;  // of a symbolic link
};

// Append to OUT the symbolic links and regular files below DIRECTORY, down to
// as many levels, and with names as long, as any reasonable tree has.
outcome<void> list_links (const std::string &directory,
                          std::vector<link_or_file> &out);

// Put the target of FILE into OUT: nothing if FILE is no symbolic link.
outcome<void> read_link (const std::string &file,
                         std::optional<std::string> &out);

// Make FILE, which must not exist, a symbolic link to TARGET.
outcome<void> make_link (const std::string &target, const std::string &file);

}
