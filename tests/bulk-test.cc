// SPDX-License-Identifier: GPL-3.0-or-later
// Many files at once.
#include "scratch.hh"
#include "tree/bulk.hh"

using namespace fruix;
using namespace fruix::tests;

static void
link_file (const scratch &top, const std::string &name,
           const std::string &other)
{
  BOOST_REQUIRE (link ((top / name).c_str (), (top / other).c_str ()) == 0);
}

static std::vector<std::string>
entries (int directory)
{
  std::vector<std::string> names;
  BOOST_REQUIRE (list_entries (directory, names));
  return names;
}

BOOST_AUTO_TEST_SUITE (bulk)

BOOST_AUTO_TEST_CASE (entries_are_sorted_by_their_bytes_each_time)
{
  scratch top;
  for (auto *name : {"b", "\xff", "A", "a", ".x"})
    top.make_file (name);
  std::vector<std::string> expected {".x", "A", "a", "b", "\xff"};
  BOOST_TEST ((entries (top.fd ()) == expected));
  BOOST_TEST ((entries (top.fd ()) == expected));
}

BOOST_AUTO_TEST_CASE (what_cannot_be_moved_is_told_the_rest_is_moved)
{
  scratch from, to;
  from.make_file ("file");
  from.make_directory ("directory", 0555);
  from.make_file ("taken");
  to.make_directory ("taken");
  std::vector<unmoved> left;
  move_entries (from.fd (), {"file", "missing", "taken", "directory"},
                to.fd (), left);
  BOOST_TEST ((entries (to.fd ())
               == std::vector<std::string> {"directory", "file", "taken"}));
  BOOST_REQUIRE (left.size () == 2);
  BOOST_TEST (left[0].name == "missing");
  BOOST_TEST (left[0].error == ENOENT);
  BOOST_TEST (left[1].name == "taken");
  BOOST_TEST (left[1].error == EISDIR);
}

BOOST_AUTO_TEST_CASE (a_plain_user_moves_directories_that_nobody_may_change)
{
  scratch from, to;
  from.make_directory ("directory", 0555);
  BOOST_TEST (true_in_child ([&]
    {
      if (geteuid () == 0
          && (fchown (from.fd (), 61000, 61000) != 0
              || fchown (to.fd (), 61000, 61000) != 0
              || fchownat (from.fd (), "directory", 61000, 61000, 0) != 0
              || setuid (61000) != 0))
        return false;
      std::vector<unmoved> left;
      move_entries (from.fd (), {"directory"}, to.fd (), left);
      return left.empty ();
    }));
  BOOST_TEST (to.exists ("directory"));
}

BOOST_AUTO_TEST_CASE (links_that_nobody_uses_go_and_small_ones)
{
  scratch top;
  std::string large (10000, 'x');
  top.make_directory ("links");
  top.make_directory ("links/directory");
  top.make_file ("links/unused", large);
  top.make_file ("links/used", large);
  link_file (top, "links/used", "one");
  link_file (top, "links/used", "two");
  top.make_file ("links/small", "x");
  link_file (top, "links/small", "three");
  unique_fd links {open ((top / "links").c_str (), O_RDONLY | O_DIRECTORY)};
  auto figures = sweep_links (links.get (), 8192, 0);
  BOOST_REQUIRE (figures);
  BOOST_TEST ((entries (links.get ())
               == std::vector<std::string> {"directory", "used"}));
  BOOST_TEST (figures->freed >= 10000);
  BOOST_TEST (figures->freed < 20000);
  BOOST_TEST (figures->saved == 10000);
  BOOST_TEST (top.exists ("three"));
}

BOOST_AUTO_TEST_CASE (links_go_of_whoever_was_killed_while_it_shared_a_file)
{
  scratch top;
  top.make_directory ("links");
  top.make_file ("links/key", std::string (10000, 'x'));
  link_file (top, "links/key", "links/.tmp-link-4711-0");
  unique_fd links {open ((top / "links").c_str (), O_RDONLY | O_DIRECTORY)};
  auto now = time (nullptr);
  BOOST_TEST (sweep_links (links.get (), 8192, now - 60)->freed == 0);
  BOOST_TEST (entries (links.get ()).size () == 2);
  // One of them each time, in the order of the directory; or both.
  auto first = sweep_links (links.get (), 8192, now + 60);
  auto second = sweep_links (links.get (), 8192, now + 60);
  BOOST_TEST (first->freed + second->freed >= 10000);
  BOOST_TEST (entries (links.get ()).empty ());
}

BOOST_AUTO_TEST_SUITE_END ()
