// SPDX-License-Identifier: GPL-3.0-or-later
// The archive parser: it accepts exactly what the writer writes.
#include "archive/nar_reader.hh"
#include "archive/nar_writer.hh"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <random>

using namespace fruix;
namespace data = boost::unit_test::data;

namespace {

std::string
number (std::uint64_t n)
{
  std::string bytes;
  for (int i = 0; i < 64; i += 8)
    bytes.push_back (static_cast<char> (n >> i));
  return bytes;
}

std::string
token (const std::string &text)
{
  return number (text.size ()) + text + std::string (-text.size () % 8, '\0');
}

std::string
archive (std::initializer_list<std::string> tokens)
{
  std::string bytes = token ("nix-archive-1");
  for (auto &text : tokens)
    bytes += token (text);
  return bytes;
}

std::string
file (const std::string &contents)
{
  return token ("(") + token ("type") + token ("regular") + token ("contents")
         + token (contents) + token (")");
}

std::string
entry (const std::string &name, const std::string &node)
{
  return token ("entry") + token ("(") + token ("name") + token (name)
         + token ("node") + node + token (")");
}

std::string
directory (std::initializer_list<std::string> entries)
{
  std::string bytes = token ("(") + token ("type") + token ("directory");
  for (auto &entry : entries)
    bytes += entry;
  return bytes + token (")");
}

std::string
rooted (const std::string &node)
{
  return token ("nix-archive-1") + node;
}

// What became of an archive: what it is when written again, as far as it was
// read, or why it was refused.
struct verdict
{
  bool complete = false;
  std::string again;
  std::string reason;
  std::size_t consumed = 0;
};

// Parse BYTES given STEP at a time.
verdict
parse (const std::string &bytes, std::size_t step = std::string::npos)
{
  verdict result;
  nar_reader reader;
  nar_writer writer;
  for (std::size_t start = 0; start < bytes.size () && !reader.done ();)
    {
      auto size = std::min (step, bytes.size () - start);
      std::span input {
        reinterpret_cast<const std::uint8_t *> (bytes.data ()) + start, size};
      for (;;)
        {
          auto event = reader.next (input);
          if (!event)
            {
              result.reason = event.error ().object;
              return result;
            }
          if (event->kind == event_kind::more
              || event->kind == event_kind::done)
            break;
          writer.append (*event, result.again);
          result.again.append (event->bytes.begin (), event->bytes.end ());
        }
      start += size - input.size ();
      result.consumed = start;
    }
  result.complete = reader.done ();
  return result;
}

std::string
example ()
{
  std::ifstream stream {std::string {std::getenv ("abs_top_srcdir")}
                          + "/tests/vectors/tree.nar",
                        std::ios::binary};
  return {std::istreambuf_iterator<char> {stream}, {}};
}

std::string
small_example ()
{
  return rooted (directory (
      {entry ("a", file ("12345")), entry ("b", directory ({})),
       entry ("c", token ("(") + token ("type") + token ("symlink")
                     + token ("target") + token ("../a") + token (")")),
       entry ("d", token ("(") + token ("type") + token ("regular")
                     + token ("executable") + token ("") + token ("contents")
                     + token ("#!") + token (")"))}));
}

struct malformation
{
  const char *what;
  std::string bytes;
  const char *reason;
};

std::ostream &
operator<< (std::ostream &stream, const malformation &malformation)
{
  return stream << malformation.what;
}

using namespace std::string_literals;

const malformation malformations[] = {
  {"wrong magic", token ("nix-archive-2"), "unexpected token: nix-archive-2"},
  {"duplicate entries",
   rooted (directory ({entry ("a", file ("")), entry ("a", file (""))})),
   "duplicate or unsorted entry: a"},
  {"a directory in the place of a link",
   rooted (directory ({entry ("a", token ("(") + token ("type")
                                     + token ("symlink") + token ("target")
                                     + token ("/etc") + token (")")),
                       entry ("a", directory ({}))})),
   "duplicate or unsorted entry: a"},
  {"unsorted entries",
   rooted (directory ({entry ("b", file ("")), entry ("a", file (""))})),
   "duplicate or unsorted entry: a"},
  {"entries sorted as signed bytes",
   rooted (directory ({entry ("\xff", file ("")), entry ("a", file (""))})),
   "duplicate or unsorted entry: a"},
  {"the name ..", rooted (directory ({entry ("..", file (""))})),
   "invalid entry name: .."},
  {"the name .", rooted (directory ({entry (".", file (""))})),
   "invalid entry name: ."},
  {"an absolute name", rooted (directory ({entry ("/etc", file (""))})),
   "invalid entry name: /etc"},
  {"a path", rooted (directory ({entry ("../../x", file (""))})),
   "invalid entry name: ../../x"},
  {"a trailing slash", rooted (directory ({entry ("a/", file (""))})),
   "invalid entry name: a/"},
  {"an empty name", rooted (directory ({entry ("", file (""))})),
   "invalid entry name"},
  {"a name with NUL", rooted (directory ({entry ("a\0b"s, file (""))})),
   "invalid entry name: a?b"},
  {"a name that would forge a line",
   rooted (directory ({entry ("a/\n\x1b[2J", file (""))})),
   "invalid entry name: a/??[2J"},
  {"a long name",
   rooted (directory ({entry (std::string (256, 'a'), file (""))})),
   "token too long"},
  {"an empty target",
   archive ({"(", "type", "symlink", "target", "", ")"}),
   "invalid target of a symbolic link"},
  {"a target with NUL",
   archive ({"(", "type", "symlink", "target", "a\0b"s, ")"}),
   "invalid target of a symbolic link: a?b"},
  {"a long target",
   archive ({"(", "type", "symlink", "target", std::string (4096, 'a')}),
   "token too long"},
  {"a link without target", archive ({"(", "type", "symlink", ")"}),
   "unexpected token: )"},
  {"a file without contents", archive ({"(", "type", "regular", ")"}),
   "unexpected token: )"},
  {"an unknown type", archive ({"(", "type", "fifo"}),
   "unexpected token: fifo"},
  {"two types", archive ({"(", "type", "regular", "type"}),
   "unexpected token: type"},
  {"executable with a value",
   archive ({"(", "type", "regular", "executable", "1"}),
   "unexpected token: 1"},
  {"executable twice",
   archive ({"(", "type", "regular", "executable", "", "executable"}),
   "unexpected token: executable"},
  {"executable after contents",
   archive ({"(", "type", "regular", "contents", "x", "executable"}),
   "unexpected token: executable"},
  {"two contents",
   archive ({"(", "type", "regular", "contents", "x", "contents"}),
   "unexpected token: contents"},
  {"node before name",
   archive ({"(", "type", "directory", "entry", "(", "node"}),
   "unexpected token: node"},
  {"two nodes in an entry",
   archive ({"(", "type", "directory", "entry", "(", "name", "a", "node"})
     + file ("") + token ("node"),
   "unexpected token: node"},
  {"an entry without node",
   archive ({"(", "type", "directory", "entry", "(", "name", "a", ")"}),
   "unexpected token: )"},
  {"a huge token", rooted (number (1000000)), "token too long"},
  {"padding of a token", token ("nix-archive-1").substr (0, 23) + "\x01",
   "padding that is not zero"},
  {"padding of contents",
   archive ({"(", "type", "regular", "contents"}) + number (3)
     + "abc\0\0\0\0x"s,
   "padding that is not zero"},
};

const std::uint64_t lengths[] = {
  14, 255, 256, 4096, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
  0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffff8,
  0xffffffffffffffff,
};

}

BOOST_AUTO_TEST_SUITE (nar)

BOOST_AUTO_TEST_CASE (what_was_read_is_written_again)
{
  for (auto &bytes : {example (), small_example (), rooted (file ("hello"))})
    {
      auto result = parse (bytes);
      BOOST_TEST (result.complete);
      BOOST_TEST ((result.again == bytes));
    }
}

BOOST_AUTO_TEST_CASE (pieces_of_any_size_make_no_difference)
{
  auto bytes = example ();
  for (std::size_t step : {1, 2, 3, 7, 8, 9, 31, 4096})
    BOOST_TEST ((parse (bytes, step).again == bytes));
}

BOOST_AUTO_TEST_CASE (what_follows_is_left)
{
  auto bytes = small_example ();
  auto result = parse (bytes + std::string (100, 'x'));
  BOOST_TEST (result.complete);
  BOOST_TEST (result.consumed == bytes.size ());
}

BOOST_AUTO_TEST_CASE (truncated_anywhere_it_is_incomplete_and_not_malformed)
{
  auto bytes = small_example ();
  for (std::size_t size = 0; size < bytes.size (); ++size)
    {
      auto result = parse (bytes.substr (0, size));
      BOOST_TEST (!result.complete);
      BOOST_TEST (result.reason == "");
    }
}

BOOST_DATA_TEST_CASE (is_refused, data::make (malformations), malformation)
{
  BOOST_TEST (parse (malformation.bytes).reason == malformation.reason);
  BOOST_TEST (parse (malformation.bytes, 1).reason == malformation.reason);
}

// In the place of every length in an archive.
BOOST_DATA_TEST_CASE (a_wrong_length_is_refused_or_awaited,
                      data::make (lengths), length)
{
  auto bytes = small_example ();
  for (std::size_t place = 0; place + 8 <= bytes.size (); place += 8)
    {
      auto changed = bytes;
      changed.replace (place, 8, number (length));
      auto result = parse (changed);
      BOOST_TEST ((!result.complete || result.again == changed));
    }
}

BOOST_AUTO_TEST_CASE (a_refused_archive_stays_refused)
{
  nar_reader reader;
  auto bytes = token ("(");
  std::span input {reinterpret_cast<const std::uint8_t *> (bytes.data ()),
                   bytes.size ()};
  BOOST_TEST (!reader.next (input));
  input = {};
  BOOST_TEST (!reader.next (input));
}

BOOST_AUTO_TEST_CASE (directories_may_be_nested_to_the_limit)
{
  auto open = token ("(") + token ("type") + token ("directory");
  auto down = token ("entry") + token ("(") + token ("name") + token ("d")
              + token ("node") + open;
  auto up = token (")") + token (")");
  auto nested = [&] (std::size_t depth)
    {
      auto bytes = rooted (open);
      for (std::size_t i = 1; i < depth; ++i)
        bytes += down;
      for (std::size_t i = 1; i < depth; ++i)
        bytes += up;
      return bytes + token (")");
    };
  BOOST_TEST (parse (nested (maximum_depth)).complete);
  for (std::size_t depth : {maximum_depth + 1, std::size_t {10000}})
    BOOST_TEST (parse (nested (depth)).reason
                == "directories nested too deeply");
}

// A million of them, streamed.
BOOST_AUTO_TEST_CASE (nesting_costs_nothing)
{
  auto head = rooted (token ("(") + token ("type") + token ("directory"));
  auto down = token ("entry") + token ("(") + token ("name") + token ("d")
              + token ("node") + token ("(") + token ("type")
              + token ("directory");
  nar_reader reader;
  auto feed = [&] (const std::string &bytes)
    {
      std::span input {reinterpret_cast<const std::uint8_t *> (bytes.data ()),
                       bytes.size ()};
      outcome<event> event;
      do
        event = reader.next (input);
      while (event && event->kind != event_kind::more);
      return event.has_value ();
    };
  std::size_t depth = 1;
  for (bool fine = feed (head); fine && depth < 1000000; ++depth)
    fine = feed (down);
  BOOST_TEST (depth == maximum_depth + 1);
}

// Accepted if and only if it is what the writer writes.
BOOST_AUTO_TEST_CASE (mutations_are_refused_or_read_as_written)
{
  std::mt19937 random {20261122};
  auto original = small_example ();
  for (int round = 0; round < 20000; ++round)
    {
      auto bytes = original;
      for (int changes = random () % 3; changes >= 0; --changes)
        {
          std::size_t place = random () % bytes.size ();
          std::size_t size = random () % 4 * 8;
          switch (random () % 4)
            {
            case 0:
              bytes[place] = static_cast<char> (random ());
              break;
            case 1:
              bytes[place] ^= 1 << random () % 8;
              break;
            case 2:
              bytes.erase (place / 8 * 8, size);
              break;
            case 3:
              bytes.insert (place / 8 * 8,
                            bytes.substr (random () % bytes.size (), size));
              break;
            }
        }
      auto result = parse (bytes, 1 + random () % 64);
      if (result.complete
          && result.again != bytes.substr (0, result.consumed))
        BOOST_ERROR ("round " << round);
    }
}

BOOST_AUTO_TEST_SUITE_END ()
