// SPDX-License-Identifier: GPL-3.0-or-later
#include "database/database.hh"

#include <algorithm>

namespace fruix {

void
sql_result::sort_cells ()
{
  auto key = [this] (const cell &cell)
    {
      auto *where = std::get_if<piece> (&cell);
      return std::pair {where != nullptr,
                        where ? text_of (*where) : std::string_view {}};
    };
  std::ranges::sort (cells, {}, key);
}

// The errno that says what CODE, a primary result code, says.
static int
errno_of (int code) noexcept
{
  switch (code)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return EAGAIN;
    case SQLITE_NOMEM:
      return ENOMEM;
    case SQLITE_READONLY:
      return EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return EACCES;
    case SQLITE_FULL:
      return ENOSPC;
    case SQLITE_TOOBIG:
      return E2BIG;
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return EINVAL;
    default:
      return EIO;
    }
}

std::unexpected<fault>
database::failure (const char *who, const std::string &object)
{
  int code = sqlite3_errcode (connection_.get ()) & 0xff;
  int system = code == SQLITE_CANTOPEN || code == SQLITE_IOERR
                   ? sqlite3_system_errno (connection_.get ())
                   : 0;
  // The reason first: a statement may be longer than a fault.
  return failed (who, sqlite3_errmsg (connection_.get ()) + (": " + object),
                 system ? system : errno_of (code));
}

std::unexpected<fault>
database::failure (const char *who, sqlite3_stmt *statement)
{
  return failure (who, std::string {sqlite3_sql (statement)});
}

outcome<void>
database::open (const std::string &file, const std::string &mode,
                std::unique_ptr<database> &out)
{
  int flags = mode == "ro"   ? SQLITE_OPEN_READONLY
              : mode == "rw" ? SQLITE_OPEN_READWRITE
                             : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  auto result = std::make_unique<database> ();
  sqlite3 *connection = nullptr;
  int code = sqlite3_open_v2 (file.c_str (), &connection,
                              flags | SQLITE_OPEN_NOMUTEX, nullptr);
  result->connection_.reset (connection);
  if (code != SQLITE_OK)
    return result->failure ("sqlite3_open_v2", file);
  // Whoever may write to the file must not gain more than that.
  if (sqlite3_db_config (connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr)
          != SQLITE_OK
      || sqlite3_db_config (connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
                            nullptr)
             != SQLITE_OK)
    return result->failure ("sqlite3_db_config", file);
  out = std::move (result);
  return {};
}

outcome<std::size_t>
database::prepare (const std::string &sql)
{
  statements_.reserve (statements_.size () + 1);
  sqlite3_stmt *compiled = nullptr;
  if (sqlite3_prepare_v3 (connection_.get (), sql.c_str (), sql.size () + 1,
                          SQLITE_PREPARE_PERSISTENT, &compiled, nullptr)
      != SQLITE_OK)
    return failure ("sqlite3_prepare_v3", sql);
  statements_.emplace_back (compiled);
  return statements_.size () - 1;
}

outcome<void>
database::bind (sqlite3_stmt *statement,
                const std::vector<sql_value> &arguments)
{
  if (sqlite3_bind_parameter_count (statement)
      != static_cast<int> (arguments.size ()))
    return failed ("sqlite3_bind",
                   std::string {"wrong number of arguments: "}
                       + sqlite3_sql (statement),
                   EINVAL);
  for (int i = 0; auto &argument : arguments)
    {
      ++i;
      int code;
      if (auto *text = std::get_if<std::string> (&argument))
        code = sqlite3_bind_text64 (statement, i, text->data (),
                                    text->size (), SQLITE_STATIC,
                                    SQLITE_UTF8);
      else if (auto *integer = std::get_if<std::int64_t> (&argument))
        code = sqlite3_bind_int64 (statement, i, *integer);
      else
        code = sqlite3_bind_null (statement, i);
      if (code != SQLITE_OK)
        return failure ("sqlite3_bind", statement);
    }
  return {};
}

// Append the value of column I of STATEMENT's row to RESULT.
static void
take_column (sqlite3_stmt *statement, int i, sql_result &result)
{
  switch (sqlite3_column_type (statement, i))
    {
    case SQLITE_NULL:
      result.cells.emplace_back ();
      break;
    case SQLITE_INTEGER:
      result.cells.emplace_back (
          std::int64_t {sqlite3_column_int64 (statement, i)});
      break;
    default:
      // The size after the bytes, since fetching these may convert the value.
      auto *text = static_cast<const char *> (
          sqlite3_column_blob (statement, i));
      std::size_t size = text ? sqlite3_column_bytes (statement, i) : 0;
      result.cells.emplace_back (
          sql_result::piece {result.text.size (), size});
      result.text.append (text, size);
    }
}

// Gives STATEMENT back its initial state, so that it holds no lock and no
// pointer into the arguments.
struct resetting
{
  sqlite3_stmt *statement;
  ~resetting ()
  {
    sqlite3_reset (statement);
    sqlite3_clear_bindings (statement);
  }
};

outcome<void>
database::query (std::size_t number, const std::vector<sql_value> &arguments,
                 sql_result &result)
{
  auto *statement = statements_.at (number).get ();
  resetting guard {statement};
  if (auto bound = bind (statement, arguments); !bound)
    return bound;
  int columns = sqlite3_column_count (statement);
  result.columns = columns;
  for (;;)
    switch (sqlite3_step (statement))
      {
      case SQLITE_ROW:
        for (int i = 0; i < columns; ++i)
          take_column (statement, i, result);
        break;
      case SQLITE_DONE:
        return {};
      default:
        return failure ("sqlite3_step", statement);
      }
}

}
