// SPDX-License-Identifier: GPL-3.0-or-later
// A conveyor takes bytes to a thread of its own, which consumes them in their
// order, while whoever puts them there goes on.
//
// It is a ring.  A block of bytes is passed on at once, so that the threads
// seldom wake each other up.  Who reads bytes from elsewhere can read them
// into the room that there is, and need not copy them.
//
// The thread is not known to Guile: it touches nothing that the collector
// manages, and no signal reaches it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

namespace fruix {

class conveyor
{
public:
  using consumer = std::function<void (std::span<const std::uint8_t>)>;

  // Throws std::system_error if there can be no thread.
  explicit conveyor (consumer consume);
  // What has not been consumed yet is dropped.
  ~conveyor ();

  conveyor (const conveyor &) = delete;

  // Wait for room, and return it: where the next bytes will be put.
  std::span<std::uint8_t> room () noexcept;
  // Put BYTES there, waiting for room; they may be there already.
  void put (std::span<const std::uint8_t> bytes) noexcept;
  // Return once all bytes have been consumed.
  void drain () noexcept;

private:
  void pass_on () noexcept;
  void run ();

  consumer consume_;
  std::vector<std::uint8_t> ring_;
  // How many bytes ever were, modulo 2^32: put, passed on, and consumed.
  std::uint32_t put_ = 0;
  std::atomic<std::uint32_t> passed_ = 0;
  std::atomic<std::uint32_t> consumed_ = 0;
  std::atomic<bool> closed_ = false;
  std::thread thread_;
};

}
