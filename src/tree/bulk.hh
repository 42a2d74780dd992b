// SPDX-License-Identifier: GPL-3.0-or-later
// Many files at once: list a directory, move its entries into another one,
// and clean a directory of links to the contents of files.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace fruix {

// What NAME takes in a list, in bytes.
constexpr std::size_t
weight (std::string_view name) noexcept
{
  return sizeof (std::string) + name.size ();
}

// Append the names of the entries of DIRECTORY to OUT, in the order of their
// bytes; EOVERFLOW if they weigh more than ROOM.
outcome<void> list_entries (int directory, std::vector<std::string> &out,
                            std::size_t room = SIZE_MAX);

struct unmoved
{
  std::string name;
  int error;
};

// Move the entries NAMES of the directory FROM, whatever they are, into the
// directory TO; append to LEFT those that could not be moved, and why.
void move_entries (int from, const std::vector<std::string> &names, int to,
                   std::vector<unmoved> &left);

struct link_figures
{
  std::uint64_t freed = 0;  // bytes
  std::uint64_t saved = 0;  // bytes that the remaining links stand for
};

// Unlink the regular files of DIRECTORY that have no other name, or are
// smaller than SMALLEST bytes; and what begins with a full stop, as names do
// under which 'share_file' makes links, if no link to it was made since TIME.
// A file that gets another name meanwhile keeps that.
outcome<link_figures> sweep_links (int directory, off_t smallest,
                                   time_t time);

}
