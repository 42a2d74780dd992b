// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives on mounts, as FreeBSD does them.
#include "freebsd/mount.hh"

#include "freebsd/devfs.hh"
#include "freebsd/teardown.hh"
#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

struct mount_request
{
  std::string type;
  std::string target;
  std::vector<std::string> options;
};

static SCM
mount_filesystem_ (SCM type, SCM target, SCM options)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<mount_request> ();
  decode (type, request.type);
  decode (target, request.target);
  decode (options, request.options);
  auto result = act ("nmount", [&]
    {
      return mount_filesystem (request.type, request.target,
                               request.options);
    });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
unmount_ (SCM id, SCM, SCM force)
{
  auto number = scm_to_uint64 (id);
  bool in_use_too = scm_is_true (force);
  return value_or_raise (act ("unmount", [=]
    { return unmount_filesystem (number, in_use_too); }));
}

static SCM
tear_down_mount_ (SCM id)
{
  auto number = scm_to_uint64 (id);
  auto result = act ("unmount", [=] { return tear_down_mount (number); });
  return value_or_raise (result);
}

struct mount_list_request
{
  std::vector<mount_entry> result;
};

static SCM
encode (const mount_entry &entry)
{
  return scm_list_5 (encode (std::string_view {entry.type}),
                     encode (std::string_view {entry.from}),
                     encode (std::string_view {entry.on}),
                     encode (entry.options), encode (entry.number));
}

static SCM
list_mounts_ ()
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<mount_list_request> ();
  auto result
      = act ("getfsstat", [&] { return list_mounts (request.result); });
  SCM list = SCM_EOL;
  for (auto &entry : request.result)
    list = scm_cons (encode (entry), list);
  scm_dynwind_end ();
  value_or_raise (result);
  return scm_reverse_x (list, SCM_EOL);
}

struct rules_request
{
  std::vector<std::string> visible;
};

static SCM
define_device_rules_ (SCM number, SCM visible)
{
  std::uint16_t set = scm_to_uint16 (number);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<rules_request> ();
  decode (visible, request.visible);
  auto result = act ("devfs", [&]
    { return define_device_rules (set, request.visible); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%mount-filesystem", 3, reinterpret_cast<void *> (mount_filesystem_),
   "Mount a file system of @var{type} on @var{target} with the list of "
   "strings @var{options}, each \"KEY\" or \"KEY=VALUE\", and return its "
   "number (nmount(2))."},
  {"%unmount", 3, reinterpret_cast<void *> (unmount_),
   "Unmount the file system with number @var{id}, wherever it is; if "
   "@var{force} is true, also if it is in use (unmount(2))."},
  {"%tear-down-mount", 1, reinterpret_cast<void *> (tear_down_mount_),
   "Unmount the file system with number @var{id}, if there is one: when "
   "nothing uses it any more, or after a while in spite of that."},
  {"%list-mounts", 0, reinterpret_cast<void *> (list_mounts_),
   "Return the list of mounts, in the order in which they were made, each a "
   "list of type, source, target, list of options, and number "
   "(getfsstat(2))."},
  {"%define-device-rules", 2, reinterpret_cast<void *> (define_device_rules_),
   "Make sure that the devfs rule set @var{number} hides all but what "
   "matches one of the patterns in the list @var{visible} (devfs(4))."},
};

void
define_mount_primitives ()
{
  define_primitives (table);
}

}
