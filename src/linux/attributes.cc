// SPDX-License-Identifier: GPL-3.0-or-later
// Attributes of a process and its namespaces.
#include "linux/steps.hh"

#include "base/unique_fd.hh"

#include <charconv>
#include <fcntl.h>
#include <sys/personality.h>
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

}
