// SPDX-License-Identifier: GPL-3.0-or-later
// Hash parts are replaced wherever they are in a stream, however it comes.
#include "archive/rewriter.hh"

#include <boost/test/unit_test.hpp>
#include <system_error>

using namespace fruix;

namespace {

const std::string a (32, 'a'), b (32, 'b'), x (32, 'x'), y (32, 'y');
const hash_rewriter::replacements table {{a, x}, {b, y}};

// What becomes of TEXT when STEP bytes come at a time.
std::string
rewrite (const std::string &text, std::size_t step)
{
  hash_rewriter rewriter {table};
  std::string result;
  auto take = [&] (std::span<const std::uint8_t> bytes)
    { result.append (bytes.begin (), bytes.end ()); };
  for (std::size_t start = 0; start < text.size (); start += step)
    take (rewriter.feed (
        {reinterpret_cast<const std::uint8_t *> (text.data ()) + start,
         std::min (step, text.size () - start)}));
  take (rewriter.finish ());
  return result;
}

}

BOOST_AUTO_TEST_SUITE (rewriter)

BOOST_AUTO_TEST_CASE (replaces_wherever_they_are)
{
  const std::string text = a + "-one " + b + a + " and " + b;
  const std::string expected = x + "-one " + y + x + " and " + y;
  for (std::size_t step : {1, 2, 31, 32, 33, 1000})
    BOOST_TEST (rewrite (text, step) == expected);
}

BOOST_AUTO_TEST_CASE (keeps_everything_else)
{
  for (auto &text : {std::string {}, std::string {"short"}, a.substr (1),
                     std::string (100, '\0')})
    for (std::size_t step : {1, 7, 1000})
      BOOST_TEST (rewrite (text, step) == text);
}

BOOST_AUTO_TEST_CASE (streams_do_not_run_together)
{
  hash_rewriter rewriter {table};
  std::string result;
  for (auto &text : {a.substr (0, 16), a.substr (16)})
    {
      auto bytes = rewriter.feed (
          {reinterpret_cast<const std::uint8_t *> (text.data ()),
           text.size ()});
      result.append (bytes.begin (), bytes.end ());
      bytes = rewriter.finish ();
      result.append (bytes.begin (), bytes.end ());
    }
  BOOST_TEST (result == a);
}

BOOST_AUTO_TEST_CASE (rewrites_names)
{
  BOOST_TEST (hash_rewriter {table}.rewrite (a + "-name") == x + "-name");
}

BOOST_AUTO_TEST_CASE (refuses_other_lengths)
{
  using replacements = hash_rewriter::replacements;
  BOOST_CHECK_THROW (hash_rewriter (replacements {{"short", x}}),
                     std::system_error);
  BOOST_CHECK_THROW (hash_rewriter (replacements {{a, x + "x"}}),
                     std::system_error);
}

BOOST_AUTO_TEST_SUITE_END ()
