// SPDX-License-Identifier: GPL-3.0-or-later
// Names in texts that come in pieces.
#include "process/mentions.hh"

#include <boost/test/unit_test.hpp>
#include <set>

using namespace fruix;

// What is found in TEXT, given SIZE bytes at a time.
static std::set<std::string>
found (std::string_view text, std::size_t size)
{
  mention_finder finder {"/gnu/store"};
  for (; !text.empty (); text.remove_prefix (std::min (size, text.size ())))
    finder.feed (text.substr (0, size));
  finder.finish ();
  return {finder.names ().begin (), finder.names ().end ()};
}

BOOST_AUTO_TEST_SUITE (mentions)

BOOST_AUTO_TEST_CASE (names_are_found_whatever_the_pieces)
{
  std::string text {"/gnu/gnu/store/a-1/bin:/gnu/store/b\n/gnu/stores/no "
                    "/gnu/store//no/root/gnu/store/c"};
  std::set<std::string> expected {"a-1", "b", "c"};
  for (std::size_t size = 1; size <= text.size (); ++size)
    BOOST_TEST ((found (text, size) == expected), size);
}

BOOST_AUTO_TEST_CASE (long_names_are_none)
{
  std::string longest (255, 'x');
  std::string text = "/gnu/store/" + longest + "/ /gnu/store/y" + longest
                     + "/ /gnu/store/z";
  for (std::size_t size : {1, 7, 256, 10000})
    BOOST_TEST ((found (text, size)
                 == std::set<std::string> {longest, "z"}));
}

BOOST_AUTO_TEST_CASE (a_text_does_not_go_on_in_the_next)
{
  mention_finder finder {"/gnu/store"};
  for (auto *text : {"/gnu/store/a", "b", "/gnu/st", "ore/c"})
    {
      finder.feed (text);
      finder.finish ();
    }
  BOOST_TEST ((finder.names ()
               == std::unordered_set<std::string> {"a"}));
}

BOOST_AUTO_TEST_SUITE_END ()
