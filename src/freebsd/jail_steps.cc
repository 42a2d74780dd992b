// SPDX-License-Identifier: GPL-3.0-or-later
// A jail, its network and its limits, as steps of the host.
#include "freebsd/steps.hh"

#include "base/unique_fd.hh"
#include "freebsd/jail.hh"
#include "freebsd/limits.hh"
#include "freebsd/loopback.hh"
#include "freebsd/teardown.hh"

namespace fruix::plan {

// The ID of the jail that the first text of STEP names.
static outcome<int>
jail_of (const step &step)
{
  auto id = find_jail (step.texts[0]);
  if (!id)
    return std::unexpected {id.error ()};
  if (!*id)
    return failed ("jail_get", step.texts[0], ENOENT);
  return **id;
}

// ("jail" NAME PARAMETER VALUE...): a VALUE is a string, an integer, or ""
// for a parameter that is Boolean.
outcome<void>
make_jail (const step &step, context &context)
{
  std::vector<parameter> parameters {
    parameter::text ("name", step.texts[0])};
  auto text = step.texts.begin () + 1;
  auto number = step.numbers.begin ();
  for (std::size_t i = 1; i + 1 < step.shape.size (); i += 2)
    {
      if (step.shape[i] != 's')
        return failed ("parameter", step.texts[0], EINVAL);
      auto &name = *text++;
      if (step.shape[i + 1] == 'i' && !std::in_range<int> (*number))
        return failed ("parameter", name, ERANGE);
      if (step.shape[i + 1] == 'i')
        parameters.push_back (
            parameter::number (name, static_cast<int> (*number++)));
      else if (auto &value = *text++; value.empty ())
        parameters.push_back (parameter::flag (name));
      else
        parameters.push_back (parameter::text (name, value));
    }
  auto jail = create_jail (parameters);
  if (!jail)
    return std::unexpected {jail.error ()};
  context.receipt.push_back (
      make_step ("remove-jail", {jail->id, jail->descriptor}));
  return {};
}

// ("remove-jail" ID DESCRIPTOR): kill what is in it, and wait until no process
// is left.
outcome<void>
undo_jail (const step &step, context &)
{
  unique_fd descriptor {step.number (1)};
  auto gone = tear_down_jail (step.number (0));
  if (!gone)
    return std::unexpected {gone.error ()};
  return {};
}

// ("loopback-up" NAME): the jail's own network gets 127.0.0.1 and ::1.
outcome<void>
raise_jail_loopback (const step &step, context &)
{
  auto id = jail_of (step);
  if (!id)
    return std::unexpected {id.error ()};
  return raise_loopback (*id);
}

// ("resource-rule" NAME RULE): "RESOURCE:ACTION=AMOUNT" for all processes of
// the jail together.
outcome<void>
add_jail_rule (const step &step, context &context)
{
  auto added
      = add_resource_rule ("jail:" + step.texts[0] + ":" + step.texts[1]);
  if (added)
    context.receipt.push_back (
        make_step ("remove-resource-rules", {step.texts[0]}));
  return added;
}

// ("remove-resource-rules" NAME): all that the jail has, if it has any.
outcome<void>
undo_jail_rules (const step &step, context &)
{
  auto removed = remove_resource_rules ("jail:" + step.texts[0]);
  if (!removed
      && (removed.error ().error == ESRCH || removed.error ().error == ENOSYS))
    return {};
  return removed;
}

// ("cpus" NAME COUNT): as many processors, others for the next jail.
outcome<void>
choose_processors (const step &step, context &)
{
  auto id = jail_of (step);
  if (!id)
    return std::unexpected {id.error ()};
  auto count = step.numbers[0];
  return limit_processors (*id, count,
                           static_cast<std::uint64_t> (*id)
                           * static_cast<std::uint64_t> (count));
}

}
