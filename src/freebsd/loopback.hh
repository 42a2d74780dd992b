// SPDX-License-Identifier: GPL-3.0-or-later
// The loopback interface of a jail with a network of its own, which begins
// down and without an address.
#pragma once

#include "base/outcome.hh"

namespace fruix {

// Bring up lo0 in the jail ID, with 127.0.0.1/8 and ::1.
outcome<void> raise_loopback (int id);

}
