// SPDX-License-Identifier: GPL-3.0-or-later
// A step: one thing that a new process does to itself before it executes its
// program.
//
// Steps form a closed set: each has a name, a shape, and a function here or
// in the directory of a system.  A plan is a list of steps in order.  The
// parent resolves the plan before it forks; the child only performs it, with
// async-signal-safe calls and memory that was there before.
#pragma once

#include "base/outcome.hh"

#include <climits>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fruix::plan {

// What the steps of one child share.
struct child
{
  int channel;          // to the parent; close-on-exec
  const char *program;  // what will be executed
  int root = -1;        // the directory that is to become the root
  // The directory that a step last worked in, kept open for the next one.
  int parent = -1;
  char parent_name[PATH_MAX] {};
};

struct step;
using perform_step = outcome<void> (*) (const step &, child &) noexcept;

struct step_kind
{
  const char *name;
  // One letter an argument, 's' for a string and 'i' for an integer; '*'
  // after the last one: any number of these.
  const char *shape;
  perform_step perform;
};

struct step
{
  std::string name;
  std::string shape;                  // of the arguments that were given
  std::vector<std::string> texts;     // the strings among them, in order
  std::vector<std::int64_t> numbers;  // the integers
  const step_kind *kind = nullptr;    // once resolved

  const char *text (int i) const noexcept { return texts[i].c_str (); }
};

// Find the kind of each of STEPS and check its arguments against it; EINVAL
// for a name that is not in the set or a shape that does not match.
outcome<void> resolve (std::span<step> steps) noexcept;

// Perform STEP; the fault names the step and the call that failed.
outcome<void> perform (const step &step, child &child) noexcept;

// Tell the parent that all is well so far, and wait until it has answered;
// without a parent, die.
outcome<void> await_parent (child &child) noexcept;

// The steps that every system has, and those of this one.
std::span<const step_kind> shared_steps () noexcept;
std::span<const step_kind> system_steps () noexcept;

}
