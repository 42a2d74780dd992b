// SPDX-License-Identifier: GPL-3.0-or-later
// Start a program, after steps that the new process performs on itself.
#pragma once

#include "plan/step.hh"
#include "process/platform.hh"

namespace fruix::plan {

struct spawn_request
{
  std::string program;                   // a file name, not looked up
  int executable = -1;                   // the open program, if not -1
  std::vector<std::string> arguments;    // from argv[0] on
  std::vector<std::string> environment;  // "NAME=value", passed as given
  struct birth birth;
  std::vector<step> steps;
};

// Return once the program is being executed; or else the fault of the step
// that failed, or of execve, with nothing left behind.
outcome<process> spawn (spawn_request &request);

}
