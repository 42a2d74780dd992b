// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/copy.hh"
#include "tree/walker.hh"
#include "tree/writer.hh"

namespace fruix {

outcome<void>
copy_tree (int from, const std::string &name, int to,
           const std::string &new_name, ownership &owner)
{
  tree_walker walker {from, name, &owner};
  tree_writer writer {to, new_name};
  for (;;)
    {
      auto event = walker.next ();
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::done)
        return {};
      if (auto result = writer.take (*event); !result)
        return result;
    }
}

}
