// SPDX-License-Identifier: GPL-3.0-or-later
// Verdicts on a tree, as opposed to system calls that failed.  The first
// field of the fault names the verdict, and the object says where.
#pragma once

#include "base/printable.hh"

namespace fruix::refusal {

inline constexpr std::string_view
  file_type = "file-type",              // no regular file, directory or link
  ownership = "ownership",              // somebody else's file
  suspicious = "suspicious-ownership",  // the same, or writable, at the top
  depth = "depth",                      // more than 'maximum_depth'
  entries = "entries",                  // more than 'maximum_names' allows
  file_system = "file-system",          // something is mounted there
  changed = "changed";                  // it is not what it was

inline std::unexpected<fault>
because (std::string_view verdict, std::string_view where) noexcept
{
  return failed (verdict, printable {where, {}}.view (), EPERM);
}

}
