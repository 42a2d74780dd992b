// SPDX-License-Identifier: GPL-3.0-or-later
// A file tree as a stream of events.
//
// Whatever yields a tree (an archive, a walk of a directory) speaks it, and
// whatever takes one (an archive, a directory being filled, a hash) listens:
//
//   tree      = node done
//   node      = file data* file_end | symlink | directory (entry node)* leave
//
// Entries come in byte order.  Producers end at 'done'; one that is fed
// piecemeal yields 'more' when it needs input.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace fruix {

enum class event_kind : std::uint8_t
{
  more,
  directory,
  entry,       // name: what the next node is called in its directory
  leave,
  file,        // size, executable
  data,        // bytes: the next ones of the file
  file_end,
  symlink,     // name: the target
  done,
};

// What NAME and BYTES refer to lasts until the producer is asked again.
struct event
{
  event_kind kind;
  bool executable = false;
  std::uint64_t size = 0;
  std::string_view name {};
  std::span<const std::uint8_t> bytes {};
};

// Directories that may be open inside each other, top level included.  Every
// producer refuses more, so nothing in the store is deeper, and a tree costs
// at most so many descriptors.
inline constexpr std::size_t maximum_depth = 256;

// What a name and the target of a symbolic link may be long.
inline constexpr std::size_t maximum_name = 255;
inline constexpr std::size_t maximum_target = 4095;

}
