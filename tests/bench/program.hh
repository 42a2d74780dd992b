// SPDX-License-Identifier: GPL-3.0-or-later
// What the programs of the benchmarks have in common.
#pragma once

#include <cstdio>
#include <exception>

// Call RUN with the arguments of the program, which are to be COUNT, and
// return the exit code.
template <class Run>
int
run_program (int argc, char **argv, int count, Run &&run)
{
  if (argc != count + 1)
    return 64;
  try
    {
      run (argv + 1);
    }
  catch (const std::exception &error)
    {
      std::fprintf (stderr, "%s: %s\n", argv[0], error.what ());
      return 1;
    }
  return 0;
}
