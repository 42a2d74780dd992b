// SPDX-License-Identifier: GPL-3.0-or-later
// Sharing the files of a tree that is on disk already.
#include "base/duplicate.hh"
#include "scratch.hh"
#include "tree/sharer.hh"

using namespace fruix;
using namespace fruix::tests;

// The files that were brought to the disk, by this in place of the system's.
static std::vector<ino_t> durable;

extern "C" int
fdatasync (int fd)
{
  struct stat status;
  if (fstat (fd, &status) == 0)
    durable.push_back (status.st_ino);
  return 0;
}

static bool
share (const scratch &top, const std::string &tree)
{
  auto shared = open ((top / "links").c_str (),
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  auto sharer = tree_sharer::open (unique_fd {shared});
  auto directory = duplicate (top.fd ());
  if (!sharer || !directory)
    return false;
  (*sharer)->start (std::move (*directory), tree);
  for (;;)
    {
      auto more = (*sharer)->work (1);
      if (!more || !*more)
        return more.has_value ();
    }
}

static struct stat
status (const std::string &name)
{
  struct stat result {};
  stat (name.c_str (), &result);
  return result;
}

// A tree with a large file, canonical but for its time.
static void
make_tree (const scratch &top, const std::string &name,
           const std::string &contents)
{
  top.make_directory (name);
  top.make_file (name + "/file", contents);
  chmod ((top / (name + "/file")).c_str (), 0444);
  chmod ((top / name).c_str (), 0555);
}

BOOST_AUTO_TEST_SUITE (sharer)

BOOST_AUTO_TEST_CASE (equal_files_become_one)
{
  scratch top;
  top.make_directory ("links");
  std::string large (minimum_shared_size, 'x');
  make_tree (top, "one", large);
  make_tree (top, "two", large);
  make_tree (top, "small", large.substr (1));
  durable.clear ();
  BOOST_TEST (share (top, "one"));
  BOOST_TEST (durable.empty ());
  BOOST_TEST (share (top, "two"));
  BOOST_TEST (share (top, "small"));
  BOOST_TEST (status (top / "one/file").st_ino
              == status (top / "two/file").st_ino);
  BOOST_TEST ((durable == std::vector {status (top / "one/file").st_ino}));
  BOOST_TEST (status (top / "one/file").st_nlink == 3);
  BOOST_TEST (status (top / "small/file").st_nlink == 1);
}

BOOST_AUTO_TEST_CASE (directories_closed_to_their_owner_are_closed_again,
                      *boost::unit_test::precondition (as_root))
{
  scratch top;
  top.make_directory ("links", 0777);
  std::string large (minimum_shared_size, 'x');
  for (auto name : {"one", "two"})
    {
      make_tree (top, name, large);
      for (auto file : {"", "/file"})
        BOOST_REQUIRE (chown ((top / (name + std::string {file})).c_str (),
                              12345, 12345) == 0);
    }
  BOOST_REQUIRE (chown ((top / "links").c_str (), 12345, 12345) == 0);
  BOOST_REQUIRE (chmod ((top / "").c_str (), 0755) == 0);
  BOOST_TEST (true_in_child ([&]
    {
      return setuid (12345) == 0 && share (top, "one") && share (top, "two");
    }));
  BOOST_TEST (status (top / "one/file").st_ino
              == status (top / "two/file").st_ino);
  BOOST_TEST ((status (top / "two").st_mode & 07777) == 0555);
  BOOST_TEST (status (top / "two").st_mtime == 1);
}

BOOST_AUTO_TEST_CASE (only_damaged_files_are_disowned)
{
  scratch top;
  top.make_directory ("links");
  make_tree (top, "bad", std::string (minimum_shared_size, 'b'));
  make_tree (top, "good", std::string (minimum_shared_size, 'g'));
  BOOST_TEST (share (top, "bad"));
  BOOST_TEST (share (top, "good"));
  auto file = top / "bad/file";
  BOOST_REQUIRE (chmod (file.c_str (), 0644) == 0);
  unique_fd fd {open (file.c_str (), O_WRONLY | O_CLOEXEC)};
  BOOST_REQUIRE (write (fd.get (), "?", 1) == 1);
  unique_fd links {open ((top / "links").c_str (), O_RDONLY | O_DIRECTORY)};
  BOOST_TEST (disown_damaged (links.get (), top.fd (), "good").value () == 0);
  BOOST_TEST (disown_damaged (links.get (), top.fd (), "bad").value () == 1);
  BOOST_TEST (status (file).st_nlink == 1);
  BOOST_TEST (status (top / "good/file").st_nlink == 2);
}

BOOST_AUTO_TEST_SUITE_END ()
