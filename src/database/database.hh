// SPDX-License-Identifier: GPL-3.0-or-later
// A connection to a SQLite database: open, prepare, query, close.
//
// A statement is compiled once and stays as long as the connection, so
// callers prepare a small number of constant texts and bind what varies.  A
// connection has no lock of its own: one thread at a time uses it.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <memory>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fruix {

// NULL, an integer, or text: bytes in no particular encoding.
using sql_value = std::variant<std::monostate, std::int64_t, std::string>;

// What a statement gave, in few pieces of memory however many rows there are.
struct sql_result
{
  struct piece
  {
    std::size_t start, size;
  };
  using cell = std::variant<std::monostate, std::int64_t, piece>;

  std::size_t columns = 0;
  std::vector<cell> cells; // row by row
  std::string text;        // of all cells

  std::string_view
  text_of (piece where) const
  {
    return std::string_view {text}.substr (where.start, where.size);
  }

  // Sort the cells by the bytes of their texts, those without one first.
  void sort_cells ();
};

class database
{
public:
  // Open FILE; MODE is SQLite's own word: "ro", "rw", or "rwc" to create it.
  // The connection refuses SQL that could corrupt the file.
  static outcome<void> open (const std::string &file, const std::string &mode,
                             std::unique_ptr<database> &out);

  // Compile SQL, one statement, and return the number that it has here.
  outcome<std::size_t> prepare (const std::string &sql);

  // Run the statement NUMBER with ARGUMENTS; RESULT is a new one.
  outcome<void> query (std::size_t number,
                       const std::vector<sql_value> &arguments,
                       sql_result &result);

private:
  struct closer
  {
    void operator() (sqlite3 *handle) { sqlite3_close (handle); }
  };
  struct finalizer
  {
    void operator() (sqlite3_stmt *handle) { sqlite3_finalize (handle); }
  };
  using statement = std::unique_ptr<sqlite3_stmt, finalizer>;

  std::unexpected<fault> failure (const char *who, const std::string &object);
  std::unexpected<fault> failure (const char *who, sqlite3_stmt *statement);
  outcome<void> bind (sqlite3_stmt *statement,
                      const std::vector<sql_value> &arguments);

  std::unique_ptr<sqlite3, closer> connection_;
  std::vector<statement> statements_;
};

}
