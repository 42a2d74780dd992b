// SPDX-License-Identifier: GPL-3.0-or-later
// From a NAR, fed in pieces of any size, to the events of the tree.
//
// An archive is accepted if and only if it is what 'nar_writer' writes for
// that tree: one order of fields, entries sorted and unique, zero padding.
// Memory is bounded by the depth, never by a length that the archive claims.
#pragma once

#include "archive/event.hh"
#include "base/outcome.hh"

#include <string>
#include <vector>

namespace fruix {

class nar_reader
{
public:
  // The next event; INPUT loses the bytes used for it.  'more' means that
  // INPUT is used up.  After 'done' nothing is consumed any more.  A fault is
  // from "nar", with EBADMSG, and final.
  outcome<event> next (std::span<const std::uint8_t> &input);

  bool done () const noexcept { return state_ == state::finished; }
  // How many bytes that come next are contents of a file, at least.
  std::uint64_t contents_left () const noexcept { return left_; }

  // Where the grammar stands: what the next token is.
  enum class state : std::uint8_t
  {
    magic, open, type_key, type, attribute, no_value, contents_key, contents,
    target_key, target, entry_or_close, entry_open, name_key, name, node_key,
    close, entry_close, finished, refused,
  };

private:
  outcome<event> refuse (std::string_view why,
                         std::string_view object = {}) noexcept;
  bool take_length (std::span<const std::uint8_t> &input) noexcept;
  bool take_token (std::span<const std::uint8_t> &input);
  outcome<event> accept_token ();
  outcome<event> accept_keyword ();
  outcome<event> accept_name ();
  outcome<event> accept_target ();
  outcome<event> enter_directory ();
  outcome<event> start_contents () noexcept;
  outcome<event>
  next_contents (std::span<const std::uint8_t> &input) noexcept;
  outcome<event> close_node (event_kind kind);

  state state_ = state::magic;
  bool executable_ = false;
  std::uint64_t length_ = 0;       // of the current token
  unsigned length_bytes_ = 0;      // how many bytes of LENGTH_ are known
  std::string token_;              // what is there of it, with its padding
  std::string target_;             // of the last symbolic link
  std::uint64_t left_ = 0;         // bytes of contents still to come
  unsigned padding_ = 0;           // bytes of padding after them
  std::vector<std::string> last_;  // per open directory: its last entry
};

}
