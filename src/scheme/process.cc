// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives on processes.
#include "plan/spawn.hh"
#include "process/ending.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

// Copy the step LIST, a name and then strings and integers.
static void
decode (SCM list, plan::step &out)
{
  if (!scm_is_pair (list) || !scm_is_true (scm_list_p (list)))
    scm_wrong_type_arg_msg (nullptr, 0, list, "step");
  decode (scm_car (list), out.name);
  for (SCM rest = scm_cdr (list); scm_is_pair (rest); rest = scm_cdr (rest))
    if (scm_is_integer (scm_car (rest)))
      {
        out.numbers.push_back (scm_to_int64 (scm_car (rest)));
        out.shape += 'i';
      }
    else
      {
        decode (scm_car (rest), out.texts.emplace_back ());
        out.shape += 's';
      }
}

static void
decode (SCM list, std::vector<plan::step> &out)
{
  if (!scm_is_true (scm_list_p (list)))
    scm_wrong_type_arg_msg (nullptr, 0, list, "list of steps");
  for (SCM rest = list; scm_is_pair (rest); rest = scm_cdr (rest))
    decode (scm_car (rest), out.emplace_back ());
}

static SCM
spawn_ (SCM program, SCM arguments, SCM environment, SCM namespaces,
        SCM steps)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<plan::spawn_request> ();
  decode (program, request.program);
  decode (arguments, request.arguments);
  decode (environment, request.environment);
  decode (namespaces, request.namespaces);
  decode (steps, request.steps);
  auto result = act ("spawn", [&] { return plan::spawn (request); });
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return scm_cons (scm_from_int (result->id),
                   result->descriptor < 0
                       ? SCM_BOOL_F
                       : scm_from_int (result->descriptor));
}

static SCM
await_exit_ (SCM id)
{
  pid_t process = scm_to_int (id);
  auto result = act ("waitid", [=] { return await_exit (process); });
  return value_or_raise (result);
}

static SCM
send_signal_ (SCM id, SCM descriptor, SCM signal)
{
  process target {scm_to_int (id),
                  scm_is_false (descriptor) ? -1 : scm_to_int (descriptor)};
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
peer_credentials_ (SCM socket)
{
  auto peer = peer_credentials (scm_to_int (socket));
  if (!peer)
    raise (peer.error ());
  return scm_list_3 (scm_from_int (peer->process),
                     scm_from_uint32 (peer->user),
                     scm_from_uint32 (peer->group));
}

static const primitive table[] = {
  {"%spawn", 5, reinterpret_cast<void *> (spawn_),
   "Fork a process into new @var{namespaces}, a list of strings, let it "
   "perform @var{steps}, and execute the file @var{program} with the lists "
   "of strings @var{arguments}, from argv[0] on, and @var{environment}.  "
   "Each step is a list of a name, strings and integers.  Return a pair of "
   "the process ID and its descriptor, or @code{#f} where there is none.  A "
   "step that fails, or execve, is raised as a @code{system-error} that "
   "names it; no process is left then."},
  {"%await-exit", 1, reinterpret_cast<void *> (await_exit_),
   "Wait until the child process @var{pid} has ended, without reaping it."},
  {"%send-signal", 3, reinterpret_cast<void *> (send_signal_),
   "Send @var{signal} to the child process @var{pid}, which has not been "
   "reaped, by its @var{descriptor} if that is not @code{#f}."},
  {"%kill-user", 1, reinterpret_cast<void *> (kill_user_),
   "Send SIGKILL to every process of the user ID @var{uid}; @code{EINVAL} "
   "for user 0."},
  {"%peer-credentials", 1, reinterpret_cast<void *> (peer_credentials_),
   "Return the list of the process, user and group ID at the other end of "
   "the local socket whose descriptor is @var{fd}."},
};

void
define_process_primitives ()
{
  define_primitives (table);
}

}
