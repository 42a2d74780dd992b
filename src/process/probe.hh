// SPDX-License-Identifier: GPL-3.0-or-later
// What this system can do, found out by doing it.
//
// A probe makes a system call and reports how it fails.  What would leave
// this process another, such as a change of root, is tried in a child that
// ends with the trial.
#pragma once

#include "process/errand.hh"

#include <cstdint>
#include <span>

namespace fruix {

struct probe
{
  const char *name;
  // What SUBJECT is, a file or a number, is up to the probe; so is what the
  // integer means, 0 where there is nothing to measure.
  outcome<std::int64_t> (*run) (const char *subject) noexcept;
};

// The probes of this system, in src/linux or src/freebsd; those that every
// system has come in addition.
std::span<const probe> system_probes () noexcept;

// Run the probe NAME; ENOSYS if this system has none.
outcome<std::int64_t> run_probe (std::string_view name,
                                 const char *subject) noexcept;

// What is tried in a child: async-signal-safe.
using trial = outcome<void> (*) (const char *subject) noexcept;

// For the tables of probes.
template <trial attempt>
outcome<std::int64_t>
in_child (const char *subject) noexcept
{
  auto result = run_in_child (
      [] (const void *text) noexcept {
        return attempt (static_cast<const char *> (text));
      },
      subject);
  if (!result)
    return std::unexpected {result.error ()};
  return 0;
}

}
