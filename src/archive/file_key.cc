// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/file_key.hh"
#include "archive/base32.hh"

namespace fruix {

void
file_key::append (const event &event)
{
  std::string framing;
  writer_.append (event, framing);
  hash_.update ({reinterpret_cast<const std::uint8_t *> (framing.data ()),
                 framing.size ()});
}

void
file_key::start (const event &file)
{
  writer_ = {};
  hash_.reset ();
  append (file);
}

void
file_key::update (std::span<const std::uint8_t> bytes) noexcept
{
  hash_.update (bytes);
}

std::string
file_key::finish ()
{
  append ({event_kind::file_end});
  return base32 (hash_.finish ().bytes ());
}

}
