// SPDX-License-Identifier: GPL-3.0-or-later
// Looking for links in trees that others may change.
#include "scratch.hh"
#include "tree/links.hh"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

using namespace fruix;
using fruix::tests::scratch;

static std::set<std::string>
links_below (const std::string &directory)
{
  std::vector<link_or_file> found;
  BOOST_REQUIRE (list_links (directory, found));
  std::set<std::string> result;
  for (auto &entry : found)
    result.insert (entry.name + (entry.target ? " -> " + *entry.target : ""));
  return result;
}

BOOST_AUTO_TEST_SUITE (links)

BOOST_AUTO_TEST_CASE (links_and_files_are_found_at_any_depth)
{
  scratch top;
  top.make_directory ("a");
  top.make_directory ("a/b");
  top.make_file ("a/b/file");
  BOOST_REQUIRE (make_link ("/gnu/store/x", top / "a/link"));
  BOOST_REQUIRE (mkfifo ((top / "fifo").c_str (), 0600) == 0);
  std::set<std::string> expected {"a/b/file", "a/link -> /gnu/store/x"};
  BOOST_TEST ((links_below (top / "") == expected));
}

BOOST_AUTO_TEST_CASE (links_are_not_followed)
{
  scratch top;
  top.make_directory ("real");
  top.make_file ("real/file");
  BOOST_REQUIRE (make_link (".", top / "loop"));
  BOOST_REQUIRE (make_link ("real", top / "link"));
  BOOST_TEST (links_below (top / "").size () == 3);
  BOOST_TEST (links_below (top / "link").empty ());
}

BOOST_AUTO_TEST_CASE (a_missing_directory_has_none)
{
  scratch top;
  BOOST_TEST (links_below (top / "none").empty ());
}

// As many as fit in a file name on any system.
BOOST_AUTO_TEST_CASE (hundreds_of_levels_neither_fail_nor_leak)
{
  scratch top;
  std::string deep;
  for (int i = 0; i < 400; ++i)
    top.make_directory (deep += "d/");
  BOOST_TEST (links_below (top / "").empty ());
  unique_fd next {open ("/dev/null", O_RDONLY)};
  BOOST_TEST (next.get () < 32);
}

BOOST_AUTO_TEST_CASE (names_of_one_link_share_its_target)
{
  scratch top;
  BOOST_REQUIRE (make_link (std::string (1000, 'x'), top / "one"));
  BOOST_REQUIRE (linkat (AT_FDCWD, (top / "one").c_str (), AT_FDCWD,
                         (top / "two").c_str (), 0) == 0);
  std::vector<link_or_file> found;
  BOOST_REQUIRE (list_links (top / "", found));
  BOOST_REQUIRE (found.size () == 2);
  BOOST_TEST (found[0].target->size () == 1000);
  BOOST_TEST (found[0].target == found[1].target);
}

BOOST_AUTO_TEST_CASE (names_that_are_very_long_are_left_out)
{
  scratch top;
  std::string deep;
  for (int i = 0; i < 4; ++i)
    top.make_directory (deep += std::string (120, 'd') + "/");
  top.make_file (deep + "short");
  top.make_file (deep + std::string (120, 'l'));
  BOOST_TEST ((links_below (top / "")
               == std::set<std::string> {deep + "short"}));
}

BOOST_AUTO_TEST_CASE (what_is_no_link_has_no_target)
{
  scratch top;
  top.make_file ("file");
  std::optional<std::string> target;
  BOOST_TEST (!!read_link (top / "file", target));
  BOOST_TEST (!target);
  BOOST_TEST (!read_link (top / "none", target));
}

BOOST_AUTO_TEST_CASE (a_directory_that_cannot_be_opened_is_named)
{
  std::vector<link_or_file> links;
  auto listed = list_links (std::string (300, 'x'), links);
  BOOST_REQUIRE (!listed);
  BOOST_TEST (listed.error ().error == ENAMETOOLONG);
  BOOST_TEST (std::string_view {listed.error ().object}.starts_with ("xxx"));
}

BOOST_AUTO_TEST_SUITE_END ()
