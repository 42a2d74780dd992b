// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/conveyor.hh"
#include "base/signals.hh"

namespace fruix {

static constexpr std::size_t maximum_blocks = 4;

conveyor::conveyor (consumer consume) : consume_ {std::move (consume)}
{
  blocked_signals blocked;
  thread_ = std::thread {[this] { run (); }};
}

conveyor::~conveyor ()
{
  {
    std::lock_guard lock {mutex_};
    closed_ = true;
  }
  changed_.notify_all ();
  thread_.join ();
}

void
conveyor::put (std::string block)
{
  {
    std::unique_lock lock {mutex_};
    changed_.wait (lock, [&] { return blocks_.size () < maximum_blocks; });
    blocks_.push (std::move (block));
  }
  changed_.notify_all ();
}

void
conveyor::drain ()
{
  std::unique_lock lock {mutex_};
  changed_.wait (lock, [&] { return blocks_.empty (); });
}

void
conveyor::run ()
{
  std::unique_lock lock {mutex_};
  for (;;)
    {
      changed_.wait (lock, [&] { return closed_ || !blocks_.empty (); });
      if (closed_)
        return;
      auto &block = blocks_.front ();
      lock.unlock ();
      consume_ (block);
      lock.lock ();
      blocks_.pop ();
      changed_.notify_all ();
    }
}

}
