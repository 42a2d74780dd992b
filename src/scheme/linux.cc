// SPDX-License-Identifier: GPL-3.0-or-later
// The primitives that only Linux has: mounts, as it does them, and networks.
#include "linux/mount.hh"
#include "linux/network.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

struct mount_request
{
  std::string source;  // or type
  std::string target;
  std::vector<std::string> options;
};

static SCM
mount_filesystem_ (SCM type, SCM target, SCM options)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<mount_request> ();
  decode (type, request.source);
  decode (target, request.target);
  decode (options, request.options);
  auto result = act ("fsmount", [&]
    {
      return mount_filesystem (request.source.c_str (),
                               request.target.c_str (), request.options);
    });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
mount_bind_ (SCM source, SCM target, SCM read_only)
{
  bool locked = scm_is_true (read_only);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<mount_request> ();
  decode (source, request.source);
  decode (target, request.target);
  auto result = act ("open_tree", [&]
    {
      return mount_bind (request.source.c_str (), request.target.c_str (),
                         locked);
    });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
unmount_ (SCM id, SCM target, SCM force)
{
  auto number = scm_to_uint64 (id);
  bool in_use_too = scm_is_true (force);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<mount_request> ();
  decode (target, request.target);
  auto result = act ("umount2", [&]
    {
      return unmount (number, request.target.c_str (), in_use_too);
    });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
unshare_mounts_ ()
{
  return value_or_raise (act ("unshare", unshare_mounts));
}

static SCM
allow_writing_ (SCM target)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<mount_request> ();
  decode (target, request.target);
  auto result = act ("mount_setattr", [&]
    {
      return allow_writing (request.target.c_str ());
    });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
make_network_ ()
{
  auto result = act ("unshare", [] () -> outcome<int>
    {
      auto made = make_network ();
      if (!made)
        return std::unexpected {made.error ()};
      return made->release ();
    });
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%mount-filesystem", 3, reinterpret_cast<void *> (mount_filesystem_),
   "Mount a new file system of @var{type} on @var{target} with the list of "
   "strings @var{options}, each \"KEY\" or \"KEY=VALUE\", and return the ID "
   "of the mount (mount(2), mount(8))."},
  {"%mount-bind", 3, reinterpret_cast<void *> (mount_bind_),
   "Let @var{source}, with what is mounted in it, appear at @var{target}, "
   "unchangeable if @var{read-only?} is true, and return the ID of the "
   "mount (open_tree(2), mount_setattr(2), move_mount(2))."},
  {"%unmount", 3, reinterpret_cast<void *> (unmount_),
   "Unmount what is mounted on @var{target}, which must be the mount with "
   "ID @var{id}; if @var{force} is true, also if it is in use (umount2(2))."
  },
  {"%unshare-mounts", 0, reinterpret_cast<void *> (unshare_mounts_),
   "Give this thread, and those that it starts, a mount namespace of its "
   "own, in which later mounts outside appear, too (unshare(2))."},
  {"%allow-writing", 1, reinterpret_cast<void *> (allow_writing_),
   "Let the mount on @var{target} be written through (mount_setattr(2))."},
  {"%make-network", 0, reinterpret_cast<void *> (make_network_),
   "Make a network namespace with a loopback interface that is up, and "
   "return a descriptor of it (network_namespaces(7))."},
};

void
define_system_primitives ()
{
  define_primitives (table);
}

}
