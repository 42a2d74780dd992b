// SPDX-License-Identifier: GPL-3.0-or-later
// Names that an attacker chose, made fit for a message.
#pragma once

#include "base/outcome.hh"

namespace fruix {

// "WHY: NAME" as the object of a fault: control characters become question
// marks, so that a name cannot forge a line of a log or talk to a terminal.
class printable
{
public:
  printable (std::string_view why, std::string_view name) noexcept
  {
    append (why);
    if (!name.empty ())
      {
        append (": ");
        append (name);
      }
  }

  std::string_view view () const noexcept { return {text_, length_}; }

private:
  void
  append (std::string_view text) noexcept
  {
    for (char c : text)
      if (length_ < sizeof text_)
        text_[length_++] = is_control (c) ? '?' : c;
  }

  static bool
  is_control (char c) noexcept
  {
    return static_cast<unsigned char> (c) < ' ' || c == '\x7f';
  }

  char text_[sizeof fault::object];
  std::size_t length_ = 0;
};

}
