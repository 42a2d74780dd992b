// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/digester.hh"
#include "archive/base32.hh"

#include <system_error>

namespace fruix {

// Pieces of the NAR are gathered up to this size before they are hashed.
static constexpr std::size_t gather_size = 32 * 1024;
// Data of this size or more are not worth copying for that.
static constexpr std::size_t copy_limit = 4096;
// A NAR of this size or more is worth another thread.
static constexpr std::size_t large_size = 1024 * 1024;

static std::span<const std::uint8_t>
bytes_of (std::string_view text) noexcept
{
  return {reinterpret_cast<const std::uint8_t *> (text.data ()),
          text.size ()};
}

digester::digester (const digester_options &options)
  : flat_ {options.flat}, keys_ {options.keys}, nar_ {GCRY_MD_SHA256},
    extra_is_nar_ {!options.flat && options.algorithm == GCRY_MD_SHA256},
    scanner_ {options.candidates}
{
  if (options.algorithm && !extra_is_nar_)
    extra_.emplace (options.algorithm);
}

void
digester::take (const event &event)
{
  if (!started_)
    {
      summary_.type = event.kind;
      summary_.executable = event.executable;
      if (flat_ && event.kind != event_kind::file)
        extra_.reset ();
    }
  if (event.kind == event_kind::file)
    start_key (event);
  started_ = true;
  writer_.append (event, pending_);
  if (event.kind == event_kind::data)
    take_data (event.bytes);
  if (pending_.size () >= gather_size)
    flush ();
}

std::span<std::uint8_t>
digester::room ()
{
  flush ();
  return conveyor_ ? conveyor_->room () : std::span<std::uint8_t> {};
}

// The root file needs no hash of its own: it is the NAR.
void
digester::start_key (const event &event)
{
  file_size_ = event.size;
  file_hashed_ = keys_ && started_ && file_size_ >= minimum_shared_size;
  if (file_hashed_)
    file_.start (event);
}

void
digester::take_data (std::span<const std::uint8_t> bytes)
{
  if (flat_ && extra_)
    extra_->update (bytes);
  if (file_hashed_)
    file_.update (bytes);
  if (bytes.size () < copy_limit)
    // Not by iterators, which copy byte by byte.
    pending_.append (reinterpret_cast<const char *> (bytes.data ()),
                     bytes.size ());
  else
    {
      flush ();
      pass_on (bytes);
    }
}

// BYTES are the next ones of the NAR.
void
digester::absorb (std::span<const std::uint8_t> bytes)
{
  nar_.update (bytes);
  if (extra_ && !flat_)
    extra_->update (bytes);
  scanner_.scan (bytes);
  summary_.size += bytes.size ();
}

// Have BYTES absorbed, here or by the other thread.
void
digester::pass_on (std::span<const std::uint8_t> bytes)
{
  if (conveyor_)
    return conveyor_->put (bytes);
  absorb (bytes);
  if (summary_.size >= large_size)
    start_conveyor ();
}

void
digester::flush ()
{
  pass_on (bytes_of (pending_));
  pending_.clear ();
}

void
digester::start_conveyor ()
{
  try
    {
      conveyor_.emplace ([this] (std::span<const std::uint8_t> bytes)
        { absorb (bytes); });
    }
  catch (const std::system_error &)
    {
      // There can be no more threads now: it takes longer.
    }
}

// Have absorbed all that there is.
void
digester::settle ()
{
  flush ();
  if (conveyor_)
    conveyor_->drain ();
}

std::string
digester::key ()
{
  if (!keys_ || file_size_ < minimum_shared_size)
    return "";
  if (!file_hashed_)
    return base32 (summary ().hash.bytes ());
  return file_.finish ();
}

hasher
digester::nar_hash ()
{
  settle ();
  return hasher {nar_};
}

tree_summary
digester::summary ()
{
  summary_.hash = nar_hash ().finish ();
  summary_.extra = extra_         ? extra_->finish ()
                   : extra_is_nar_ ? summary_.hash
                                   : digest {};
  return summary_;
}

std::vector<std::string>
digester::references ()
{
  settle ();
  return scanner_.found ();
}

}
