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

// Whether a digester that is given CONTENTS in pieces of STEP bytes finds out
// all that there is to know.
void
check_digests (std::string_view contents, std::size_t step)
{
  auto expected = archive (contents);
  digester digester {{.algorithm = GCRY_MD_SHA512,
                      .keys = true,
                      .candidates = {part}}};
  std::string key;
  produce (contents, step, [&] (const event &event)
    {
      digester.take (event);
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
                        * data::make ({1000, 32768, 262144, 3'000'000}),
                      size, step)
{
  check_digests (contents_of (static_cast<std::size_t> (size)),
                 static_cast<std::size_t> (step));
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
