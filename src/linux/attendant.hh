// SPDX-License-Identifier: GPL-3.0-or-later
// A process that stays where its parent was, and does there what one that has
// moved to another namespace may not do for itself.
#pragma once

#include "base/outcome.hh"
#include "base/unique_fd.hh"

#include <sys/types.h>

namespace fruix {

class attendant
{
public:
  // What it does for the process whose ID, as text, is CALLER where the /proc
  // that both see was mounted.
  using work = void (*) (const char *caller, void *argument);

  // Nobody attends until 'start', and not if that fails.
  attendant () noexcept = default;
  attendant (const attendant &) = delete;
  outcome<void> start (work work, void *argument) noexcept;
  // By who started it, which dismisses it if it has not been called.
  ~attendant ();

  explicit operator bool () const noexcept { return bool {socket_}; }
  // By whoever has inherited this: let it do its work for the calling
  // process, and return once it has ended, for good or ill.
  outcome<void> call () const noexcept;

private:
  pid_t id_ = -1;
  unique_fd socket_;
};

}
