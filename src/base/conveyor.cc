// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/conveyor.hh"
#include "base/signals.hh"

#include <algorithm>

namespace fruix {

static constexpr std::size_t block_size = 256 * 1024;

conveyor::conveyor (consumer consume) : consume_ {std::move (consume)}
{
  for (auto &block : blocks_)
    block.reserve (block_size);
  blocked_signals blocked;
  thread_ = std::thread {[this] { run (); }};
}

conveyor::~conveyor ()
{
  closed_ = true;
  pass_on ();
  thread_.join ();
}

void
conveyor::put (std::span<const std::uint8_t> bytes)
{
  while (!bytes.empty ())
    {
      auto &block = block_to_fill ();
      auto part = bytes.first (
          std::min (bytes.size (), block_size - block.size ()));
      // Not by iterators of spans, which copy byte by byte.
      block.insert (block.end (), part.data (), part.data () + part.size ());
      bytes = bytes.subspan (part.size ());
      if (block.size () == block_size)
        pass_on ();
    }
}

void
conveyor::drain ()
{
  if (!block_to_fill ().empty ())
    pass_on ();
  for (auto count = consumed_.load (); count != filled_;
       count = consumed_.load ())
    consumed_.wait (count);
}

// Wait for one that is not in use.
conveyor::block &
conveyor::block_to_fill () noexcept
{
  for (auto count = consumed_.load (); filled_ - count == blocks_.size ();
       count = consumed_.load ())
    consumed_.wait (count);
  return blocks_[filled_ % blocks_.size ()];
}

void
conveyor::pass_on () noexcept
{
  ++filled_;
  filled_.notify_one ();
}

void
conveyor::run ()
{
  for (std::uint32_t count = 0;; ++count)
    {
      filled_.wait (count);
      if (closed_)
        return;
      auto &block = blocks_[count % blocks_.size ()];
      consume_ (block);
      block.clear ();
      consumed_ = count + 1;
      consumed_.notify_one ();
    }
}

}
