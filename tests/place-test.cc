// SPDX-License-Identifier: GPL-3.0-or-later
// Walking to a directory component by component.
#include "plan/place.hh"

#include "scratch.hh"

#include <cerrno>

using namespace fruix;

BOOST_AUTO_TEST_SUITE (places)

// The errno of walking to PATH in DIRECTORY, or 0.
static int
walk (const tests::scratch &directory, const std::string &path)
{
  unique_fd fd {plan::walk_beneath (directory.fd (), path.c_str ())};
  return fd ? 0 : errno;
}

BOOST_AUTO_TEST_CASE (only_directories_below)
{
  tests::scratch directory;
  directory.make_directory ("a");
  directory.make_directory ("a/b");
  directory.make_file ("a/file");
  BOOST_REQUIRE (::symlink ("b", (directory / "a/link").c_str ()) == 0);
  BOOST_TEST (walk (directory, "a/b") == 0);
  BOOST_TEST (walk (directory, "a/none") == ENOENT);
  BOOST_TEST (walk (directory, "a/file") == ENOTDIR);
  BOOST_TEST (walk (directory, "a/link") == ENOTDIR);
  BOOST_TEST (walk (directory, "a/link/c") == ENOTDIR);
}

BOOST_AUTO_TEST_CASE (no_improper_components)
{
  tests::scratch directory;
  directory.make_directory ("a");
  for (auto *path : {"/", "..", "a/..", "a/../a", ".", "a/.", "a//a", "/a"})
    BOOST_TEST (walk (directory, path) == EINVAL, path);
  BOOST_TEST (walk (directory, std::string (NAME_MAX, 'x')) == ENOENT);
  BOOST_TEST (walk (directory, std::string (NAME_MAX + 1, 'x'))
              == ENAMETOOLONG);
}

BOOST_AUTO_TEST_CASE (no_improper_names)
{
  tests::scratch directory;
  directory.make_directory ("a");
  plan::context context {.root = directory.fd ()};
  BOOST_TEST (plan::locate ("/b", context).has_value ());
  BOOST_TEST (plan::locate ("/a/b", context).has_value ());
  for (auto *path : {"", "a", "/", "/.", "/..", "/a/", "/a/.", "/a/.."})
    {
      auto place = plan::locate (path, context);
      BOOST_REQUIRE (!place);
      BOOST_TEST (place.error ().error == EINVAL, path);
    }
  ::close (context.directory);
}

BOOST_AUTO_TEST_SUITE_END ()
