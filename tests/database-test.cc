// SPDX-License-Identifier: GPL-3.0-or-later
// The connection: what is cached, bound and reset.
#include "database/database.hh"

#include <boost/test/unit_test.hpp>

using namespace fruix;

struct in_memory
{
  in_memory () { BOOST_REQUIRE (database::open (":memory:", "rwc", db)); }

  std::vector<sql_row>
  query (const std::string &sql, std::vector<sql_value> arguments = {})
  {
    std::vector<sql_row> rows;
    BOOST_REQUIRE (db->query (sql, arguments, rows));
    return rows;
  }

  std::unique_ptr<database> db;
};

BOOST_FIXTURE_TEST_SUITE (sql, in_memory)

BOOST_AUTO_TEST_CASE (values_come_back_as_they_went)
{
  using namespace std::string_literals;
  query ("create table t (a, b text, c integer)");
  sql_row row {std::monostate {}, "\xff\0x"s, std::int64_t {-1}};
  query ("insert into t values (?, ?, ?)", row);
  auto rows = query ("select a, b, c from t");
  BOOST_REQUIRE (rows.size () == 1);
  BOOST_TEST ((rows[0] == row));
}

BOOST_AUTO_TEST_CASE (a_statement_can_be_used_again_after_it_failed)
{
  query ("create table t (a unique)");
  std::vector<sql_row> rows;
  sql_row one {std::int64_t {1}}, two {std::int64_t {2}};
  const char *insert = "insert into t values (?)";
  BOOST_TEST (!!db->query (insert, one, rows));
  auto failed = db->query (insert, one, rows);
  BOOST_REQUIRE (!failed);
  BOOST_TEST (failed.error ().error == EINVAL);
  BOOST_TEST (!!db->query (insert, two, rows));
}

BOOST_AUTO_TEST_CASE (the_number_of_arguments_is_checked)
{
  std::vector<sql_row> rows;
  BOOST_TEST (!db->query ("select ?", {}, rows));
  BOOST_TEST (!db->query ("select 1", {std::int64_t {1}}, rows));
}

BOOST_AUTO_TEST_CASE (the_schema_cannot_be_written_to)
{
  query ("create table t (a)");
  query ("pragma writable_schema = on");
  std::vector<sql_row> rows;
  BOOST_TEST (!db->query ("delete from sqlite_master", {}, rows));
}

BOOST_AUTO_TEST_SUITE_END ()

BOOST_AUTO_TEST_CASE (a_missing_database_is_an_error)
{
  std::unique_ptr<database> db;
  auto opened = database::open ("/nonexistent/db", "rwc", db);
  BOOST_REQUIRE (!opened);
  BOOST_TEST (opened.error ().error == ENOENT);
  BOOST_TEST (!db);
}
