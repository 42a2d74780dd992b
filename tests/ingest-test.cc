// SPDX-License-Identifier: GPL-3.0-or-later
// Reading a tree that somebody changes meanwhile.
#include "tests/scratch.hh"
#include "tree/ingest.hh"
#include "tree/source.hh"

#include <atomic>
#include <thread>

using namespace fruix;
using namespace fruix::tests;

namespace {

// Exchange the file tree/file and OTHER while BODY runs ROUNDS times.
template <class Body>
void
while_exchanging (const scratch &scratch, const char *other, int rounds,
                  Body &&body)
{
  auto file = scratch / "tree/file", aside = scratch / "aside",
       from = scratch / other;
  std::atomic<bool> stop = false;
  std::thread racer {[&]
    {
      while (!stop)
        {
          (void) rename (file.c_str (), aside.c_str ());
          (void) rename (from.c_str (), file.c_str ());
          (void) rename (file.c_str (), from.c_str ());
          (void) rename (aside.c_str (), file.c_str ());
        }
    }};
  for (int round = 0; round < rounds; ++round)
    body ();
  stop = true;
  racer.join ();
}

}

BOOST_AUTO_TEST_SUITE (ingestion)

// It ends, be it by refusing.
BOOST_AUTO_TEST_CASE (a_fifo_in_the_place_of_a_file_does_not_block)
{
  scratch scratch;
  scratch.make_directory ("tree");
  scratch.make_file ("tree/file", "x");
  BOOST_REQUIRE (mkfifo ((scratch / "fifo").c_str (), 0600) == 0);
  while_exchanging (scratch, "fifo", 500, [&]
    {
      ownership owner {geteuid ()};
      (void) ingest_tree (scratch.fd (), "tree", -1, {}, owner);
      (void) summarise_tree (scratch.fd (), "tree", {});
    });
}

// As optimising the store replaces files.
BOOST_AUTO_TEST_CASE (a_link_to_an_equal_file_in_the_place_of_a_file_is_as_good)
{
  scratch scratch;
  scratch.make_directory ("tree");
  scratch.make_file ("tree/file", "x");
  for (auto twin : {"one", "two"})
    scratch.make_file (twin, "x");
  std::atomic<bool> stop = false;
  std::thread sharer {[&]
    {
      auto link_name = scratch / "link";
      while (!stop)
        for (auto twin : {"one", "two"})
          {
            (void) link ((scratch / twin).c_str (), link_name.c_str ());
            (void) rename (link_name.c_str (),
                           (scratch / "tree/file").c_str ());
          }
    }};
  int refused = 0;
  for (int round = 0; round < 5000; ++round)
    refused += !summarise_tree (scratch.fd (), "tree", {});
  stop = true;
  sharer.join ();
  BOOST_TEST (refused == 0);
}

BOOST_AUTO_TEST_CASE (a_link_in_the_place_of_a_file_is_not_followed)
{
  scratch scratch;
  scratch.make_directory ("tree");
  scratch.make_file ("tree/file", "x");
  scratch.make_file ("secret", "secret");
  auto secret = scratch / "secret";
  BOOST_REQUIRE (chmod (secret.c_str (), 0600) == 0);
  BOOST_REQUIRE (symlink ("../secret", (scratch / "link").c_str ()) == 0);
  while_exchanging (scratch, "link", 500, [&]
    {
      ownership owner {geteuid ()};
      (void) ingest_tree (scratch.fd (), "tree", -1, {}, owner);
    });
  struct stat status;
  BOOST_REQUIRE (stat (secret.c_str (), &status) == 0);
  BOOST_TEST ((status.st_mode & 07777) == 0600u);
  BOOST_TEST (status.st_mtime != 1);
}

// A file that grows or shrinks while it is read would not be what was hashed.
BOOST_AUTO_TEST_CASE (a_file_that_changes_its_size_is_refused)
{
  for (off_t size : {10, 2000000})
    {
      scratch scratch;
      scratch.make_file ("file", std::string (1000000, 'x'));
      tree_walker walker {scratch.fd (), "file"};
      BOOST_REQUIRE (walker.next ()->kind == event_kind::file);
      BOOST_REQUIRE (truncate ((scratch / "file").c_str (), size) == 0);
      outcome<event> event;
      do
        event = walker.next ();
      while (event && event->kind == event_kind::data);
      BOOST_REQUIRE (!event.has_value ());
      BOOST_TEST (std::string {event.error ().who} == "changed");
    }
}

// A quarter of a million of the longest names in two directories, one in the
// other.
BOOST_AUTO_TEST_CASE (more_names_than_fit_into_memory_are_refused)
{
  scratch scratch;
  scratch.make_directory ("tree");
  scratch.make_directory ("tree/inner");
  for (std::string directory : {"tree/", "tree/inner/"})
    for (int i = 0; i < 120000; i++)
      {
        auto number = std::to_string (i);
        auto name = directory + std::string (255 - number.size (), 'x')
                    + number;
        // There may be only so many links to one file.
        if (i % 30000 == 0)
          scratch.make_file (name);
        else
          {
            auto first = std::to_string (i / 30000 * 30000);
            auto source = directory + std::string (255 - first.size (), 'x')
                          + first;
            BOOST_REQUIRE (linkat (scratch.fd (), source.c_str (),
                                   scratch.fd (), name.c_str (), 0)
                           == 0);
          }
      }
  ownership owner {geteuid ()};
  auto refused = ingest_tree (scratch.fd (), "tree", -1, {}, owner);
  BOOST_REQUIRE (!refused.has_value ());
  BOOST_TEST (std::string {refused.error ().who} == "entries");
  BOOST_TEST (std::string {refused.error ().object} == "tree/inner");
  BOOST_TEST (summarise_tree (scratch.fd (), "tree/inner", {}).has_value ());
}

BOOST_AUTO_TEST_CASE (a_source_that_ended_stays_at_its_end)
{
  scratch scratch;
  scratch.make_directory ("tree");
  nar_source source {unique_fd {dup (scratch.fd ())}, "tree"};
  std::uint8_t buffer[1000];
  BOOST_TEST (source.read (buffer).value () > 0u);
  for (int i = 0; i < 3; ++i)
    BOOST_TEST (source.read (buffer).value () == 0u);
}

BOOST_AUTO_TEST_SUITE_END ()
