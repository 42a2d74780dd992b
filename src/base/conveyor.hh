// SPDX-License-Identifier: GPL-3.0-or-later
// A conveyor takes bytes to a thread of its own, which consumes them in their
// order, while whoever puts them there goes on.
//
// It has a few blocks, which go round: one is filled while others wait or are
// consumed.
//
// The thread is not known to Guile: it touches nothing that the collector
// manages, and no signal reaches it.
#pragma once

#include <array>
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

  // Put BYTES there, waiting for room.
  void put (std::span<const std::uint8_t> bytes);
  // Return once all bytes have been consumed.
  void drain ();

private:
  using block = std::vector<std::uint8_t>;

  block &block_to_fill () noexcept;
  void pass_on () noexcept;
  void run ();

  consumer consume_;
  std::array<block, 4> blocks_;
  std::atomic<std::uint32_t> filled_ = 0;    // how many blocks ever were
  std::atomic<std::uint32_t> consumed_ = 0;
  std::atomic<bool> closed_ = false;
  std::thread thread_;
};

}
