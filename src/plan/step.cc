// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/step.hh"

namespace fruix::plan {

step
make_step (
    std::string_view name,
    std::initializer_list<std::variant<std::int64_t, std::string>> arguments)
{
  step step;
  step.name = name;
  for (auto &argument : arguments)
    if (auto *number = std::get_if<std::int64_t> (&argument))
      {
        step.shape += 'i';
        step.numbers.push_back (*number);
      }
    else
      {
        step.shape += 's';
        step.texts.push_back (std::get<std::string> (argument));
      }
  return step;
}

static const step_kind *
find_kind (std::string_view name) noexcept
{
  for (auto table : {shared_steps (), system_steps ()})
    for (auto &kind : table)
      if (name == kind.name)
        return &kind;
  return nullptr;
}

// Whether an argument of the letter GIVEN is one of the letter WANTED.
static bool
fits (char given, char wanted) noexcept
{
  return wanted == '.' || given == wanted;
}

// Whether arguments of the shape GIVEN fit WANTED, which may end in '*'.
static bool
fits (std::string_view given, std::string_view wanted) noexcept
{
  bool repeats = wanted.ends_with ('*');
  auto fixed = repeats ? wanted.substr (0, wanted.size () - 2) : wanted;
  if (repeats ? given.size () < fixed.size () : given.size () != fixed.size ())
    return false;
  for (std::size_t i = 0; i < given.size (); i++)
    if (!fits (given[i], i < fixed.size () ? fixed[i]
                                           : wanted[fixed.size ()]))
      return false;
  return true;
}

outcome<void>
resolve (std::span<step> steps, performer by) noexcept
{
  // Plans repeat a few kinds thousands of times.
  const step_kind *last = nullptr;
  for (auto &step : steps)
    {
      if (!last || step.name != last->name)
        last = find_kind (step.name);
      if (!last || last->by != by)
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
perform (const step &step, context &context)
{
  auto result = step.kind->perform (step, context);
  if (!result)
    return std::unexpected {name_step (step.kind->name, result.error ())};
  return {};
}

}
