// SPDX-License-Identifier: GPL-3.0-or-later
// The data base of users is one that the C library reads.
#include "freebsd/inside.hh"
#include "freebsd/jail.hh"
#include "freebsd/passwd.hh"
#include "freebsd/teardown.hh"
#include "tests/scratch.hh"

#include <pwd.h>

using namespace fruix;
using namespace fruix::tests;
namespace unit = boost::unit_test;

namespace {

constexpr char sample[]
    = "root:x:0:0:System:/:/bin/sh\n"
      "nixbld:x:30001:30000:A builder:/tmp/build:/bin/sh\n"
      "twin:x:30001:30002:::\n";

int
error_of (const std::string &text)
{
  scratch scratch;
  auto result = compile_passwd (text, scratch / "pwd.db");
  BOOST_TEST (scratch.exists ("pwd.db") == result.has_value ());
  return result ? 0 : result.error ().error;
}

bool
is_builder (const passwd *found)
{
  return found && found->pw_name == std::string_view {"nixbld"}
         && found->pw_passwd == std::string_view {"*"}
         && found->pw_uid == 30001 && found->pw_gid == 30000
         && found->pw_gecos == std::string_view {"A builder"}
         && found->pw_dir == std::string_view {"/tmp/build"}
         && found->pw_shell == std::string_view {"/bin/sh"};
}

outcome<void>
look_up () noexcept
{
  if (!is_builder (getpwnam ("nixbld")))
    return failed ("getpwnam", "nixbld", ENOENT);
  if (!is_builder (getpwuid (30001)))
    return failed ("getpwuid", "30001", ENOENT);
  if (getpwnam ("nobody") || getpwuid (30002))
    return failed ("getpwnam", "nobody", EEXIST);
  setpwent ();
  for (std::string_view name : {"root", "nixbld", "twin"})
    if (auto next = getpwent (); !next || next->pw_name != name)
      return failed ("getpwent", name, ENOENT);
  if (getpwent ())
    return failed ("getpwent", "", EEXIST);
  return {};
}

}

BOOST_AUTO_TEST_SUITE (freebsd_passwd)

BOOST_AUTO_TEST_CASE (users_are_found_in_a_jail,
                      *unit::precondition (as_root))
{
  scratch scratch;
  scratch.make_directory ("etc");
  BOOST_REQUIRE (compile_passwd (sample, scratch / "etc/pwd.db"));
  parameter parameters[]
      = {parameter::text ("path", scratch / ""),
         parameter::text ("name",
                          "fruix-passwd-" + std::to_string (getpid ()))};
  auto jail = create_jail (parameters);
  BOOST_REQUIRE (jail);
  unique_fd descriptor {jail->descriptor};
  auto found = call_in_jail (jail->id, look_up);
  BOOST_TEST (tear_down_jail (jail->id).value ());
  if (!found)
    BOOST_ERROR (found.error ().who << ": " << found.error ().object);
}

BOOST_AUTO_TEST_CASE (a_line_has_seven_fields)
{
  BOOST_TEST (error_of (sample) == 0);
  BOOST_TEST (error_of ("") == 0);
  for (auto line : {"user:x:1:1:::\n\n", "user:x:1:1::\n", "user\n",
                    "user:x:1:1::::\n", "user:x:1:1:::", ":x:1:1:::\n",
                    "+user:x:1:1:::\n", "-user:x:1:1:::\n"})
    BOOST_TEST (error_of (line) == EINVAL, line);
}

BOOST_AUTO_TEST_CASE (ids_are_numbers)
{
  BOOST_TEST (error_of ("user:x:4294967295:1:::\n") == 0);
  for (auto line : {"user:x:4294967296:1:::\n", "user:x:-1:1:::\n",
                    "user:x: 1:1:::\n", "user:x::1:::\n", "user:x:1::::\n",
                    "user:x:1:0x1:::\n"})
    BOOST_TEST (error_of (line) == EINVAL, line);
}

BOOST_AUTO_TEST_CASE (a_name_is_taken_once)
{
  BOOST_TEST (error_of ("user:x:1:1:::\nuser:x:2:2:::\n") == EEXIST);
}

BOOST_AUTO_TEST_CASE (what_is_too_long_is_refused)
{
  auto line = [] (std::size_t length)
    { return "user:x:1:1:" + std::string (length - 13, 'x') + "::\n"; };
  BOOST_TEST (error_of (line (1000)) == 0);
  BOOST_TEST (error_of (line (1001)) == EINVAL);
  BOOST_TEST (error_of (std::string (33, 'x') + ":x:1:1:::\n") == EINVAL);
  BOOST_TEST (error_of (std::string (64 * 1024, '\n')) == EINVAL);
  BOOST_TEST (error_of (std::string (64 * 1024 + 1, '\n')) == E2BIG);
  BOOST_TEST (error_of (std::string ("user:x:1:1:\0::\n", 15)) == EINVAL);
}

BOOST_AUTO_TEST_CASE (a_file_is_not_overwritten)
{
  scratch scratch;
  scratch.make_file ("pwd.db", "kept");
  auto result = compile_passwd (sample, scratch / "pwd.db");
  BOOST_REQUIRE (!result);
  BOOST_TEST (result.error ().error == EEXIST);
  BOOST_TEST (scratch.exists ("pwd.db"));
}

BOOST_AUTO_TEST_SUITE_END ()
