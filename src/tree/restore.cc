// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/restore.hh"
#include "base/retry.hh"
#include "tree/share.hh"

#include <algorithm>
#include <unistd.h>

namespace fruix {

// Less is not worth a way of its own.
static constexpr std::size_t much = 64 * 1024;

nar_restorer::nar_restorer (unique_fd directory, std::string name,
                            unique_fd shared, const digester_options &options)
  : directory_ {std::move (directory)}, shared_ {std::move (shared)},
    flat_ {options.flat}, digester_ {options},
    writer_ {directory_.get (), std::move (name)}
{
}

outcome<std::uint64_t>
nar_restorer::feed (std::span<const std::uint8_t> bytes)
{
  if (std::exchange (broken_, true))
    return failed ("nar", "archive was refused before", EBADMSG);
  auto input = bytes;
  for (;;)
    {
      auto event = reader_.next (input);
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::more || event->kind == event_kind::done)
        break;
      if (auto result = take (*event); !result)
        return std::unexpected {result.error ()};
    }
  broken_ = false;
  return bytes.size () - input.size ();
}

outcome<std::optional<std::uint64_t>>
nar_restorer::receive (int descriptor)
{
  if (reader_.contents_left () < much)
    return std::nullopt;
  auto room = digester_.room ();
  if (room.empty ())
    return std::nullopt;
  auto size = std::min<std::uint64_t> (room.size (), reader_.contents_left ());
  auto count = retry ([&] { return ::read (descriptor, room.data (), size); });
  if (count < 0)
    return failed ("read");
  return feed (room.first (static_cast<std::size_t> (count)));
}

outcome<void>
nar_restorer::take (event event)
{
  if (flat_
      && (event.kind == event_kind::directory
          || event.kind == event_kind::symlink))
    return failed ("nar", "regular file expected", EBADMSG);
  if (flat_)
    event.executable = false;
  digester_.take (event);
  auto result = writer_.take (event);
  if (result && event.kind == event_kind::file_end && shared_)
    return share ();
  return result;
}

outcome<void>
nar_restorer::share ()
{
  auto key = digester_.key ();
  if (key.empty ())
    return {};
  auto shared = share_file (shared_.get (), key, writer_.directory (),
                            writer_.name ().c_str (), false);
  if (!shared)
    return std::unexpected {shared.error ()};
  return {};
}

outcome<tree_summary>
nar_restorer::finish ()
{
  if (broken_ || !done ())
    return failed ("nar", "archive ends too early", EBADMSG);
  return digester_.summary ();
}

}
