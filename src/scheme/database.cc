// SPDX-License-Identifier: GPL-3.0-or-later
// SQLite for Scheme: a connection is a handle, a row is a vector.
#include "database/database.hh"
#include "scheme/boundary.hh"
#include "scheme/families.hh"
#include "scheme/handle.hh"
#include "scheme/octets.hh"

namespace fruix::scheme {

static constinit handle_type<database> databases {"database"};

struct open_request
{
  std::string file;
  std::string mode;
  std::unique_ptr<database> result;
};

static SCM
sqlite3_open_ (SCM file, SCM mode)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<open_request> ();
  decode (file, request.file);
  decode (mode, request.mode);
  auto result = act ("sqlite3_open_v2", [&]
    { return database::open (request.file, request.mode, request.result); });
  SCM handle = result ? databases.wrap (request.result) : SCM_UNSPECIFIED;
  scm_dynwind_end ();
  return result ? handle : value_or_raise (result);
}

struct prepare_request
{
  std::string sql;
};

static SCM
sqlite3_prepare_ (SCM handle, SCM sql)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &connection = databases.hold (handle);
  auto &request = make_request<prepare_request> ();
  decode (sql, request.sql);
  auto result = act ("sqlite3_prepare_v3",
                     [&] { return connection.prepare (request.sql); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

struct query_request
{
  std::vector<sql_value> arguments;
  sql_result result;
};

// Make OUT a text of SIZE bytes; there is no way to tell that there is no
// memory.
static char *
make_text (std::size_t size, sql_value &out) noexcept
{
  return out.emplace<std::string> (size, '\0').data ();
}

static void
decode_argument (SCM value, sql_value &out)
{
  if (scm_is_string (value))
    copy_octets (value, make_text (scm_c_string_length (value), out));
  else if (scm_is_true (value))
    out = std::int64_t {scm_to_int64 (value)};
}

static void
decode_arguments (SCM list, std::vector<sql_value> &out)
{
  if (!scm_is_true (scm_list_p (list)))
    scm_wrong_type_arg_msg (nullptr, 0, list, "list of SQL values");
  for (; scm_is_pair (list); list = scm_cdr (list))
    decode_argument (scm_car (list), out.emplace_back ());
}

static SCM
encode_cell (const sql_result &result, const sql_result::cell &cell)
{
  if (auto *where = std::get_if<sql_result::piece> (&cell))
    {
      auto text = result.text_of (*where);
      return scm_from_latin1_stringn (text.data (), text.size ());
    }
  if (auto *integer = std::get_if<std::int64_t> (&cell))
    return scm_from_int64 (*integer);
  return SCM_BOOL_F;
}

static SCM
encode_rows (sql_result &result)
{
  SCM list = SCM_EOL;
  for (auto next = result.cells.size (); next > 0;)
    {
      SCM row = scm_c_make_vector (result.columns, SCM_BOOL_F);
      for (auto column = result.columns; column-- > 0;)
        SCM_SIMPLE_VECTOR_SET (row, column,
                               encode_cell (result, result.cells[--next]));
      list = scm_cons (row, list);
    }
  return list;
}

static SCM
encode_sorted (sql_result &result)
{
  result.sort_cells ();
  SCM list = SCM_EOL;
  for (auto next = result.cells.size (); next > 0;)
    list = scm_cons (encode_cell (result, result.cells[--next]), list);
  return list;
}

static SCM
run_query (SCM handle, SCM statement, SCM arguments,
           SCM (*encode_result) (sql_result &))
{
  auto number = scm_to_size_t (statement);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &connection = databases.hold (handle);
  auto &request = make_request<query_request> ();
  decode_arguments (arguments, request.arguments);
  auto result = act ("sqlite3_step", [&]
    { return connection.query (number, request.arguments, request.result); });
  SCM value = result ? encode_result (request.result) : SCM_EOL;
  scm_dynwind_end ();
  return result ? value : value_or_raise (result);
}

static SCM
sqlite3_query_ (SCM handle, SCM statement, SCM arguments)
{
  return run_query (handle, statement, arguments, encode_rows);
}

static SCM
sqlite3_query_sorted_ (SCM handle, SCM statement, SCM arguments)
{
  return run_query (handle, statement, arguments, encode_sorted);
}

static SCM
sqlite3_close_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  databases.hold (handle);
  databases.close (handle);
  scm_dynwind_end ();
  return SCM_UNSPECIFIED;
}

static const primitive table[] = {
  {"%sqlite3-open", 2, reinterpret_cast<void *> (sqlite3_open_),
   "Open the database @var{file} and return a connection.  @var{mode} is "
   "@code{\"ro\"}, @code{\"rw\"}, or @code{\"rwc\"}, which creates the file "
   "when it is missing.  See @code{sqlite3_open_v2}."},
  {"%sqlite3-prepare", 2, reinterpret_cast<void *> (sqlite3_prepare_),
   "Compile @var{sql}, a string of one statement, for the connection "
   "@var{database}, and return the statement's number there."},
  {"%sqlite3-query", 3, reinterpret_cast<void *> (sqlite3_query_),
   "Run the statement @var{number} of the connection @var{database} with "
   "@var{arguments}, a list of integers, octet strings and @code{#f} (NULL). "
   " Return the list of rows, each a vector of such values."},
  {"%sqlite3-query-sorted", 3,
   reinterpret_cast<void *> (sqlite3_query_sorted_),
   "Do what @code{%sqlite3-query} does, but return a single list of the "
   "values of all columns, sorted by their bytes, @code{#f} first."},
  {"%sqlite3-close", 1, reinterpret_cast<void *> (sqlite3_close_),
   "Close the connection @var{database}."},
};

void
define_database_primitives ()
{
  define_primitives (table);
}

}
