// SPDX-License-Identifier: GPL-3.0-or-later
// A connection to a SQLite database: open, query, close.
//
// Each SQL text is compiled once and kept, so callers pass a small number of
// constant texts and bind what varies.  A connection has no lock of its own:
// one thread at a time uses it.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <memory>
#include <sqlite3.h>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace fruix {

// NULL, an integer, or text: bytes in no particular encoding.
using sql_value = std::variant<std::monostate, std::int64_t, std::string>;
using sql_row = std::vector<sql_value>;

class database
{
public:
  // Open FILE; MODE is SQLite's own word: "ro", "rw", or "rwc" to create it.
  // The connection refuses SQL that could corrupt the file.
  static outcome<void> open (const std::string &file, const std::string &mode,
                             std::unique_ptr<database> &out);

  // Run SQL, one statement, with ARGUMENTS; append its result to ROWS.
  outcome<void> query (const std::string &sql,
                       const std::vector<sql_value> &arguments,
                       std::vector<sql_row> &rows);

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
  outcome<sqlite3_stmt *> prepare (const std::string &sql);
  outcome<void> bind (sqlite3_stmt *statement, const std::string &sql,
                      const std::vector<sql_value> &arguments);

  std::unique_ptr<sqlite3, closer> connection_;
  std::unordered_map<std::string, statement> statements_;
};

}
