// SPDX-License-Identifier: GPL-3.0-or-later
// What jail_set(2), jail_get(2) and nmount(2) take: named parameters, whose
// names and values alternate in one array of buffers.
#pragma once

#include "base/outcome.hh"

#include <span>
#include <string>

struct iovec;

namespace fruix {

struct parameter
{
  std::string name;
  // The bytes that the kernel reads, or writes to; none for a boolean, which
  // its name alone sets.
  std::string value;

  static parameter text (std::string_view name, std::string_view value);
  static parameter number (std::string_view name, int value);
  static parameter flag (std::string_view name);
  // "KEY", a boolean, or "KEY=TEXT".
  static parameter option (std::string_view option);
  // Room for SIZE bytes from the kernel.
  static parameter room (std::string_view name, std::size_t size);

  std::string_view as_text () const noexcept;  // up to the first NUL
  int as_number () const noexcept;             // 0 if that is not its size
};

using parameter_call = int (*) (struct iovec *, unsigned, int);

// Make the system call CALL, known as WHO, with PARAMETERS and FLAGS; return
// what it returns.  A value then has the size that the kernel says: it tells
// the size of one that was empty.  The object of a failure is what the
// kernel has to say about it or, when that is nothing, OBJECT.
outcome<int> call_with_parameters (const char *who, parameter_call call,
                                   std::span<parameter> parameters,
                                   int flags, std::string_view object);

}
