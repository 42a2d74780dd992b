// SPDX-License-Identifier: GPL-3.0-or-later
// File systems that a sandbox gets of its own.
#pragma once

#include "base/unique_fd.hh"
#include "plan/step.hh"

#include <span>

namespace fruix::plan {

// A new, detached file system of TYPE with OPTIONS, each "KEY" or
// "KEY=VALUE"; its mount has ATTRIBUTES.
outcome<unique_fd> create_filesystem (const char *type,
                                      std::span<const std::string> options,
                                      unsigned attributes) noexcept;

}
