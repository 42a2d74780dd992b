// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/nar_writer.hh"

namespace fruix {

static void
append_number (std::uint64_t number, std::string &out)
{
  for (int shift = 0; shift < 64; shift += 8)
    out.push_back (static_cast<char> (number >> shift));
}

static void
append_string (std::string_view text, std::string &out)
{
  append_number (text.size (), out);
  out.append (text);
  out.append (-text.size () % 8, '\0');
}

static void
append_strings (std::initializer_list<std::string_view> texts,
                std::string &out)
{
  for (auto text : texts)
    append_string (text, out);
}

// The start of a node, up to where its contents, target or entries begin.
void
nar_writer::append_start (const event &event, std::string &out)
{
  if (!started_)
    append_string ("nix-archive-1", out);
  started_ = true;
  ++depth_;
  append_strings ({"(", "type"}, out);
  if (event.kind == event_kind::directory)
    append_string ("directory", out);
  else if (event.kind == event_kind::symlink)
    append_strings ({"symlink", "target", event.name}, out);
  else
    {
      append_string ("regular", out);
      if (event.executable)
        append_strings ({"executable", ""}, out);
      append_string ("contents", out);
      append_number (event.size, out);
      padding_ = -event.size % 8;
    }
}

// The end of a node, and of the entry around it.
void
nar_writer::append_end (std::string &out)
{
  append_string (")", out);
  if (--depth_ > 0)
    append_string (")", out);
}

void
nar_writer::append (const event &event, std::string &out)
{
  switch (event.kind)
    {
    case event_kind::directory:
    case event_kind::file:
      append_start (event, out);
      break;
    case event_kind::symlink:
      append_start (event, out);
      append_end (out);
      break;
    case event_kind::entry:
      append_strings ({"entry", "(", "name", event.name, "node"}, out);
      break;
    case event_kind::file_end:
      out.append (padding_, '\0');
      append_end (out);
      break;
    case event_kind::leave:
      append_end (out);
      break;
    case event_kind::data:
    case event_kind::done:
    case event_kind::more:
      break;
    }
}

}
