// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/perform.hh"

#include "base/unique_fd.hh"

#include <ranges>
#include <utility>

namespace fruix::plan {

outcome<void>
undo (std::span<step> receipt)
{
  if (auto result = resolve (receipt, performer::undoer); !result)
    return result;
  context context;
  outcome<void> first {};
  for (auto &step : std::views::reverse (receipt))
    if (auto result = perform (step, context); !result && first)
      first = result;
  return first;
}

outcome<void>
perform_host (std::span<step> steps, std::vector<step> &receipt)
{
  if (auto result = resolve (steps, performer::host); !result)
    return result;
  context context;
  outcome<void> result {};
  for (auto &step : steps)
    if (result = perform (step, context); !result)
      break;
  // Nothing of it may be in use when it is undone.
  unique_fd {context.root};
  unique_fd {context.directory};
  if (result)
    receipt = std::move (context.receipt);
  else
    {
      // What went wrong first is what to tell.
      [[maybe_unused]] auto undone = undo (context.receipt);
    }
  return result;
}

}
