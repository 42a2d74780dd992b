// SPDX-License-Identifier: GPL-3.0-or-later
// Who is who in a new user namespace.  A process may map itself there, one
// user and one group, as long as groups can no longer be dropped; more groups
// only somebody outside who may do so.  See user_namespaces (7).
#pragma once

#include "base/outcome.hh"
#include "linux/attendant.hh"

#include <string>

namespace fruix {

// Child: map USERS and GROUPS, each a line for one's own ID, in the user
// namespace where it has come to be; but have groups mapped by MAPPER, where
// there is one and it succeeds.
outcome<void> map_ids (const std::string &users, const std::string &groups,
                       const attendant &mapper) noexcept;

}
