// SPDX-License-Identifier: GPL-3.0-or-later
#include "process/mentions.hh"

namespace fruix {

static constexpr std::size_t longest_name = 255;

static constexpr std::string_view name_characters {
  "abcdefghijklmnopqrstuvwxyz"
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  "0123456789+-._?="};

mention_finder::mention_finder (std::string_view directory)
    : prefix_ {std::string {directory} + "/"}
{
}

// A variable may go on behind a name with one of the two characters that are
// rare in names.
void
mention_finder::note (std::string_view name)
{
  if (name.empty () || name.size () > longest_name || name.front () == '.')
    return;
  names_.emplace (name);
  auto doubtful = name.find_first_of ("?=");
  if (doubtful != name.npos && doubtful > 0)
    names_.emplace (name.substr (0, doubtful));
}

// Note the name that begins at BEGIN, and let END be where it ends; false if
// the text must go on to tell, which it does not after the LAST piece.
bool
mention_finder::take (std::size_t begin, bool last, std::size_t &end)
{
  std::string_view rest {pending_.data () + begin, pending_.size () - begin};
  auto length = rest.substr (0, longest_name + 1)
                    .find_first_not_of (name_characters);
  if (length == rest.npos && rest.size () <= longest_name && !last)
    return false;
  length = std::min (length, rest.size ());
  note (rest.substr (0, length));
  end = begin + std::min (length, longest_name + 1);
  return true;
}

void
mention_finder::feed (std::string_view bytes)
{
  pending_ += bytes;
  std::size_t done = 0;
  for (;;)
    {
      auto found = pending_.find (prefix_, done);
      if (found == pending_.npos)
        break;
      done = found;
      if (!take (found + prefix_.size (), bytes.empty (), done))
        {
          pending_.erase (0, found);
          return;
        }
    }
  // The beginning of another mention may be all that there is yet.
  auto kept = std::min (pending_.size () - done, prefix_.size () - 1);
  pending_.erase (0, pending_.size () - kept);
}

void
mention_finder::finish ()
{
  feed ({});
  pending_.clear ();
}

}
