// SPDX-License-Identifier: GPL-3.0-or-later
// A cgroup for the processes of a sandbox; see cgroups(7).  It is made by the
// host, in a cgroup that was delegated to it, and processes are born in it.
#include "linux/steps.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix::plan {

static outcome<void>
write_control (const std::string &file, std::string_view text) noexcept
{
  unique_fd fd {::open (file.c_str (), O_WRONLY | O_CLOEXEC)};
  if (!fd)
    return failed ("open", file);
  if (::write (fd.get (), text.data (), text.size ())
      != static_cast<ssize_t> (text.size ()))
    return failed ("write", file);
  return {};
}

// ("cgroup" DIRECTORY): it must not be there yet.
outcome<void>
make_cgroup (const step &step, context &context)
{
  if (::mkdir (step.text (0), 0755) < 0)
    return failed ("mkdir", step.text (0));
  context.receipt.push_back (make_step ("remove-cgroup", {step.texts[0]}));
  return {};
}

// ("cgroup-limit" DIRECTORY FILE VALUE): undone with the cgroup.
outcome<void>
limit_cgroup (const step &step, context &)
{
  return write_control (step.texts[0] + "/" + step.texts[1], step.texts[2]);
}

// ("remove-cgroup" DIRECTORY): kill what is in it.  The kernel reports the
// end of a process before it has left its cgroup.
outcome<void>
remove_cgroup (const step &step, context &)
{
  constexpr int attempts = 1000;
  constexpr struct timespec pause = {0, 2'000'000};
  if (auto killed = write_control (step.texts[0] + "/cgroup.kill", "1");
      !killed && killed.error ().error != ENOENT)
    return killed;
  for (int attempt = 0; attempt < attempts; attempt++)
    {
      if (::rmdir (step.text (0)) == 0 || errno == ENOENT)
        return {};
      if (errno != EBUSY)
        break;
      ::nanosleep (&pause, nullptr);
    }
  return failed ("rmdir", step.text (0));
}

}
