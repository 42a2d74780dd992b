// SPDX-License-Identifier: GPL-3.0-or-later
// plan-runner FILE COUNT [PROGRAM ARGUMENT...]: perform the plan in FILE, run
// PROGRAM in what it makes, report, and undo it.
//
// Of the host's steps only the first COUNT are performed, all for -1.  Without
// PROGRAM, the runner then kills itself: what it has done stays.  FILE holds
// the phases of a plan, each "phase NAME", and their steps, each "step" and its
// arguments, each "s LENGTH TEXT" or "i NUMBER"; see tests/plan-support.scm.
#include "plan/perform.hh"
#include "plan/spawn.hh"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sys/wait.h>

using namespace fruix;

using phases = std::map<std::string, std::vector<plan::step>>;

static void
read_argument (std::istream &in, char kind, plan::step &step)
{
  step.shape += kind;
  if (kind == 'i')
    {
      in >> step.numbers.emplace_back ();
      return;
    }
  std::size_t length = 0;
  in >> length;
  in.get ();
  auto &text = step.texts.emplace_back (length, '\0');
  in.read (text.data (), static_cast<std::streamsize> (length));
}

static phases
read_plan (const char *file)
{
  phases result;
  std::ifstream in {file};
  std::string word, phase;
  while (in >> word)
    if (word == "phase")
      in >> phase;
    else if (word == "step")
      in >> result[phase].emplace_back ().name;
    else
      read_argument (in, word[0], result[phase].back ());
  return result;
}

[[noreturn]] static void
fail (const fault &fault)
{
  std::printf ("failed: %s: %s: %s\n", fault.who, fault.object,
               std::strerror (fault.error));
  std::exit (1);
}

static plan::spawn_request
make_request (phases &plan, char **arguments)
{
  plan::spawn_request request;
  request.program = arguments[0];
  for (char **argument = arguments; *argument; argument++)
    request.arguments.push_back (*argument);
  for (auto &step : plan["birth"])
    if (step.name == "namespaces")
      request.birth.namespaces = step.texts;
    else if (step.name == "cgroup")
      request.birth.cgroup = step.texts[0];
    else
      request.birth.maps = {step.texts[0], step.texts[1], {}};
  request.steps.push_back (plan::make_step ("session", {}));
  request.steps.push_back (plan::make_step ("descriptors", {-1, 1, 1}));
  for (auto phase : {"create", "enter", "program", "drop"})
    for (auto &step : plan[phase])
      request.steps.push_back (step);
  request.steps.push_back (plan::make_step ("death-signal", {SIGKILL}));
  return request;
}

static void
run (phases &plan, char **arguments)
{
  auto request = make_request (plan, arguments);
  auto process = plan::spawn (request);
  if (!process)
    {
      auto &fault = process.error ();
      std::printf ("not started: %s: %s: %s\n", fault.who, fault.object,
                   std::strerror (fault.error));
      return;
    }
  int status = 0;
  ::waitpid (process->id, &status, 0);
  std::printf ("status: %d\n", status);
}

int
main (int argc, char **argv)
{
  if (argc < 3)
    return 2;
  std::setvbuf (stdout, nullptr, _IOLBF, 0);
  auto plan = read_plan (argv[1]);
  auto &host = plan["host"];
  if (int count = std::atoi (argv[2]); count >= 0)
    host.resize (static_cast<std::size_t> (count));
  std::vector<plan::step> receipt;
  if (auto result = plan::perform_host (host, receipt); !result)
    fail (result.error ());
  std::printf ("performed: %zu\n", host.size ());
  if (argc == 3)
    std::raise (SIGKILL);
  run (plan, argv + 3);
  if (auto result = plan::undo (receipt); !result)
    fail (result.error ());
  std::printf ("undone: %zu\n", receipt.size ());
}
