// SPDX-License-Identifier: GPL-3.0-or-later
// The main program of all C++ tests.
#define BOOST_TEST_MODULE fruix
#include <boost/test/included/unit_test.hpp>

// For tests/harness.scm, which asks for it by name.
BOOST_AUTO_TEST_CASE (fails_when_asked,
                      *boost::unit_test::disabled ())
{
  BOOST_TEST (false);
}
