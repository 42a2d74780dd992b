// SPDX-License-Identifier: GPL-3.0-or-later
// Symbolic links for Scheme; names and targets are octet strings.
#include "scheme/families.hh"
#include "scheme/octets.hh"
#include "tree/links.hh"

#include <unordered_map>

namespace fruix::scheme {

static SCM
target_or_false (const std::optional<std::string> &target)
{
  return target ? octets (*target) : SCM_BOOL_F;
}

struct list_request
{
  std::string directory;
  std::vector<link_or_file> result;
  std::unordered_map<const std::string *, SCM> targets; // all in the list
};

// The target of ENTRY; links that have one target share it here, too.
static SCM
shared_target (list_request &request, const link_or_file &entry)
{
  if (!entry.target)
    return SCM_BOOL_F;
  if (entry.target.use_count () == 1)
    return octets (*entry.target);
  auto [place, added] = request.targets.try_emplace (entry.target.get ());
  if (added)
    place->second = octets (*entry.target);
  return place->second;
}

static SCM
list_links_ (SCM directory)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<list_request> ();
  decode (directory, request.directory);
  auto result = act ("list_links", [&]
    { return list_links (request.directory, request.result); });
  SCM list = SCM_EOL;
  if (result)
    for (auto &entry : request.result)
      {
        SCM target = shared_target (request, entry);
        list = scm_acons (octets (entry.name), target, list);
      }
  scm_dynwind_end ();
  return result ? list : value_or_raise (result);
}

struct link_request
{
  std::string file;
  std::string target;
  std::optional<std::string> result;
};

static SCM
readlink_ (SCM file)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<link_request> ();
  decode (file, request.file);
  auto result = act ("readlink", [&]
    { return read_link (request.file, request.result); });
  SCM target = result ? target_or_false (request.result) : SCM_BOOL_F;
  scm_dynwind_end ();
  return result ? target : value_or_raise (result);
}

static SCM
symlink_ (SCM target, SCM file)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<link_request> ();
  decode (target, request.target);
  decode (file, request.file);
  auto result = act ("symlink", [&]
    { return make_link (request.target, request.file); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%list-links", 1, reinterpret_cast<void *> (list_links_),
   "Return the symbolic links and regular files below @var{directory}: a "
   "list of @code{(name . target)}, @var{name} being a file name relative to "
   "@var{directory}, and @var{target} @code{#f} for a regular file.  No link "
   "is followed; what cannot be seen is left out."},
  {"%readlink", 1, reinterpret_cast<void *> (readlink_),
   "Return the target of the symbolic link @var{file}, or @code{#f} if it is "
   "something else.  See readlink(2)."},
  {"%symlink", 2, reinterpret_cast<void *> (symlink_),
   "Make @var{file} a symbolic link to @var{target}.  See symlink(2)."},
};

void
define_link_primitives ()
{
  define_primitives (table);
}

}
