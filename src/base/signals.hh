// SPDX-License-Identifier: GPL-3.0-or-later
// Signals while a process or a thread is born.
#pragma once

#include <csignal>
#include <pthread.h>

namespace fruix {

// No signal reaches this thread while an object of this class lives.
class blocked_signals
{
public:
  blocked_signals () noexcept
  {
    sigset_t all;
    ::sigfillset (&all);
    ::pthread_sigmask (SIG_BLOCK, &all, &before_);
  }
  ~blocked_signals () { ::pthread_sigmask (SIG_SETMASK, &before_, nullptr); }
  blocked_signals (const blocked_signals &) = delete;

private:
  sigset_t before_;
};

}
