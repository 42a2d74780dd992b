// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/inside.hh"

#include "freebsd/jail.hh"
#include "process/errand.hh"

namespace fruix {

struct visit
{
  int id;
  outcome<void> (*body) () noexcept;
};

static outcome<void>
attach_and_call (const void *argument) noexcept
{
  auto &visit = *static_cast<const struct visit *> (argument);
  if (auto result = attach_jail (visit.id); !result)
    return result;
  return visit.body ();
}

outcome<void>
call_in_jail (int id, outcome<void> (*body) () noexcept)
{
  visit visit {id, body};
  return run_in_child (attach_and_call, &visit);
}

}
