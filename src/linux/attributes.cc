// SPDX-License-Identifier: GPL-3.0-or-later
// Attributes of a process and its namespaces.
#include "linux/steps.hh"

#include "base/unique_fd.hh"
#include "plan/place.hh"

#include <charconv>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix::plan {

// ("host-name" NAME)
outcome<void>
set_host_name (const step &step, context &) noexcept
{
  if (::sethostname (step.text (0), step.texts[0].size ()) < 0)
    return failed ("sethostname", step.text (0));
  return {};
}

// ("domain-name" NAME)
outcome<void>
set_domain_name (const step &step, context &) noexcept
{
  if (::setdomainname (step.text (0), step.texts[0].size ()) < 0)
    return failed ("setdomainname", step.text (0));
  return {};
}

// ("personality" FLAGS)
outcome<void>
set_personality (const step &step, context &) noexcept
{
  if (::personality (static_cast<unsigned long> (step.numbers[0])) < 0)
    return failed ("personality");
  return {};
}

// ("oom-score" ADJUSTMENT): be killed before others when memory runs out.
// Not all kernels and containers allow it; that must not prevent a build.
outcome<void>
set_oom_score (const step &step, context &) noexcept
{
  char text[16];
  auto end = std::to_chars (text, text + sizeof text, step.numbers[0]).ptr;
  unique_fd fd {::open ("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)};
  if (fd)
    {
      [[maybe_unused]] auto written = ::write (fd.get (), text, end - text);
    }
  return {};
}

// ("program-within" DIRECTORY): the program, once all symbolic links are
// followed, lies below DIRECTORY.  Magic links are refused, since through
// /proc/self/exe a program could lay hands on the one that this process was
// forked from.
outcome<void>
require_program_within (const step &step, context &context) noexcept
{
  struct open_how how {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  unique_fd fd {static_cast<int> (::syscall (
      SYS_openat2, AT_FDCWD, context.program, &how, sizeof how))};
  if (!fd)
    return failed ("openat2", context.program);
  char link[32] = "/proc/self/fd/", resolved[PATH_MAX];
  *std::to_chars (link + 14, link + sizeof link - 1, fd.get ()).ptr = '\0';
  auto length = ::readlink (link, resolved, sizeof resolved);
  if (length < 0)
    return failed ("readlink", context.program);
  std::string_view name {resolved, static_cast<std::size_t> (length)};
  if (!lies_below (name, step.texts[0]))
    return failed ("not there", context.program, EACCES);
  return {};
}

}
