// SPDX-License-Identifier: GPL-3.0-or-later
// The scanner for references, and base 32.
#include "archive/base32.hh"
#include "archive/hash.hh"
#include "archive/references.hh"

#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

using namespace fruix;

namespace {

const std::string part = "0123456789abcdfghijklmnpqrsvwxyz";
const std::string other = "zyxwvsrqpnmlkjihgfdcba9876543210";

std::vector<std::string>
scan (const std::string &text, std::size_t step,
      const std::vector<std::string> &candidates = {part, other})
{
  reference_scanner scanner {candidates};
  for (std::size_t start = 0; start < text.size (); start += step)
    scanner.scan ({reinterpret_cast<const std::uint8_t *> (text.data ())
                     + start,
                   std::min (step, text.size () - start)});
  return scanner.found ();
}

// Every string of 32 characters in TEXT that is one of CANDIDATES.
std::set<std::string>
scan_slowly (const std::string &text,
             const std::set<std::string> &candidates)
{
  std::set<std::string> found;
  for (std::size_t start = 0; start + 32 <= text.size (); ++start)
    if (auto window = text.substr (start, 32); candidates.contains (window))
      found.insert (window);
  return found;
}

using strings = std::vector<std::string>;

}

BOOST_AUTO_TEST_SUITE (references)

BOOST_AUTO_TEST_CASE (a_hash_part_is_found_anywhere)
{
  for (std::size_t before : {0, 1, 31, 32, 33, 100})
    for (std::size_t after : {0, 1, 31, 32})
      for (char filler : {'/', 'a', 'e', '\0'})
        {
          auto text = std::string (before, filler) + part
                      + std::string (after, filler);
          BOOST_TEST ((scan (text, text.size ()) == strings {part}));
        }
}

BOOST_AUTO_TEST_CASE (it_is_found_across_the_boundaries_of_pieces)
{
  auto text = "/gnu/store/" + part + "-a" + other;
  for (std::size_t step = 1; step <= text.size (); ++step)
    BOOST_TEST ((scan (text, step) == strings {part, other}));
}

BOOST_AUTO_TEST_CASE (what_was_found_comes_in_the_order_of_candidates)
{
  BOOST_TEST ((scan (part + other, 8, {other, part})
               == strings {other, part}));
}

BOOST_AUTO_TEST_CASE (overlapping_ones_are_both_found)
{
  auto text = part + "0123456789";
  auto second = text.substr (10, 32);
  BOOST_TEST ((scan (text, 5, {part, second}) == strings {part, second}));
}

BOOST_AUTO_TEST_CASE (a_part_of_one_is_none)
{
  BOOST_TEST (scan (part.substr (1) + "-" + part.substr (0, 31), 7).empty ());
  auto changed = part;
  changed[16] = 'e';
  BOOST_TEST (scan (changed, 32).empty ());
}

BOOST_AUTO_TEST_CASE (no_candidates_no_references)
{
  BOOST_TEST (scan (part, 32, {}).empty ());
}

BOOST_AUTO_TEST_CASE (what_is_no_hash_part_is_no_candidate)
{
  for (auto &text : {part.substr (1), part + "0", std::string (32, 'e')})
    BOOST_CHECK_THROW ((reference_scanner {{text}}), std::system_error);
}

// Text of few letters, so that long runs of digits and near misses are many.
BOOST_AUTO_TEST_CASE (it_finds_what_a_slow_search_finds)
{
  std::mt19937 random {32};
  for (int round = 0; round < 300; ++round)
    {
      std::string text (2000, ' ');
      for (auto &c : text)
        c = random () % 60 == 0 ? 'e' : "01"[random () % 2];
      std::set<std::string> candidates;
      for (int i = 0; i < 20; ++i)
        {
          auto candidate = text.substr (random () % 1968, 32);
          if (i % 2)
            candidate[random () % 32] ^= 1;
          if (candidate.find ('e') == std::string::npos
              && candidate.find ('d') == std::string::npos)
            candidates.insert (candidate);
        }
      auto found = scan (text, 1 + random () % 100,
                         {candidates.begin (), candidates.end ()});
      auto expected = scan_slowly (text, candidates);
      BOOST_TEST ((found == strings {expected.begin (), expected.end ()}));
    }
}

BOOST_AUTO_TEST_CASE (base32_of_known_hashes)
{
  BOOST_TEST (base32 (hasher {GCRY_MD_SHA256}.finish ().bytes ())
              == "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
  BOOST_TEST (base32 ({}) == "");
  for (auto [size, digits] : {std::pair {16, 26}, {20, 32}, {32, 52},
                              {64, 103}})
    BOOST_TEST (base32 (std::vector<std::uint8_t> (size, 255)).size ()
                == std::size_t (digits));
}

BOOST_AUTO_TEST_SUITE_END ()
