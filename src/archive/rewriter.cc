// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/rewriter.hh"
#include "archive/references.hh"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace fruix {

hash_rewriter::hash_rewriter (const replacements &replacements)
  : replacements_ {replacements}
{
  for (auto &[from, to] : replacements_)
    if (from.size () != hash_part_size || to.size () != hash_part_size)
      throw std::system_error {EINVAL, std::generic_category (),
                               "hash part " + from};
}

void
hash_rewriter::replace_in (std::span<std::uint8_t> bytes) const noexcept
{
  for (auto &[from, to] : replacements_)
    for (auto rest = bytes;;)
      {
        auto found = std::ranges::search (rest, from);
        if (found.empty ())
          break;
        std::ranges::copy (to, found.begin ());
        rest = {found.end (), rest.end ()};
      }
}

std::span<const std::uint8_t>
hash_rewriter::feed (std::span<const std::uint8_t> bytes)
{
  window_.erase (window_.begin (),
                 window_.begin () + static_cast<std::ptrdiff_t> (finished_));
  window_.insert (window_.end (), bytes.begin (), bytes.end ());
  replace_in (window_);
  // What may be the beginning of a hash part waits for the rest.
  finished_ = window_.size () - std::min (window_.size (),
                                          hash_part_size - 1);
  return std::span {window_}.first (finished_);
}

std::span<const std::uint8_t>
hash_rewriter::finish ()
{
  feed ({});
  auto rest = std::span {window_}.subspan (finished_);
  finished_ = window_.size ();
  return rest;
}

std::string
hash_rewriter::rewrite (std::string_view text) const
{
  std::string result {text};
  replace_in ({reinterpret_cast<std::uint8_t *> (result.data ()),
               result.size ()});
  return result;
}

}
