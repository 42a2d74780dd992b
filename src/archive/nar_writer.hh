// SPDX-License-Identifier: GPL-3.0-or-later
// From the events of a tree to a NAR.
//
// A NAR is a sequence of strings, each a length of eight bytes, least
// significant first, the bytes, and zeros up to a multiple of eight.
#pragma once

#include "archive/event.hh"

#include <string>

namespace fruix {

class nar_writer
{
public:
  // Append to OUT what the archive has for EVENT; for data, that is nothing:
  // the archive has the bytes themselves there.
  void append (const event &event, std::string &out);

  // Whether the root node is complete.
  bool done () const noexcept { return started_ && depth_ == 0; }

private:
  void append_start (const event &event, std::string &out);
  void append_end (std::string &out);

  bool started_ = false;
  std::size_t depth_ = 0;  // nodes that are open
  unsigned padding_ = 0;   // zeros after the current file's contents
};

}
