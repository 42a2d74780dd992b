// SPDX-License-Identifier: GPL-3.0-or-later
// Network namespaces that are made before the processes that live in them.
#pragma once

#include "base/outcome.hh"
#include "base/unique_fd.hh"

namespace fruix {

// Give the network namespace that the calling thread is in 127.0.0.1 and
// ::1.  Async-signal-safe.
outcome<void> raise_loopback () noexcept;

// Make a network namespace with a loopback interface that is up, and return
// a descriptor of it, close-on-exec.  The calling thread is in it meanwhile,
// but for other threads nothing changes.
outcome<unique_fd> make_network () noexcept;

}
