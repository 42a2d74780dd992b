// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/nar_reader.hh"
#include "base/printable.hh"

#include <algorithm>
#include <limits>

namespace fruix {

using state = nar_reader::state;

// The grammar: in state FROM, the word TOKEN leads to TO.  Names, targets and
// contents are no words, and the end of a node depends on where it is.
static constexpr struct
{
  state from;
  std::string_view token;
  state to;
} grammar[] = {
  {state::magic, "nix-archive-1", state::open},
  {state::open, "(", state::type_key},
  {state::type_key, "type", state::type},
  {state::type, "regular", state::attribute},
  {state::type, "symlink", state::target_key},
  {state::type, "directory", state::entry_or_close},
  {state::attribute, "contents", state::contents},
  {state::attribute, "executable", state::no_value},
  {state::no_value, "", state::contents_key},
  {state::contents_key, "contents", state::contents},
  {state::target_key, "target", state::target},
  {state::entry_or_close, "entry", state::entry_open},
  {state::entry_or_close, ")", state::close},
  {state::entry_open, "(", state::name_key},
  {state::name_key, "name", state::name},
  {state::node_key, "node", state::open},
  {state::close, ")", state::close},
  {state::entry_close, ")", state::entry_or_close},
};

static constexpr std::size_t longest_word = 13;

static std::size_t
longest_token (state state) noexcept
{
  return state == state::name     ? maximum_name
         : state == state::target ? maximum_target
                                  : longest_word;
}

static unsigned
padding_of (std::uint64_t length) noexcept
{
  return -length % 8;
}

outcome<event>
nar_reader::refuse (std::string_view why, std::string_view object) noexcept
{
  state_ = state::refused;
  return failed ("nar", printable {why, object}.view (), EBADMSG);
}

outcome<event>
nar_reader::next (std::span<const std::uint8_t> &input)
{
  for (;;)
    {
      if (state_ == state::finished)
        return event {event_kind::done};
      if (state_ == state::refused)
        return refuse ("archive was refused before");
      if (length_bytes_ < 8)
        {
          if (!take_length (input))
            return event {event_kind::more};
          if (state_ == state::contents)
            return start_contents ();
          if (length_ > longest_token (state_))
            return refuse ("token too long");
        }
      if (state_ == state::contents)
        return next_contents (input);
      if (!take_token (input))
        return event {event_kind::more};
      auto result = accept_token ();
      if (!result || result->kind != event_kind::more)
        return result;
    }
}

// Gather the length of the next token: eight bytes, least significant first.
bool
nar_reader::take_length (std::span<const std::uint8_t> &input) noexcept
{
  for (; length_bytes_ < 8 && !input.empty (); input = input.subspan (1))
    length_ |= std::uint64_t {input.front ()} << (8 * length_bytes_++);
  return length_bytes_ == 8;
}

// Gather a token with its padding.
bool
nar_reader::take_token (std::span<const std::uint8_t> &input)
{
  std::size_t wanted = length_ + padding_of (length_) - token_.size ();
  auto part = input.first (std::min (wanted, input.size ()));
  token_.append (part.begin (), part.end ());
  input = input.subspan (part.size ());
  return part.size () == wanted;
}

// TOKEN_ is complete: 'more' if it only moves the state.
outcome<event>
nar_reader::accept_token ()
{
  if (token_.find_first_not_of ('\0', length_) != std::string::npos)
    return refuse ("padding that is not zero");
  token_.resize (length_);
  auto result = state_ == state::name     ? accept_name ()
                : state_ == state::target ? accept_target ()
                                          : accept_keyword ();
  length_ = length_bytes_ = 0;
  token_.clear ();
  return result;
}

outcome<event>
nar_reader::accept_keyword ()
{
  auto row = std::ranges::find_if (grammar, [&] (auto &row)
    { return row.from == state_ && row.token == token_; });
  if (row == std::end (grammar))
    return refuse ("unexpected token", token_);
  if (row->to == state::close)
    return close_node (state_ == state::close ? event_kind::more
                                              : event_kind::leave);
  if (row->from == state::type && row->to == state::entry_or_close)
    return enter_directory ();
  if (row->from == state::type)
    executable_ = false;
  if (row->to == state::no_value)
    executable_ = true;
  state_ = row->to;
  return event {event_kind::more};
}

outcome<event>
nar_reader::enter_directory ()
{
  if (last_.size () == maximum_depth)
    return refuse ("directories nested too deeply");
  last_.emplace_back ();
  state_ = state::entry_or_close;
  return event {event_kind::directory};
}

outcome<event>
nar_reader::accept_name ()
{
  using namespace std::string_view_literals;
  if (token_.empty () || token_ == "." || token_ == ".."
      || token_.find_first_of ("/\0"sv) != std::string::npos)
    return refuse ("invalid entry name", token_);
  if (token_ <= last_.back ())
    return refuse ("duplicate or unsorted entry", token_);
  last_.back () = token_;
  state_ = state::node_key;
  return event {event_kind::entry, false, 0, last_.back ()};
}

outcome<event>
nar_reader::accept_target ()
{
  if (token_.empty () || token_.find ('\0') != std::string::npos)
    return refuse ("invalid target of a symbolic link", token_);
  target_.swap (token_);
  state_ = state::close;
  return event {event_kind::symlink, false, 0, target_};
}

outcome<event>
nar_reader::start_contents () noexcept
{
  if (length_ > std::numeric_limits<std::int64_t>::max ())
    return refuse ("file too large");
  left_ = length_;
  padding_ = padding_of (length_);
  return event {event_kind::file, executable_, length_};
}

outcome<event>
nar_reader::next_contents (std::span<const std::uint8_t> &input) noexcept
{
  if (left_ > 0)
    {
      if (input.empty ())
        return event {event_kind::more};
      auto size = std::min<std::uint64_t> (left_, input.size ());
      auto part = input.first (size);
      left_ -= part.size ();
      input = input.subspan (part.size ());
      return event {event_kind::data, false, 0, {}, part};
    }
  for (; padding_ > 0 && !input.empty (); --padding_)
    {
      if (input.front () != 0)
        return refuse ("padding that is not zero");
      input = input.subspan (1);
    }
  if (padding_ > 0)
    return event {event_kind::more};
  length_ = length_bytes_ = 0;
  state_ = state::close;
  return event {event_kind::file_end};
}

// A node ended.  KIND is 'leave' for a directory.
outcome<event>
nar_reader::close_node (event_kind kind)
{
  if (kind == event_kind::leave)
    last_.pop_back ();
  state_ = last_.empty () ? state::finished : state::entry_close;
  return event {kind};
}

}
