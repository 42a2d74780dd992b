// SPDX-License-Identifier: GPL-3.0-or-later
// File trees on disk: take over, copy, list, remove.
#include "base/directory.hh"
#include "scheme/families.hh"
#include "scheme/handle.hh"
#include "scheme/summary.hh"
#include "tree/copy.hh"
#include "tree/hand_over.hh"
#include "tree/ingest.hh"
#include "tree/listing.hh"
#include "tree/platform.hh"
#include "tree/remove.hh"

namespace fruix::scheme {

static constexpr handle_type<ownership> ownership_type {"ownership"};

struct ownership_request
{
  std::optional<uid_t> owner;
  int stop;
  std::unique_ptr<ownership> result;
};

static SCM
make_ownership_ (SCM owner, SCM stop)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<ownership_request> ();
  if (scm_is_true (owner))
    request.owner = scm_to_uint32 (owner);
  request.stop = decode_descriptor (stop);
  auto result = act ("ownership", [&] () -> outcome<void>
    {
      request.result = std::make_unique<ownership> (request.owner,
                                                    request.stop);
      return {};
    });
  SCM handle = result ? ownership_type.wrap (request.result) : SCM_BOOL_F;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

struct ingest_request
{
  int directory;
  int shared;
  std::string name;
  digest_request digests;
  ingested result;
};

static outcome<void>
ingest (ingest_request &request, ownership &owner)
{
  if (auto result = resolve (request.digests); !result)
    return result;
  request.digests.options.keys = request.shared >= 0;
  auto result = ingest_tree (request.directory, request.name, request.shared,
                             request.digests.options, owner);
  if (!result)
    return std::unexpected {result.error ()};
  request.result = std::move (*result);
  return {};
}

static SCM
ingest_tree_ (SCM directory, SCM name, SCM shared, SCM algorithm, SCM flat,
              SCM candidates, SCM owner)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<ingest_request> ();
  request.directory = scm_to_int (directory);
  request.shared = decode_descriptor (shared);
  decode (name, request.name);
  decode (algorithm, flat, request.digests);
  decode (candidates, request.digests.options.candidates);
  auto &inodes = ownership_type.hold (owner);
  auto result = act ("ingest", [&] { return ingest (request, inodes); });
  SCM value = result ? scm_cons (encode (request.result.references),
                                 encode (request.result.summary))
                     : SCM_BOOL_F;
  scm_dynwind_end ();
  value_or_raise (result);
  return value;
}

struct copy_request
{
  int from, to;
  std::string name, new_name;
  hash_rewriter::replacements replacements;
};

// Copy the alist of strings REPLACEMENTS.
static void
decode (SCM replacements, hash_rewriter::replacements &out)
{
  for (; scm_is_pair (replacements); replacements = scm_cdr (replacements))
    {
      auto &[from, to] = out.emplace_back ();
      decode (scm_caar (replacements), from);
      decode (scm_cdar (replacements), to);
    }
}

static SCM
copy_tree_ (SCM from, SCM name, SCM to, SCM new_name, SCM owner,
            SCM replacements)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<copy_request> ();
  request.from = scm_to_int (from);
  decode (name, request.name);
  request.to = scm_to_int (to);
  decode (new_name, request.new_name);
  decode (replacements, request.replacements);
  auto &inodes = ownership_type.hold (owner);
  auto result = act ("copy", [&]
                       {
                         return copy_tree (request.from, request.name,
                                           request.to, request.new_name,
                                           inodes, request.replacements);
                       });
  scm_dynwind_end ();
  return value_or_raise (result);
}

struct remove_request
{
  int directory;
  std::string name;
};

static SCM
delete_tree_ (SCM directory, SCM name, SCM links)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<remove_request> ();
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  nlink_t most = scm_to_uint16 (links);
  auto result = act ("delete", [&]
                       {
                         return remove_tree (request.directory,
                                             request.name.c_str (), most);
                       });
  scm_dynwind_end ();
  return value_or_raise (result);
}

struct entry_request
{
  int directory;
  std::string name;
};

struct exchange_request
{
  int directory, other;
  std::string name, other_name;
};

static SCM
exchange_ (SCM directory, SCM name, SCM other, SCM other_name)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<exchange_request> ();
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  request.other = scm_to_int (other);
  decode (other_name, request.other_name);
  auto result = act ("renameat2", [&]
    {
      return exchange (request.directory, request.name.c_str (),
                       request.other, request.other_name.c_str ());
    });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
entry_exists_ (SCM directory, SCM name)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<entry_request> ();
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  auto result = act ("fstatat", [&]
    { return entry_exists (request.directory, request.name.c_str ()); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

struct hand_over_request
{
  int directory;
  std::string name;
  uid_t owner;
  gid_t group;
  mode_t mode;
};

static SCM
hand_over_tree_ (SCM directory, SCM name, SCM owner, SCM group, SCM mode)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<hand_over_request> ();
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  request.owner = scm_to_uint32 (owner);
  request.group = scm_to_uint32 (group);
  request.mode = scm_to_unsigned_integer (mode, 0, 07777);
  auto result = act ("hand-over", [&]
                       {
                         return hand_over_tree (
                             request.directory, request.name.c_str (),
                             request.owner, request.group, request.mode);
                       });
  scm_dynwind_end ();
  return value_or_raise (result);
}

struct directory_listing
{
  std::vector<listed> entries;
};

static SCM
type_symbol (mode_t mode)
{
  return scm_from_utf8_symbol (S_ISDIR (mode)   ? "directory"
                               : S_ISREG (mode) ? "regular"
                               : S_ISLNK (mode) ? "symlink"
                                                : "other");
}

static SCM
encode (const listed &entry)
{
  return scm_list_5 (
      scm_from_latin1_stringn (entry.name.data (), entry.name.size ()),
      type_symbol (entry.status.st_mode),
      scm_from_uint32 (entry.status.st_mode & 07777),
      scm_from_uint32 (entry.status.st_uid),
      scm_from_int64 (entry.status.st_size));
}

static SCM
list_directory_ (SCM directory)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<directory_listing> ();
  int fd = scm_to_int (directory);
  auto result = act ("list", [&]
                       { return list_directory (fd, request.entries); });
  SCM list = SCM_EOL;
  for (auto &entry : request.entries)
    list = scm_cons (encode (entry), list);
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return list;
}

static const primitive table[] = {
  {"%make-ownership", 2, reinterpret_cast<void *> (make_ownership_),
   "Return an object for trees whose files must be of the user with number "
   "@var{owner}, or of anybody if that is @code{#f}, and that are not wanted "
   "any more when the descriptor @var{stop} is readable, unless that is "
   "@code{#f}.  It remembers files with several links."},
  {"%ingest-tree", 7, reinterpret_cast<void *> (ingest_tree_),
   "Check, make canonical, hash and share the tree @var{name} in the "
   "directory with descriptor @var{directory}.  @var{shared}, "
   "@var{algorithm} and @var{flat} are as for @code{%open-nar-restorer}, "
   "@var{candidates} is a list of hash parts, and @var{owner} is from "
   "@code{%make-ownership}.  Return a list: the candidates found, then as "
   "from @code{%nar-restorer-finish}."},
  {"%copy-tree", 6, reinterpret_cast<void *> (copy_tree_),
   "Copy the tree @var{name} in the directory with descriptor @var{from} to "
   "@var{new-name} in that with descriptor @var{to}, in canonical form.  "
   "@var{owner} is from @code{%make-ownership}; @var{replacements} is an "
   "alist of hash parts, strings, that are replaced in it."},
  {"%delete-tree", 3, reinterpret_cast<void *> (delete_tree_),
   "Remove the tree @var{name} in the directory with descriptor "
   "@var{directory}; return the number of bytes of its files with at most "
   "@var{links} links."},
  {"%exchange", 4, reinterpret_cast<void *> (exchange_),
   "Let @var{name} in the directory with descriptor @var{directory} and "
   "@var{other-name} in that with descriptor @var{other} change places; "
   "return false if that cannot be done at once.  See renameat2(2)."},
  {"%entry-exists?", 2, reinterpret_cast<void *> (entry_exists_),
   "Return whether there is anything called @var{name} in the directory with "
   "descriptor @var{directory}.  See fstatat(2)."},
  {"%list-directory", 1, reinterpret_cast<void *> (list_directory_),
   "Return a list of what is in the directory with descriptor "
   "@var{directory}: lists of a name, an octet string, a type, the mode, the "
   "number of the owner and the size."},
  {"%hand-over-tree", 5, reinterpret_cast<void *> (hand_over_tree_),
   "Make the tree @var{name} in the directory with descriptor "
   "@var{directory} belong to the user @var{owner} and the group "
   "@var{group}, two numbers, without set-id bits and not writable by all; "
   "its top gets @var{mode}."},
};

void
define_tree_primitives ()
{
  define_primitives (table);
}

}
