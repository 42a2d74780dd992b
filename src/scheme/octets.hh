// SPDX-License-Identifier: GPL-3.0-or-later
// Names of files as octet strings: each character is one byte.
#pragma once

#include "scheme/boundary.hh"

namespace fruix::scheme {

inline SCM
octets (const std::string &bytes)
{
  return scm_from_latin1_stringn (bytes.data (), bytes.size ());
}

}
