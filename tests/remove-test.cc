// SPDX-License-Identifier: GPL-3.0-or-later
// Removing trees that somebody made to be hard to remove.
#include "tree/remove.hh"
#include "tests/scratch.hh"

#include <atomic>
#include <sys/resource.h>
#include <thread>

using namespace fruix;
using namespace fruix::tests;

namespace {

constexpr uid_t plain_user = 61000;

// Make COUNT directories called NAME inside each other in DIRECTORY.
void
make_chain (int directory, const std::string &name, int count)
{
  unique_fd inside {dup (directory)};
  for (int i = 0; i < count; ++i)
    {
      BOOST_REQUIRE (mkdirat (inside.get (), name.c_str (), 0700) == 0);
      inside.reset (openat (inside.get (), name.c_str (),
                            O_RDONLY | O_DIRECTORY));
      BOOST_REQUIRE (inside.get () >= 0);
    }
  unique_fd file {openat (inside.get (), "file", O_WRONLY | O_CREAT, 0600)};
  BOOST_REQUIRE (file.get () >= 0);
}

int
descriptors ()
{
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd)
    count += fcntl (fd, F_GETFD) >= 0;
  return count;
}

}

BOOST_AUTO_TEST_SUITE (removal)

BOOST_AUTO_TEST_CASE (a_file_a_link_and_a_tree_are_removed)
{
  scratch scratch;
  scratch.make_file ("file", "x");
  scratch.make_file ("kept", "x");
  scratch.make_directory ("tree");
  scratch.make_directory ("tree/full");
  scratch.make_directory ("tree/empty");
  scratch.make_file ("tree/full/file");
  for (auto name : {"link", "tree/link", "tree/full/link"})
    BOOST_REQUIRE (symlink ((scratch / "kept").c_str (),
                            (scratch / name).c_str ()) == 0);
  for (auto name : {"file", "link", "tree"})
    {
      BOOST_TEST (remove_tree (scratch.fd (), name, 1).has_value ());
      BOOST_TEST (!scratch.exists (name));
    }
  BOOST_TEST (scratch.exists ("kept"));
}

BOOST_AUTO_TEST_CASE (bytes_of_files_with_other_links_are_not_free)
{
  scratch scratch;
  std::string contents (100000, 'x');
  scratch.make_directory ("tree");
  scratch.make_file ("tree/alone", contents);
  scratch.make_file ("tree/linked", contents);
  BOOST_REQUIRE (link ((scratch / "tree/linked").c_str (),
                       (scratch / "other").c_str ()) == 0);
  struct stat status;
  BOOST_REQUIRE (stat ((scratch / "tree/alone").c_str (), &status) == 0);
  auto freed = remove_tree (scratch.fd (), "tree", 1);
  BOOST_REQUIRE (freed.has_value ());
  BOOST_TEST (*freed == std::uint64_t (status.st_blocks) * 512);
}

BOOST_AUTO_TEST_CASE (what_does_not_exist_is_an_error)
{
  scratch scratch;
  auto result = remove_tree (scratch.fd (), "nothing", 1);
  BOOST_REQUIRE (!result.has_value ());
  BOOST_TEST (result.error ().error == ENOENT);
}

BOOST_AUTO_TEST_CASE (a_tree_deeper_than_any_path_needs_few_descriptors)
{
  scratch scratch;
  make_chain (scratch.fd (), std::string (60, 'd'), 10000);
  rlimit saved, few;
  BOOST_REQUIRE (getrlimit (RLIMIT_NOFILE, &saved) == 0);
  few = saved;
  few.rlim_cur = descriptors () + 8;
  BOOST_REQUIRE (setrlimit (RLIMIT_NOFILE, &few) == 0);
  auto result = remove_tree (scratch.fd (), std::string (60, 'd').c_str (),
                             1);
  setrlimit (RLIMIT_NOFILE, &saved);
  BOOST_TEST (result.has_value ());
  BOOST_TEST (!scratch.exists (std::string (60, 'd')));
}

// The names that deep directories get on their way up are taken.
BOOST_AUTO_TEST_CASE (names_like_those_it_uses_do_not_disturb)
{
  scratch scratch;
  scratch.make_directory ("tree");
  scratch.make_file ("tree/0");
  scratch.make_directory ("tree/1");
  scratch.make_directory ("tree/2");
  scratch.make_file ("tree/2/file");
  scratch.make_directory ("tree/3");
  scratch.make_directory ("tree/3/0");
  scratch.make_directory ("tree/3/1");
  scratch.make_file ("tree/3/0/file");
  scratch.make_file ("tree/3/1/file");
  BOOST_TEST (remove_tree (scratch.fd (), "tree", 1).has_value ());
  BOOST_TEST (!scratch.exists ("tree"));
}

BOOST_AUTO_TEST_CASE (a_wide_tree_is_removed)
{
  scratch scratch;
  scratch.make_directory ("tree");
  for (int i = 0; i < 30; ++i)
    {
      auto name = "tree/" + std::to_string (i);
      scratch.make_directory (name);
      for (int j = 0; j < 30; ++j)
        scratch.make_file (name + "/" + std::to_string (j));
    }
  BOOST_TEST (remove_tree (scratch.fd (), "tree", 1).has_value ());
  BOOST_TEST (!scratch.exists ("tree"));
}

// Unless we are root, modes can deny all access.
BOOST_AUTO_TEST_CASE (a_plain_user_removes_directories_without_permissions)
{
  scratch scratch;
  BOOST_REQUIRE (fchmod (scratch.fd (), 0777) == 0);
  bool removed = true_in_child ([&]
    {
      if (geteuid () == 0 && (setgid (plain_user) || setuid (plain_user)))
        return false;
      umask (0);
      for (auto name : {"t", "t/a", "t/a/b", "t/c", "t/a/d", "t/a/d/e"})
        if (mkdirat (scratch.fd (), name, 0700))
          return false;
      for (auto name : {"t/a/b/f", "t/a/d/e/f", "t/c/f"})
        close (openat (scratch.fd (), name, O_WRONLY | O_CREAT, 0));
      for (auto [name, mode] : {std::pair {"t/a/d/e", 0}, {"t/a/d", 0500},
                                {"t/a/b", 0}, {"t/c", 0444}, {"t/a", 0555},
                                {"t", 0}})
        if (fchmodat (scratch.fd (), name, mode, 0))
          return false;
      return remove_tree (scratch.fd (), "t", 1).has_value ();
    });
  BOOST_TEST (removed);
  BOOST_TEST (!scratch.exists ("t"));
}

// Somebody exchanges a directory of the tree and a link to another one.
BOOST_AUTO_TEST_CASE (a_racing_exchange_does_not_lead_outside)
{
  scratch scratch;
  scratch.make_directory ("outside");
  scratch.make_file ("outside/kept");
  BOOST_REQUIRE (symlink ((scratch / "outside").c_str (),
                          (scratch / "link").c_str ()) == 0);
  std::atomic<bool> stop = false;
  std::thread racer {[&]
    {
      while (!stop)
        {
          auto inside = scratch / "tree/full", aside = scratch / "aside",
               link = scratch / "link";
          if (rename (inside.c_str (), aside.c_str ()) == 0)
            {
              (void) rename (link.c_str (), inside.c_str ());
              (void) rename (inside.c_str (), link.c_str ());
              (void) rename (aside.c_str (), inside.c_str ());
            }
        }
    }};
  for (int round = 0; round < 100; ++round)
    {
      if (!scratch.exists ("tree"))
        scratch.make_directory ("tree");
      (void) mkdir ((scratch / "tree/full").c_str (), 0700);
      for (int i = 0; i < 20; ++i)
        close (open ((scratch / "tree/full/").append (std::to_string (i))
                       .c_str (),
                     O_WRONLY | O_CREAT, 0600));
      (void) remove_tree (scratch.fd (), "tree", 1);
      // It may have been removed in the tree, or just be on its way back.
      bool made = symlink ((scratch / "outside").c_str (),
                           (scratch / "link").c_str ())
                  == 0;
      BOOST_TEST ((made || errno == EEXIST));
    }
  stop = true;
  racer.join ();
  BOOST_TEST (scratch.exists ("outside/kept"));
}

BOOST_AUTO_TEST_SUITE_END ()
