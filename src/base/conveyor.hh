// SPDX-License-Identifier: GPL-3.0-or-later
// A conveyor takes blocks of bytes to a thread of its own, which consumes them
// in their order, while whoever puts them there goes on.
//
// The thread is not known to Guile: it touches nothing that the collector
// manages, and no signal reaches it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <string_view>
#include <thread>

namespace fruix {

class conveyor
{
public:
  using consumer = std::function<void (std::string_view)>;

  // Throws std::system_error if there can be no thread.
  explicit conveyor (consumer consume);
  // What has not been consumed yet is dropped.
  ~conveyor ();

  conveyor (const conveyor &) = delete;

  // Put BLOCK there, waiting for room.
  void put (std::string block);
  // Return once all blocks have been consumed.
  void drain ();

private:
  void run ();

  consumer consume_;
  std::mutex mutex_;                 // guards these
  std::condition_variable changed_;
  std::queue<std::string> blocks_;   // the first one is being consumed
  bool closed_ = false;
  std::thread thread_;
};

}
