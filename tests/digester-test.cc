// SPDX-License-Identifier: GPL-3.0-or-later
// The digester, whose results do not depend on the thread that hashes; and the
// conveyor that takes a NAR to another one.
#include "archive/base32.hh"
#include "archive/digester.hh"
#include "base/conveyor.hh"

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>

using namespace fruix;
namespace data = boost::unit_test::data;

namespace {

const std::string part = "0123456789abcdfghijklmnpqrsvwxyz";

std::span<const std::uint8_t>
bytes_of (std::string_view text)
{
  return {reinterpret_cast<const std::uint8_t *> (text.data ()),
          text.size ()};
}

std::string
noise (std::size_t size)
{
  std::string text (size, '\0');
  std::uint32_t state = 1;
  for (auto &c : text)
    c = static_cast<char> ((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

// Call TAKE with the events of a directory with a file of CONTENTS, whose data
// come in pieces of STEP bytes.
template <class Take>
void
produce (std::string_view contents, std::size_t step, Take &&take)
{
  take (event {.kind = event_kind::directory});
  take (event {.kind = event_kind::entry, .name = "file"});
  take (event {.kind = event_kind::file, .size = contents.size ()});
  for (std::size_t start = 0; start < contents.size (); start += step)
    take (event {.kind = event_kind::data,
                 .bytes = bytes_of (contents.substr (start, step))});
  take (event {.kind = event_kind::file_end});
  take (event {.kind = event_kind::leave});
}

std::string
archive (std::string_view contents)
{
  nar_writer writer;
  std::string result;
  produce (contents, contents.size (), [&] (const event &event)
    {
      writer.append (event, result);
      if (event.kind == event_kind::data)
        result.append (event.bytes.begin (), event.bytes.end ());
    });
  return result;
}

bool
same (const digest &a, const digest &b)
{
  return std::ranges::equal (a.bytes (), b.bytes ());
}

digest
hash_of (std::string_view text, int algorithm)
{
  hasher hasher {algorithm};
  hasher.update (bytes_of (text));
  return hasher.finish ();
}

// The name under which a file of CONTENTS is shared.
std::string
key_of (std::string_view contents)
{
  nar_writer writer;
  std::string alone;
  writer.append ({.kind = event_kind::file, .size = contents.size ()}, alone);
  alone += contents;
  writer.append ({.kind = event_kind::file_end}, alone);
  return base32 (hash_of (alone, GCRY_MD_SHA256).bytes ());
}

// The EVENT, its data moved to where DIGESTER has room for them, if it has.
event
in_place (digester &digester, event event)
{
  if (event.kind != event_kind::data)
    return event;
  auto room = digester.room ();
  if (room.size () < event.bytes.size ())
    return event;
  std::ranges::copy (event.bytes, room.begin ());
  event.bytes = room.first (event.bytes.size ());
  return event;
}

// Whether a digester that is given CONTENTS in pieces of STEP bytes finds out
// all that there is to know, also if they are PLACED where it has room.
void
check_digests (std::string_view contents, std::size_t step, bool placed)
{
  auto expected = archive (contents);
  digester digester {{.algorithm = GCRY_MD_SHA512,
                      .keys = true,
                      .candidates = {part}}};
  std::string key;
  produce (contents, step, [&] (const event &event)
    {
      digester.take (placed ? in_place (digester, event) : event);
      if (event.kind == event_kind::file_end)
        key = digester.key ();
    });
  auto summary = digester.summary ();
  BOOST_TEST (summary.size == expected.size ());
  BOOST_TEST (same (summary.hash, hash_of (expected, GCRY_MD_SHA256)));
  BOOST_TEST (same (summary.extra, hash_of (expected, GCRY_MD_SHA512)));
  BOOST_TEST (key == key_of (contents));
  BOOST_TEST (digester.references ().size () == 1);
}

// A reference that lies across what the digester passes on at once.
std::string
contents_of (std::size_t size)
{
  auto contents = noise (size);
  contents.replace (size - size / 3, part.size (), part);
  return contents;
}

}

BOOST_AUTO_TEST_SUITE (digesting)

BOOST_DATA_TEST_CASE (large_trees_have_the_hashes_of_their_archives,
                      data::make ({10'000, 1 << 20, (1 << 20) + 1, 5'000'003})
                        * data::make ({1000, 32768, 262144, 3'000'000})
                        * data::make ({false, true}),
                      size, step, placed)
{
  check_digests (contents_of (static_cast<std::size_t> (size)),
                 static_cast<std::size_t> (step), placed);
}

BOOST_AUTO_TEST_CASE (bytes_are_consumed_in_their_order)
{
  std::string consumed, expected;
  conveyor conveyor {[&] (std::span<const std::uint8_t> bytes)
    { consumed.append (bytes.begin (), bytes.end ()); }};
  // Many times as much as is there at once, in pieces of odd sizes.
  for (int i = 0; i < 1000; ++i)
    {
      std::string piece (static_cast<std::size_t> (i) * 17,
                         static_cast<char> (i));
      expected += piece;
      conveyor.put (bytes_of (piece));
    }
  conveyor.drain ();
  BOOST_TEST (consumed == expected);
}

BOOST_AUTO_TEST_CASE (bytes_that_lie_there_are_consumed_as_they_are)
{
  std::string consumed, expected;
  conveyor conveyor {[&] (std::span<const std::uint8_t> bytes)
    { consumed.append (bytes.begin (), bytes.end ()); }};
  for (std::size_t i = 0; i < 100; ++i)
    {
      auto room = conveyor.room ();
      auto part = room.first (std::min (room.size (), i * 4001));
      std::ranges::fill (part, static_cast<std::uint8_t> (i));
      expected.append (part.begin (), part.end ());
      conveyor.put (part);
      std::string piece (i, '-');
      expected += piece;
      conveyor.put (bytes_of (piece));
    }
  conveyor.drain ();
  BOOST_TEST (consumed == expected);
}

// They are counted in 32 bits.
BOOST_AUTO_TEST_CASE (there_may_be_any_number_of_bytes)
{
  constexpr std::uint64_t size = std::uint64_t {9} << 29;
  std::uint64_t put = 0, consumed = 0;
  conveyor conveyor {[&] (std::span<const std::uint8_t> bytes)
    { consumed += bytes.size (); }};
  while (put < size)
    {
      auto room = conveyor.room ();
      conveyor.put (room);
      put += room.size ();
    }
  conveyor.drain ();
  BOOST_TEST (consumed == put);
}

// As when a tree turns out to be bad.
BOOST_AUTO_TEST_CASE (one_that_is_laden_can_be_destroyed)
{
  auto ended = std::async (std::launch::async, []
    {
      conveyor conveyor {[] (std::span<const std::uint8_t>) {}};
      conveyor.put (bytes_of (std::string (1'000'000, 'x')));
    });
  BOOST_TEST ((ended.wait_for (std::chrono::seconds {10})
               == std::future_status::ready));
}

BOOST_AUTO_TEST_SUITE_END ()
