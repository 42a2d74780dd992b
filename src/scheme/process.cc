// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives on processes.
#include "process/ending.hh"
#include "process/platform.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

static process
decode (SCM id, SCM descriptor)
{
  return {scm_to_int (id), scm_to_int (descriptor)};
}

static SCM
await_exit_ (SCM id, SCM descriptor)
{
  auto child = decode (id, descriptor);
  return value_or_raise (act ("waitid", [=] { return await_exit (child); }));
}

static SCM
send_signal_ (SCM id, SCM descriptor, SCM signal)
{
  auto target = decode (id, descriptor);
  int number = scm_to_int (signal);
  return value_or_raise (send_signal (target, number));
}

static SCM
kill_user_ (SCM user)
{
  auto id = scm_to_uint32 (user);
  return value_or_raise (act ("kill", [=] { return kill_user (id); }));
}

static SCM
has_processes_ (SCM user)
{
  return scm_from_bool (has_processes (scm_to_uint32 (user)));
}

static SCM
peer_credentials_ (SCM socket)
{
  auto peer = peer_credentials (scm_to_int (socket));
  if (!peer)
    raise (peer.error ());
  return scm_list_3 (scm_from_int (peer->process),
                     scm_from_uint32 (peer->user),
                     scm_from_uint32 (peer->group));
}

struct credentials_request
{
  std::vector<std::int64_t> ids;
};

static SCM
set_credentials_ (SCM user, SCM group, SCM groups)
{
  if (!scm_is_true (scm_list_p (groups)))
    scm_wrong_type_arg_msg (nullptr, 0, groups, "list");
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<credentials_request> ();
  for (SCM rest = scm_cons2 (user, group, groups); scm_is_pair (rest);
       rest = scm_cdr (rest))
    request.ids.push_back (scm_to_int64 (scm_car (rest)));
  auto result = act (
      "setresuid", [&] { return set_process_credentials (request.ids); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
set_no_new_privileges_ ()
{
  return value_or_raise (set_no_new_privileges ());
}

static SCM
withhold_privileges_ ()
{
  return value_or_raise (withhold_privileges ());
}

static SCM
no_new_privileges_ ()
{
  return value_or_raise (no_new_privileges ());
}

static const primitive table[] = {
  {"%await-exit", 2, reinterpret_cast<void *> (await_exit_),
   "Wait until the child process @var{pid} with @var{descriptor} has ended, "
   "without reaping it; @code{ECHILD} if somebody has reaped it."},
  {"%send-signal", 3, reinterpret_cast<void *> (send_signal_),
   "Send @var{signal} to the child process @var{pid} with "
   "@var{descriptor}; @code{ESRCH} if it has been reaped."},
  {"%kill-user", 1, reinterpret_cast<void *> (kill_user_),
   "Send SIGKILL to every process of the user ID @var{uid}; @code{EINVAL} "
   "for user 0."},
  {"%has-processes?", 1, reinterpret_cast<void *> (has_processes_),
   "Return true if the user ID @var{uid} has started processes."},
  {"%peer-credentials", 1, reinterpret_cast<void *> (peer_credentials_),
   "Return the list of the process, user and group ID at the other end of "
   "the local socket whose descriptor is @var{fd}."},
  {"%set-credentials", 3, reinterpret_cast<void *> (set_credentials_),
   "Let this process, with all its threads, become the user ID @var{uid} and "
   "the group ID @var{gid} for good, the list @var{groups} being its "
   "supplementary groups; @code{EPERM} if it could become user 0 again."},
  {"%set-no-new-privileges", 0,
   reinterpret_cast<void *> (set_no_new_privileges_),
   "Let no program that is executed from now on gain privileges: by this "
   "thread and those it starts on Linux, by this process on FreeBSD."},
  {"%withhold-privileges", 0, reinterpret_cast<void *> (withhold_privileges_),
   "Let programs that are executed from now on inherit no privileges but those "
   "of their user: by this thread and those it starts on Linux."},
  {"%no-new-privileges?", 0, reinterpret_cast<void *> (no_new_privileges_),
   "Return true if @code{%set-no-new-privileges} is in effect."},
};

void
define_process_primitives ()
{
  define_primitives (table);
}

}
