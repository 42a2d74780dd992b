// SPDX-License-Identifier: GPL-3.0-or-later
// What processes use of a directory, as far as the system tells: the names of
// its entries that occur in the names of their programs, working directories,
// open files and mappings, and anywhere in their environments.
#pragma once

#include "base/outcome.hh"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <unordered_set>
#include <vector>

namespace fruix {

// Finds, in texts that come in pieces, the names that follow DIRECTORY and a
// slash.  A process can put anything into its environment: no memory is held
// but for names, and those are at most 255 bytes long.
class mention_finder
{
public:
  explicit mention_finder (std::string_view directory);

  // The next piece of a text.
  void feed (std::string_view bytes);
  // The end of a text.
  void finish ();

  const std::unordered_set<std::string> &
  names () const noexcept
  {
    return names_;
  }

private:
  bool take (std::size_t begin, bool last, std::size_t &end);
  void note (std::string_view name);

  std::string prefix_;
  std::string pending_;  // what the next piece may go on with
  std::unordered_set<std::string> names_;
};

// In src/linux or src/freebsd.

// Append the numbers of all processes.
outcome<void> list_processes (std::vector<pid_t> &out);

// Feed FINDER what the process PROCESS uses.  A process that is gone, or may
// not be looked at, uses nothing.
outcome<void> find_mentions (pid_t process, mention_finder &finder);

}
