// SPDX-License-Identifier: GPL-3.0-or-later
// Many files at once, for Scheme; their names are octet strings.
#include "scheme/families.hh"
#include "scheme/octets.hh"
#include "tree/bulk.hh"

namespace fruix::scheme {

struct entries_request
{
  std::vector<std::string> names;
};

static SCM
list_entries_ (SCM directory)
{
  int fd = scm_to_int (directory);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<entries_request> ();
  auto result = act ("readdir", [&]
    { return list_entries (fd, request.names); });
  SCM list = SCM_EOL;
  if (result)
    for (auto name = request.names.rbegin (); name != request.names.rend ();
         ++name)
      list = scm_cons (octets (*name), list);
  scm_dynwind_end ();
  return result ? list : value_or_raise (result);
}

struct moves_request
{
  std::vector<std::string> names;
  std::vector<unmoved> left;
};

static SCM
renameat_ (SCM from, SCM names, SCM to)
{
  int source = scm_to_int (from), target = scm_to_int (to);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<moves_request> ();
  decode (names, request.names);
  auto result = act ("renameat", [&] () -> outcome<void>
    {
      move_entries (source, request.names, target, request.left);
      return {};
    });
  SCM list = SCM_EOL;
  for (auto &[name, error] : request.left)
    list = scm_acons (octets (name), encode (error), list);
  scm_dynwind_end ();
  return result ? list : value_or_raise (result);
}

static SCM
sweep_links_ (SCM directory, SCM smallest, SCM time)
{
  int fd = scm_to_int (directory);
  off_t size = scm_to_int64 (smallest);
  time_t since = scm_to_int64 (time);
  auto result
      = act ("unlinkat", [=] { return sweep_links (fd, size, since); });
  if (!result)
    raise (result.error ());
  return scm_cons (encode (result->freed), encode (result->saved));
}

static const primitive table[] = {
  {"%list-entries", 1, reinterpret_cast<void *> (list_entries_),
   "Return the sorted names of the entries of the directory with descriptor "
   "@var{directory}.  See readdir(3)."},
  {"%renameat", 3, reinterpret_cast<void *> (renameat_),
   "Move the entries @var{names}, a list of bytevectors, of the directory "
   "with descriptor @var{from} into that with descriptor @var{to}.  Return "
   "an association list of those that could not be moved and the errno of "
   "each.  See renameat(2)."},
  {"%sweep-links", 3, reinterpret_cast<void *> (sweep_links_),
   "Unlink the files of the directory with descriptor @var{directory} that "
   "have one link, or less than @var{smallest} bytes, or a name that begins "
   "with a full stop and no link since @var{time}.  Return a pair: the bytes "
   "given back, and those that the links of others save.  See unlinkat(2)."},
};

void
define_bulk_primitives ()
{
  define_primitives (table);
}

}
