// SPDX-License-Identifier: GPL-3.0-or-later
// The connection: what is cached, bound and reset.
#include "database/database.hh"

#include <boost/test/unit_test.hpp>

using namespace fruix;

struct in_memory
{
  in_memory () { BOOST_REQUIRE (database::open (":memory:", "rwc", db)); }

  outcome<void>
  run (std::size_t number, std::vector<sql_value> arguments = {})
  {
    result = {};
    return db->query (number, arguments, result);
  }

  void
  query (const char *sql, std::vector<sql_value> arguments = {})
  {
    BOOST_REQUIRE (run (prepare (sql), arguments));
  }

  std::size_t
  prepare (const char *sql)
  {
    auto number = db->prepare (sql);
    BOOST_REQUIRE (number);
    return *number;
  }

  // What the last query gave.
  sql_result result;
  std::unique_ptr<database> db;
};

BOOST_FIXTURE_TEST_SUITE (sql, in_memory)

BOOST_AUTO_TEST_CASE (values_come_back_as_they_went)
{
  using namespace std::string_literals;
  query ("create table t (a, b text, c integer)");
  query ("insert into t values (?, ?, ?)",
         {std::monostate {}, "\xff\0x"s, std::int64_t {-1}});
  query ("insert into t values (?, ?, ?)", {""s, "y"s, std::int64_t {0}});
  query ("select a, b, c from t");
  using piece = sql_result::piece;
  BOOST_TEST (result.columns == 3);
  BOOST_REQUIRE (result.cells.size () == 6);
  BOOST_TEST (std::holds_alternative<std::monostate> (result.cells[0]));
  BOOST_TEST (result.text_of (std::get<piece> (result.cells[1]))
              == "\xff\0x"s);
  BOOST_TEST (std::get<std::int64_t> (result.cells[2]) == -1);
  BOOST_TEST (result.text_of (std::get<piece> (result.cells[3])) == "");
  BOOST_TEST (result.text_of (std::get<piece> (result.cells[4])) == "y");
}

BOOST_AUTO_TEST_CASE (cells_are_sorted_by_their_bytes)
{
  using namespace std::string_literals;
  query ("select ? union all select 'b' union all select ? union all"
         " select ? union all select 'ab'",
         {"\xff"s, std::monostate {}, "a\0"s});
  result.sort_cells ();
  BOOST_REQUIRE (result.cells.size () == 5);
  BOOST_TEST (std::holds_alternative<std::monostate> (result.cells[0]));
  for (int i = 1; auto text : {"a\0"s, "ab"s, "b"s, "\xff"s})
    BOOST_TEST (result.text_of (
                    std::get<sql_result::piece> (result.cells[i++]))
                == text);
}

BOOST_AUTO_TEST_CASE (a_statement_can_be_used_again_after_it_failed)
{
  query ("create table t (a unique)");
  auto insert = prepare ("insert into t values (?)");
  BOOST_TEST (!!run (insert, {std::int64_t {1}}));
  auto failed = run (insert, {std::int64_t {1}});
  BOOST_REQUIRE (!failed);
  BOOST_TEST (failed.error ().error == EINVAL);
  BOOST_TEST (!!run (insert, {std::int64_t {2}}));
}

BOOST_AUTO_TEST_CASE (the_reason_is_told_however_long_the_statement)
{
  query ("create table t (a)");
  auto failed = db->prepare ("select none" + std::string (300, ' ')
                             + "from t");
  BOOST_REQUIRE (!failed);
  std::string_view told {failed.error ().object};
  BOOST_TEST (told.starts_with ("no such column: none: select none "),
              told);
}

BOOST_AUTO_TEST_CASE (the_number_of_arguments_is_checked)
{
  BOOST_TEST (!run (prepare ("select ?")));
  BOOST_TEST (!run (prepare ("select 1"), {std::int64_t {1}}));
}

BOOST_AUTO_TEST_CASE (the_schema_cannot_be_written_to)
{
  query ("create table t (a)");
  query ("pragma writable_schema = on");
  BOOST_TEST (!db->prepare ("delete from sqlite_master"));
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
