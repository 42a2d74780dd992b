// SPDX-License-Identifier: GPL-3.0-or-later
// Sharing the files of store items, and undoing it for damaged ones.
#include "base/duplicate.hh"
#include "scheme/families.hh"
#include "scheme/handle.hh"
#include "tree/sharer.hh"

namespace fruix::scheme {

static constexpr handle_type<tree_sharer> sharer_type {"tree-sharer"};

struct sharer_request
{
  int shared;
  std::unique_ptr<tree_sharer> result;
};

static outcome<void>
open_sharer (sharer_request &request)
{
  auto shared = duplicate (request.shared);
  if (!shared)
    return std::unexpected {shared.error ()};
  auto sharer = tree_sharer::open (std::move (*shared));
  if (!sharer)
    return std::unexpected {sharer.error ()};
  request.result = std::move (*sharer);
  return {};
}

static SCM
open_sharer_ (SCM shared)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<sharer_request> ();
  request.shared = scm_to_int (shared);
  auto result = act ("sharer", [&] { return open_sharer (request); });
  SCM handle = result ? sharer_type.wrap (request.result) : SCM_BOOL_F;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

struct sharing_request
{
  int directory;
  std::string name;
};

static outcome<void>
start (tree_sharer &sharer, sharing_request &request)
{
  auto directory = duplicate (request.directory);
  if (!directory)
    return std::unexpected {directory.error ()};
  sharer.start (std::move (*directory), request.name);
  return {};
}

static SCM
sharer_start_ (SCM handle, SCM directory, SCM name)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<sharing_request> ();
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  auto &sharer = sharer_type.hold (handle);
  auto result = act ("sharer", [&] { return start (sharer, request); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
sharer_work_ (SCM handle, SCM bytes)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  std::uint64_t count = scm_to_uint64 (bytes);
  auto &sharer = sharer_type.hold (handle);
  auto result = act ("sharer", [&] { return sharer.work (count); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
sharer_result_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto result = sharer_type.hold (handle).result ();
  scm_dynwind_end ();
  return scm_list_3 (encode (result.files), encode (result.bytes),
                     encode (result.writable));
}

static SCM
sharer_close_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  sharer_type.hold (handle);
  sharer_type.close (handle);
  scm_dynwind_end ();
  return SCM_UNSPECIFIED;
}

static SCM
disown_damaged_ (SCM shared, SCM directory, SCM name)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<sharing_request> ();
  int links = scm_to_int (shared);
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  auto result = act ("disown", [&]
    { return disown_damaged (links, request.directory, request.name); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%open-sharer", 1, reinterpret_cast<void *> (open_sharer_),
   "Return an object that makes files of trees one with equal ones in the "
   "directory with descriptor @var{shared}."},
  {"%sharer-start", 3, reinterpret_cast<void *> (sharer_start_),
   "Turn @var{sharer} to the tree @var{name} in the directory with "
   "descriptor @var{directory}."},
  {"%sharer-work", 2, reinterpret_cast<void *> (sharer_work_),
   "Have @var{sharer} work on its tree until it has read about @var{bytes}; "
   "return whether there is more to do."},
  {"%sharer-result", 1, reinterpret_cast<void *> (sharer_result_),
   "Return what @var{sharer} has done so far, a list: files that became "
   "others, bytes given back, files left alone because they are writable."},
  {"%sharer-close", 1, reinterpret_cast<void *> (sharer_close_),
   "Close @var{sharer}."},
  {"%disown-damaged", 3, reinterpret_cast<void *> (disown_damaged_),
   "Remove from the directory with descriptor @var{shared} the files of the "
   "tree @var{name} in the directory with descriptor @var{directory} that do "
   "not have the contents for which they are named; return how many."},
};

void
define_sharer_primitives ()
{
  define_primitives (table);
}

}
