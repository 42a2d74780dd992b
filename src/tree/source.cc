// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/source.hh"

#include <algorithm>

namespace fruix {

nar_source::nar_source (unique_fd directory, std::string name)
  : directory_ {std::move (directory)},
    walker_ {directory_.get (), std::move (name)}
{
}

// Get READY_ bytes from the next event; false at the end of the archive.
outcome<bool>
nar_source::refill ()
{
  auto event = walker_.next ();
  if (!event)
    return std::unexpected {event.error ()};
  framing_.clear ();
  writer_.append (*event, framing_);
  if (event->kind == event_kind::data)
    ready_ = event->bytes;
  else
    ready_ = {reinterpret_cast<const std::uint8_t *> (framing_.data ()),
              framing_.size ()};
  return event->kind != event_kind::done;
}

outcome<std::uint64_t>
nar_source::read (std::span<std::uint8_t> buffer)
{
  auto rest = buffer;
  while (!rest.empty ())
    {
      if (ready_.empty ())
        {
          auto more = refill ();
          if (!more)
            return std::unexpected {more.error ()};
          if (!*more)
            break;
        }
      std::size_t count = std::min (ready_.size (), rest.size ());
      std::copy_n (ready_.begin (), count, rest.begin ());
      ready_ = ready_.subspan (count);
      rest = rest.subspan (count);
    }
  return buffer.size () - rest.size ();
}

outcome<tree_summary>
summarise_tree (int directory, const std::string &name,
                const digester_options &options)
{
  tree_walker walker {directory, name};
  digester digester {options};
  for (;;)
    {
      auto event = walker.next ();
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::done)
        return digester.summary ();
      digester.take (*event);
    }
}

}
