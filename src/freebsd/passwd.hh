// SPDX-License-Identifier: GPL-3.0-or-later
// The data base of users: FreeBSD's C library does not read /etc/passwd but
// what pwd_mkdb(8) makes of it, pwd.db.
#pragma once

#include "base/outcome.hh"

#include <string>
#include <string_view>

namespace fruix {

// Write the users in TEXT, lines of seven fields as in passwd(5), to the new
// file NAME.  E2BIG if there is too much of it; EINVAL for a line that is
// malformed, EEXIST for a user that was there before.
outcome<void> compile_passwd (std::string_view text, const std::string &name);

}
