// SPDX-License-Identifier: GPL-3.0-or-later
// What is tried in a child stays there, but for how it failed.
#include "process/probe.hh"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

using namespace fruix;

BOOST_AUTO_TEST_SUITE (probes)

static outcome<void>
succeed (const char *) noexcept
{
  return {};
}

static outcome<void>
fail (const char *subject) noexcept
{
  return failed ("trial", subject, EDOM);
}

static outcome<void>
die (const char *) noexcept
{
  ::raise (SIGTERM);
  return {};
}

static outcome<void>
leave (const char *directory) noexcept
{
  return ::chdir (directory) < 0 ? failed ("chdir") : outcome<void> {};
}

static outcome<void>
look_for_descriptors (const char *) noexcept
{
  for (int fd = 1; fd < 1024; fd++)
    if (::fcntl (fd, F_GETFD) >= 0)
      return failed ("fcntl", "", EBUSY);
  return {};
}

BOOST_AUTO_TEST_CASE (success)
{
  auto result = in_child<succeed> ("");
  BOOST_REQUIRE (result);
  BOOST_TEST (*result == 0);
}

BOOST_AUTO_TEST_CASE (failure_is_told)
{
  auto result = in_child<fail> ("subject");
  BOOST_REQUIRE (!result);
  BOOST_TEST (std::string_view {result.error ().who} == "trial");
  BOOST_TEST (std::string_view {result.error ().object} == "subject");
  BOOST_TEST (result.error ().error == EDOM);
}

BOOST_AUTO_TEST_CASE (death_is_told)
{
  auto result = in_child<die> ("");
  BOOST_REQUIRE (!result);
  BOOST_TEST (result.error ().error == EINTR);
}

BOOST_AUTO_TEST_CASE (parent_stays_the_same)
{
  auto before = std::filesystem::current_path ();
  BOOST_TEST (in_child<leave> ("/").has_value ());
  BOOST_TEST (before == std::filesystem::current_path ());
}

BOOST_AUTO_TEST_CASE (child_has_no_descriptors)
{
  int fd = ::open ("/", O_RDONLY | O_DIRECTORY);
  BOOST_TEST (in_child<look_for_descriptors> ("").has_value ());
  ::close (fd);
}

BOOST_AUTO_TEST_CASE (name_is_looked_up)
{
  BOOST_TEST (run_probe ("fork", "").has_value ());
  auto result = run_probe ("levitate", "");
  BOOST_REQUIRE (!result);
  BOOST_TEST (std::string_view {result.error ().who} == "levitate");
  BOOST_TEST (result.error ().error == ENOSYS);
}

BOOST_AUTO_TEST_SUITE_END ()
