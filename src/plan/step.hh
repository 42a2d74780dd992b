// SPDX-License-Identifier: GPL-3.0-or-later
// A step: one thing that is done to make a sandbox, or to unmake it.
//
// Steps form a closed set: each has a name, a shape, someone who performs it,
// and a function here or in the directory of a system.  A plan is a list of
// steps in order.  Those of the host are performed by the caller, and what
// they leave in the kernel is recorded in a receipt: a list of steps, too,
// that undo it.  Those of a child are performed by a new process on itself,
// before it executes its program, with async-signal-safe calls and memory
// that was there before; they are gone with it.
#pragma once

#include "base/outcome.hh"
#include "process/platform.hh"

#include <climits>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fruix::plan {

enum class performer
{
  host,
  child,
  undoer,
};

struct step_kind;

struct step
{
  std::string name;
  std::string shape;                  // of the arguments that were given
  std::vector<std::string> texts;     // the strings among them, in order
  std::vector<std::int64_t> numbers;  // the integers
  const step_kind *kind = nullptr;    // once resolved

  const char *text (int i) const noexcept { return texts[i].c_str (); }

  // The integer I, or -1 if that is too large for an int: none of the calls
  // that get it takes either.
  int
  number (int i) const noexcept
  {
    return std::in_range<int> (numbers[i]) ? static_cast<int> (numbers[i])
                                           : -1;
  }
};

// Make the step called NAME with ARGUMENTS.
step make_step (
    std::string_view name,
    std::initializer_list<std::variant<std::int64_t, std::string>> arguments);

// What the steps of one plan share.
struct context
{
  // Of a child: where it reports a fault, close-on-exec; /dev/null, which may
  // not be there where it is born; whose death is its own; what it will
  // execute, and where that is open unless it is -1.
  int channel = -1;
  int null = -1;
  process parent {-1, -1};
  const char *program = nullptr;
  int executable = -1;

  // Of the host: what is to be undone.
  std::vector<step> receipt {};

  // The directory that is to become the root, and its name.
  int root = -1;
  std::string root_name {};
  // The directory in it where a step last worked, kept open for the next.
  int directory = -1;
  char directory_name[PATH_MAX] {};
};

using perform_step = outcome<void> (*) (const step &, context &);

struct step_kind
{
  const char *name;
  // One letter an argument, 's' for a string and 'i' for an integer; '*'
  // after the last one: any number of these; '.' for one or the other.
  const char *shape;
  performer by;
  perform_step perform;
};

// Find the kind of each of STEPS, all performed BY one, and check its
// arguments against it; EINVAL for a name that is not in the set or a shape
// that does not match.
outcome<void> resolve (std::span<step> steps, performer by) noexcept;

// Perform STEP; the fault names the step and the call that failed.
outcome<void> perform (const step &step, context &context);

// The steps that every system has, and those of this one.
std::span<const step_kind> shared_steps () noexcept;
std::span<const step_kind> system_steps () noexcept;

}
