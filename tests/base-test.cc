// SPDX-License-Identifier: GPL-3.0-or-later
// Faults, retry and descriptors.
#include "base/outcome.hh"
#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <string>

using namespace fruix;

static bool
is_open (int fd)
{
  return ::fcntl (fd, F_GETFD) >= 0;
}

BOOST_AUTO_TEST_SUITE (base)

BOOST_AUTO_TEST_CASE (a_fault_names_call_object_and_errno)
{
  errno = EACCES;
  outcome<int> result = failed ("openat", "/secret");
  BOOST_TEST (!result);
  BOOST_TEST (result.error ().error == EACCES);
  BOOST_TEST (std::string {result.error ().who} == "openat");
  BOOST_TEST (std::string {result.error ().object} == "/secret");
}

BOOST_AUTO_TEST_CASE (a_long_object_is_cut_and_terminated)
{
  fault f = make_fault ("openat", std::string (4096, 'x'), ENAMETOOLONG);
  BOOST_TEST (std::strlen (f.object) == sizeof f.object - 1);
}

BOOST_AUTO_TEST_CASE (retry_repeats_only_interrupted_calls)
{
  int calls = 0;
  auto interrupted_twice = [&] {
    errno = ++calls < 3 ? EINTR : EIO;
    return -1;
  };
  BOOST_TEST (retry (interrupted_twice) == -1);
  BOOST_TEST (calls == 3);
  BOOST_TEST (errno == EIO);
}

BOOST_AUTO_TEST_CASE (a_descriptor_has_one_owner)
{
  int raw = ::open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  BOOST_REQUIRE (raw >= 0);
  {
    unique_fd first {raw};
    unique_fd second {std::move (first)};
    BOOST_TEST (!first);
    BOOST_TEST (second.get () == raw);
    BOOST_TEST (is_open (raw));
  }
  BOOST_TEST (!is_open (raw));
}

BOOST_AUTO_TEST_CASE (moving_over_a_descriptor_closes_it)
{
  int raw = ::open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  unique_fd owner {raw};
  owner = unique_fd {};
  BOOST_TEST (!is_open (raw));
}

BOOST_AUTO_TEST_SUITE_END ()
