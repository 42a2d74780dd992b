// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives on plans: performing and undoing their steps.
#include "plan/perform.hh"
#include "plan/spawn.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

// Weak, as on FreeBSD it belongs to the program, not to the C library.
extern "C" [[gnu::weak]] char **environ;

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
encode (const plan::step &step)
{
  SCM list = SCM_EOL;
  auto text = step.texts.rbegin ();
  auto number = step.numbers.rbegin ();
  for (auto kind = step.shape.rbegin (); kind != step.shape.rend (); ++kind)
    list = scm_cons (*kind == 'i' ? scm_from_int64 (*number++)
                                  : encode (std::string_view {*text++}),
                     list);
  return scm_cons (encode (std::string_view {step.name}), list);
}

static SCM
encode (const std::vector<plan::step> &steps)
{
  SCM list = SCM_EOL;
  for (auto step = steps.rbegin (); step != steps.rend (); ++step)
    list = scm_cons (encode (*step), list);
  return list;
}

// Copy MAPS, a list of what the maps of users and groups will be and then the
// command of a mapper, or an empty one.
static void
decode (SCM maps, id_maps &out)
{
  if (scm_is_null (maps))
    return;
  decode (scm_car (maps), out.users);
  decode (scm_cadr (maps), out.groups);
  decode (scm_cddr (maps), out.mapper);
}

// Copy the list BIRTH: namespaces, a cgroup or #f, maps of the user namespace,
// and, after the process whose they are, #f for none, those that are joined.
static void
decode (SCM birth, struct birth &out)
{
  decode (scm_car (birth), out.namespaces);
  if (scm_is_true (scm_cadr (birth)))
    decode (scm_cadr (birth), out.cgroup);
  decode (scm_caddr (birth), out.maps);
  out.relative = decode_descriptor (scm_cadddr (birth));
  decode (scm_car (scm_cddddr (birth)), out.joined);
}

// Copy the list ENVIRONMENT, or for #f this process's own.
static void
decode_environment (SCM environment, std::vector<std::string> &out)
{
  if (scm_is_true (environment))
    decode (environment, out);
  else
    for (char **entry = environ; entry && *entry; entry++)
      out.emplace_back (*entry);
}

static SCM
spawn_ (SCM program, SCM executable, SCM arguments, SCM environment,
        SCM birth, SCM steps)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<plan::spawn_request> ();
  decode (program, request.program);
  request.executable = decode_descriptor (executable);
  decode (arguments, request.arguments);
  decode_environment (environment, request.environment);
  decode (birth, request.birth);
  decode (steps, request.steps);
  auto result = act ("spawn", [&] { return plan::spawn (request); });
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return scm_cons (scm_from_int (result->id),
                   scm_from_int (result->descriptor));
}

struct perform_request
{
  std::vector<plan::step> steps;
  std::vector<plan::step> receipt;
};

static SCM
perform_ (SCM steps)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<perform_request> ();
  decode (steps, request.steps);
  auto result = act ("perform", [&] {
    return plan::perform_host (request.steps, request.receipt);
  });
  SCM receipt = encode (request.receipt);
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return receipt;
}

static SCM
undo_ (SCM receipt)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<perform_request> ();
  decode (receipt, request.receipt);
  auto result = act ("undo", [&] { return plan::undo (request.receipt); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%spawn", 6, reinterpret_cast<void *> (spawn_),
   "Start a process as @var{birth} says, a list: a list of strings, its new "
   "namespaces; the directory of its cgroup or @code{#f}; the map of users "
   "in its user namespace, that of groups, and the command that maps more of "
   "these, all strings of one list, which may be empty; a descriptor of a "
   "process or @code{#f}; and the kinds of that one's namespaces, strings, "
   "which it joins before it gets those of its own.  Let it perform "
   "@var{steps}, and execute the file @var{program}, or what is open as the "
   "descriptor @var{executable} if that is not @code{#f}, with the lists of "
   "strings @var{arguments}, from argv[0] on, and @var{environment}, "
   "@code{#f} being this process's own.  Each step is a list of a name, "
   "strings and integers.  Return a pair of the process ID and its "
   "descriptor.  A step that fails, or execve, is raised as a "
   "@code{system-error} that names it; no process is left then."},
  {"%perform", 1, reinterpret_cast<void *> (perform_),
   "Perform @var{steps} of the host, lists of a name, strings and integers, "
   "in order.  Return a receipt, a list of the same form, for @code{%undo}. "
   "A step that fails is raised as a @code{system-error} that names it; what "
   "was done before is undone then."},
  {"%undo", 1, reinterpret_cast<void *> (undo_),
   "Undo what @var{receipt}, a list that @code{%perform} returned, tells, "
   "from its end, all of it even if some of it fails; the first failure is "
   "raised as a @code{system-error}."},
};

void
define_plan_primitives ()
{
  define_primitives (table);
}

}
