// SPDX-License-Identifier: GPL-3.0-or-later
// A hash table, see dbopen(3), where each user stands three times: by name,
// by ID and by number of the line.  A first byte, which also tells the
// version of the format, keeps the keys apart.
#include "freebsd/passwd.hh"

#include "base/printable.hh"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <memory>
#include <sys/types.h>
#include <db.h>
#include <pwd.h>
#include <unistd.h>

namespace fruix {

constexpr std::size_t most_text = 64 * 1024;
constexpr std::size_t most_line = 1000;  // within getpwnam's own buffer
constexpr std::size_t most_name = 32;    // MAXLOGNAME without its NUL

constexpr std::size_t field_count = 7;
using fields = std::array<std::string_view, field_count>;

struct user
{
  std::string_view name, comment, directory, shell;
  std::uint32_t id, group;
};

static bool
split (std::string_view line, fields &result) noexcept
{
  for (std::size_t i = 0; i < field_count; i++)
    {
      auto colon = line.find (':');
      if ((colon == line.npos) != (i == field_count - 1))
        return false;
      result[i] = line.substr (0, colon);
      line.remove_prefix (colon == line.npos ? line.size () : colon + 1);
    }
  return true;
}

static bool
parse (std::string_view digits, std::uint32_t &result) noexcept
{
  auto end = digits.data () + digits.size ();
  auto [rest, error] = std::from_chars (digits.data (), end, result);
  return error == std::errc {} && rest == end;
}

// '+' and '-' would stand for users of NIS.
static bool
parse (std::string_view line, user &result) noexcept
{
  fields f;
  if (line.size () > most_line || line.find ('\0') != line.npos
      || !split (line, f) || f[0].empty () || f[0].size () > most_name
      || f[0].starts_with ('+') || f[0].starts_with ('-'))
    return false;
  result = {f[0], f[4], f[5], f[6], 0, 0};
  return parse (f[2], result.id) && parse (f[3], result.group);
}

static void
append (std::string &record, std::string_view text)
{
  record.append (text).push_back ('\0');
}

static void
append (std::string &record, std::uint32_t number)
{
  number = htonl (number);
  record.append (reinterpret_cast<char *> (&number), sizeof number);
}

static std::uint32_t
fields_filled (const user &user) noexcept
{
  std::uint32_t result = _PWF_NAME | _PWF_PASSWD | _PWF_UID | _PWF_GID;
  result |= user.comment.empty () ? 0 : _PWF_GECOS;
  result |= user.directory.empty () ? 0 : _PWF_DIR;
  result |= user.shell.empty () ? 0 : _PWF_SHELL;
  return result;
}

// The class and the times of change and expiry are not in /etc/passwd; the
// password is not for everybody to read.
static std::string
make_record (const user &user)
{
  std::string record;
  append (record, user.name);
  append (record, "*");
  append (record, user.id);
  append (record, user.group);
  append (record, 0);
  append (record, "");
  append (record, user.comment);
  append (record, user.directory);
  append (record, user.shell);
  append (record, 0);
  append (record, fields_filled (user));
  return record;
}

static std::string
make_key (char kind, std::string_view rest)
{
  return std::string {
    static_cast<char> (_PW_VERSIONED (kind, _PWD_CURRENT_VERSION))}
         .append (rest);
}

static std::string
make_key (char kind, std::uint32_t number)
{
  auto key = make_key (kind, "");
  append (key, number);
  return key;
}

struct closer
{
  void operator() (DB *base) const noexcept { base->close (base); }
};
using database = std::unique_ptr<DB, closer>;

// 0, 1 if KEY is there already, or -1.
static int
put (DB *base, std::string key, std::string value)
{
  DBT k {key.data (), key.size ()}, v {value.data (), value.size ()};
  return base->put (base, &k, &v, R_NOOVERWRITE);
}

// Several users may have one ID; then the first of them is found by it.
static outcome<void>
add_user (DB *base, const user &user, std::uint32_t number)
{
  auto record = make_record (user);
  int by_name = put (base, make_key (_PW_KEYBYNAME, user.name), record);
  if (by_name > 0)
    return failed ("passwd", printable ("user", user.name).view (), EEXIST);
  if (by_name < 0 || put (base, make_key (_PW_KEYBYNUM, number), record) < 0
      || put (base, make_key (_PW_KEYBYUID, user.id), record) < 0)
    return failed ("dbopen");
  return {};
}

static outcome<void>
add_users (DB *base, std::string_view text)
{
  for (std::uint32_t number = 1; !text.empty (); number++)
    {
      auto end = text.find ('\n');
      auto line = text.substr (0, end);
      user user;
      if (end == text.npos || !parse (line, user))
        return failed ("passwd", printable ("line", line).view (), EINVAL);
      if (auto result = add_user (base, user, number); !result)
        return result;
      text.remove_prefix (end + 1);
    }
  return {};
}

static outcome<void>
fill (DB *base, std::string_view text)
{
  if (put (base, _PWD_VERSION_KEY, std::string {_PWD_CURRENT_VERSION}) < 0)
    return failed ("dbopen");
  if (auto result = add_users (base, text); !result)
    return result;
  if (base->sync (base, 0) < 0)
    return failed ("dbopen");
  return {};
}

outcome<void>
compile_passwd (std::string_view text, const std::string &name)
{
  if (text.size () > most_text)
    return failed ("passwd", name, E2BIG);
  // As in pwd_mkdb, byte order included, which other programs may rely on.
  HASHINFO layout {4096, 32, 256, 2048 * 1024, nullptr, BIG_ENDIAN};
  database base {::dbopen (name.c_str (), O_RDWR | O_CREAT | O_EXCL, 0644,
                           DB_HASH, &layout)};
  if (!base)
    return failed ("dbopen", name);
  auto result = fill (base.get (), text);
  if (!result)
    ::unlink (name.c_str ());
  return result;
}

}
