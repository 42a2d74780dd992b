// SPDX-License-Identifier: GPL-3.0-or-later
// Faults, retry, descriptors and texts.
#include "base/outcome.hh"
#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "base/utf8.hh"

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

BOOST_AUTO_TEST_CASE (text_that_is_utf8_stays_as_it_is)
{
  for (std::string text : {"", "a", "\u00e9", "\u20ac", "\ud7ff\ue000",
                           "\U00010000\U0010ffff"})
    BOOST_TEST (valid_utf8 (text) == text);
  BOOST_TEST (valid_utf8 ({"a\0b", 3}) == std::string ("a\0b", 3));
}

BOOST_AUTO_TEST_CASE (each_byte_of_no_character_is_replaced)
{
  BOOST_TEST (valid_utf8 ("a\xff\xfe"
                          "b")
              == "a\ufffd\ufffdb");
  BOOST_TEST (valid_utf8 ("\xc3(") == "\ufffd(");
  for (auto bytes : {"\xe2\x82", "\xc0\x80", "\x80\x80"})
    BOOST_TEST (valid_utf8 (bytes) == "\ufffd\ufffd");
  // A long form, a surrogate.
  for (auto bytes : {"\xe0\x80\x80", "\xed\xa0\x80"})
    BOOST_TEST (valid_utf8 (bytes) == "\ufffd\ufffd\ufffd");
  BOOST_TEST (valid_utf8 ("\xf4\x90\x80\x80")
              == "\ufffd\ufffd\ufffd\ufffd");
}

BOOST_AUTO_TEST_SUITE_END ()
