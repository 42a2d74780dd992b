// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/step.hh"

#include <algorithm>

namespace fruix::plan {

static const step_kind *
find_kind (std::string_view name) noexcept
{
  for (auto table : {shared_steps (), system_steps ()})
    for (auto &kind : table)
      if (name == kind.name)
        return &kind;
  return nullptr;
}

// Whether arguments of the shape GIVEN fit WANTED, which may end in '*'.
static bool
fits (std::string_view given, std::string_view wanted) noexcept
{
  if (!wanted.ends_with ('*'))
    return given == wanted;
  auto fixed = wanted.substr (0, wanted.size () - 2);
  char repeated = wanted[wanted.size () - 2];
  return given.starts_with (fixed)
         && std::ranges::all_of (given.substr (fixed.size ()),
                                 [&] (char c) { return c == repeated; });
}

outcome<void>
resolve (std::span<step> steps) noexcept
{
  // Plans repeat a few kinds thousands of times.
  const step_kind *last = nullptr;
  for (auto &step : steps)
    {
      if (!last || step.name != last->name)
        last = find_kind (step.name);
      if (!last)
        return failed ("plan: unknown step", step.name, EINVAL);
      if (!fits (step.shape, last->shape))
        return failed ("plan: wrong arguments of step", step.name, EINVAL);
      step.kind = last;
    }
  return {};
}

// FAULT as that of the step called NAME: "NAME: CALL", as far as it fits.
static fault
name_step (std::string_view name, const fault &fault) noexcept
{
  char who[sizeof fault.who] {};
  std::size_t length = 0;
  for (auto part : {name, std::string_view {": "},
                    std::string_view {fault.who}})
    for (char c : part)
      if (length < sizeof who - 1)
        who[length++] = c;
  return make_fault (who, fault.object, fault.error);
}

outcome<void>
perform (const step &step, child &child) noexcept
{
  auto result = step.kind->perform (step, child);
  if (!result)
    return std::unexpected {name_step (step.kind->name, result.error ())};
  return {};
}

}
