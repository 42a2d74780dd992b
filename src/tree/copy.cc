// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/copy.hh"
#include "tree/walker.hh"
#include "tree/writer.hh"

namespace fruix {

static outcome<void>
write_bytes (tree_writer &writer, std::span<const std::uint8_t> bytes)
{
  if (bytes.empty ())
    return {};
  return writer.take ({.kind = event_kind::data, .bytes = bytes});
}

// Pass EVENT on to WRITER as REWRITER has it.
static outcome<void>
rewrite (event event, hash_rewriter &rewriter, tree_writer &writer)
{
  if (event.kind == event_kind::data)
    return write_bytes (writer, rewriter.feed (event.bytes));
  if (event.kind == event_kind::file_end)
    if (auto result = write_bytes (writer, rewriter.finish ()); !result)
      return result;
  std::string name;
  if (event.kind == event_kind::entry || event.kind == event_kind::symlink)
    event.name = name = rewriter.rewrite (event.name);
  return writer.take (event);
}

outcome<void>
copy_tree (int from, const std::string &name, int to,
           const std::string &new_name, ownership &owner,
           const hash_rewriter::replacements &replacements)
{
  tree_walker walker {from, name, &owner};
  tree_writer writer {to, new_name};
  hash_rewriter rewriter {replacements};
  for (;;)
    {
      auto event = walker.next ();
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::done)
        return {};
      auto result = replacements.empty ()
                        ? writer.take (*event)
                        : rewrite (*event, rewriter, writer);
      if (!result)
        return result;
    }
}

}
