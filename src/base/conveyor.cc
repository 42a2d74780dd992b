// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/conveyor.hh"
#include "base/signals.hh"

#include <algorithm>
#include <cstring>

namespace fruix {

static constexpr std::uint32_t block_size = 256 * 1024;
static constexpr std::uint32_t ring_size = 4 * block_size;

// The part of RING that begins after COUNT bytes, at most SIZE of them.
static std::span<std::uint8_t>
part_of (std::vector<std::uint8_t> &ring, std::uint32_t count,
         std::uint32_t size) noexcept
{
  auto start = count % ring_size;
  return {ring.data () + start, std::min (size, ring_size - start)};
}

conveyor::conveyor (consumer consume)
  : consume_ {std::move (consume)}, ring_ (ring_size)
{
  blocked_signals blocked;
  thread_ = std::thread {[this] { run (); }};
}

conveyor::~conveyor ()
{
  closed_ = true;
  // That it is not as many as before is all that matters.
  ++passed_;
  passed_.notify_one ();
  thread_.join ();
}

std::span<std::uint8_t>
conveyor::room () noexcept
{
  auto part = part_of (ring_, put_, block_size);
  for (auto count = consumed_.load (); put_ - count + part.size () > ring_size;
       count = consumed_.load ())
    consumed_.wait (count);
  return part;
}

void
conveyor::put (std::span<const std::uint8_t> bytes) noexcept
{
  while (!bytes.empty ())
    {
      auto place = room ();
      auto part = bytes.first (std::min (bytes.size (), place.size ()));
      if (part.data () != place.data ())
        std::memcpy (place.data (), part.data (), part.size ());
      bytes = bytes.subspan (part.size ());
      put_ += static_cast<std::uint32_t> (part.size ());
      if (put_ - passed_ >= block_size)
        pass_on ();
    }
}

void
conveyor::drain () noexcept
{
  pass_on ();
  for (auto count = consumed_.load (); count != put_;
       count = consumed_.load ())
    consumed_.wait (count);
}

void
conveyor::pass_on () noexcept
{
  passed_ = put_;
  passed_.notify_one ();
}

void
conveyor::run ()
{
  for (std::uint32_t count = 0;;)
    {
      passed_.wait (count);
      auto passed = passed_.load ();
      if (closed_)
        return;
      auto part = part_of (ring_, count, passed - count);
      consume_ (part);
      count += static_cast<std::uint32_t> (part.size ());
      consumed_ = count;
      consumed_.notify_one ();
    }
}

}
