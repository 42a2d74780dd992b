// SPDX-License-Identifier: GPL-3.0-or-later
// A cgroup for the processes of a sandbox; see cgroups(7).  It is made by the
// host, in a cgroup that was delegated to it, and processes are born in it.
//
// Each is two, one in the other.  An ordinary user owns both, and so does the
// program in his sandbox: in a cgroup namespace of its own it can mount the
// one where it lives and change that, but nothing above.  So the limits are
// those of the outer one, and one of them is that there is no third.
#include "linux/cgroup.hh"
#include "linux/control.hh"

#include "linux/steps.hh"

#include <ctime>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix {

static std::string
inner (const std::string &directory)
{
  return directory + "/inside";
}

std::string
cgroup_members (const std::string &directory)
{
  return inner (directory) + "/cgroup.procs";
}

}

namespace fruix::plan {

// Remove one cgroup.  The kernel reports the end of a process before it has
// left its cgroup.
static outcome<void>
remove_one (const std::string &directory, int attempts) noexcept
{
  constexpr struct timespec pause = {0, 2'000'000};
  while (::rmdir (directory.c_str ()) < 0 && errno != ENOENT)
    {
      if (errno != EBUSY || --attempts <= 0)
        return failed ("rmdir", directory);
      ::nanosleep (&pause, nullptr);
    }
  return {};
}

static outcome<void>
remove_both (const std::string &directory, int attempts)
{
  auto removed = remove_one (inner (directory), attempts);
  return removed ? remove_one (directory, attempts) : removed;
}

// Make DIRECTORY.  If there is one that nobody lives in, a crash left it.
static outcome<void>
make_outer (const std::string &directory)
{
  if (::mkdir (directory.c_str (), 0755) == 0)
    return {};
  if (errno != EEXIST)
    return failed ("mkdir", directory);
  if (auto removed = remove_both (directory, 1); !removed)
    return removed;
  if (::mkdir (directory.c_str (), 0755) < 0)
    return failed ("mkdir", directory);
  return {};
}

// ("cgroup" DIRECTORY): EBUSY if there is one that is in use.
outcome<void>
make_cgroup (const step &step, context &context)
{
  const std::string &directory = step.texts[0];
  if (auto made = make_outer (directory); !made)
    return made;
  context.receipt.push_back (make_step ("remove-cgroup", {directory}));
  if (::mkdir (inner (directory).c_str (), 0755) < 0)
    return failed ("mkdir", inner (directory));
  return write_control ((directory + "/cgroup.max.descendants").c_str (),
                        "1");
}

// ("cgroup-limit" DIRECTORY FILE VALUE): undone with the cgroup.
outcome<void>
limit_cgroup (const step &step, context &)
{
  return write_control ((step.texts[0] + "/" + step.texts[1]).c_str (),
                        step.texts[2]);
}

// ("remove-cgroup" DIRECTORY): kill what is in it, and wait until it is gone.
outcome<void>
remove_cgroup (const step &step, context &)
{
  constexpr int attempts = 1000;
  // Without such a file, or anybody there, removing succeeds, or tells why.
  [[maybe_unused]] auto killed
      = write_control ((step.texts[0] + "/cgroup.kill").c_str (), "1");
  return remove_both (step.texts[0], attempts);
}

}
