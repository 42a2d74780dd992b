// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives on jails, which only FreeBSD has.
#include "freebsd/jail.hh"

#include "freebsd/teardown.hh"
#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

// Copy VALUE of the parameter in OUT, whose name is there: a string, an
// integer, a bytevector as it is, or true, which is no value.
static void
decode_value (SCM value, parameter &out)
{
  if (scm_is_string (value))
    {
      decode (value, out.value);
      out.value.push_back ('\0');
    }
  else if (scm_is_integer (value))
    {
      int number = scm_to_int (value);
      out = parameter::number (out.name, number);
    }
  else if (!scm_is_eq (value, SCM_BOOL_T))
    {
      auto bytes = decode_bytes (value);
      out.value.assign (bytes.begin (), bytes.end ());
    }
}

static void
decode (SCM list, std::vector<parameter> &out)
{
  if (!scm_is_true (scm_list_p (list)))
    scm_wrong_type_arg_msg (nullptr, 0, list, "list of parameters");
  for (SCM rest = list; scm_is_pair (rest); rest = scm_cdr (rest))
    {
      SCM entry = scm_car (rest);
      if (!scm_is_pair (entry))
        scm_wrong_type_arg_msg (nullptr, 0, entry, "(NAME . VALUE)");
      auto &one = out.emplace_back ();
      decode (scm_car (entry), one.name);
      decode_value (scm_cdr (entry), one);
    }
}

struct jail_set_request
{
  std::vector<parameter> parameters;
};

static SCM
jail_set_ (SCM parameters)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<jail_set_request> ();
  decode (parameters, request.parameters);
  auto result
      = act ("jail_set", [&] { return create_jail (request.parameters); });
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return scm_cons (scm_from_int (result->id),
                   result->descriptor < 0
                       ? SCM_BOOL_F
                       : scm_from_int (result->descriptor));
}

struct jail_get_request
{
  std::string name;
  std::string value;
};

static outcome<void>
get_parameter (int id, jail_get_request &request)
{
  auto found = jail_parameter (id, request.name);
  if (!found)
    return std::unexpected {found.error ()};
  request.value = std::move (found->value);
  return {};
}

static SCM
jail_get_ (SCM id, SCM name)
{
  int jail = scm_to_int (id);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<jail_get_request> ();
  decode (name, request.name);
  auto result
      = act ("jail_get", [&] { return get_parameter (jail, request); });
  auto bytes = reinterpret_cast<const std::uint8_t *> (request.value.data ());
  SCM value = encode_bytes ({bytes, request.value.size ()});
  scm_dynwind_end ();
  value_or_raise (result);
  return value;
}

static SCM
find_jail_ (SCM name)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<jail_get_request> ();
  decode (name, request.name);
  auto result = act ("jail_get", [&] { return find_jail (request.name); });
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return *result ? scm_from_int (**result) : SCM_BOOL_F;
}

struct jail_list_request
{
  std::vector<jail_entry> result;
};

static SCM
list_jails_ ()
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<jail_list_request> ();
  auto result = act ("jail_get", [&] { return list_jails (request.result); });
  SCM list = SCM_EOL;
  for (auto &entry : request.result)
    list = scm_cons (scm_list_4 (scm_from_int (entry.id),
                                 encode (std::string_view {entry.name}),
                                 encode (std::string_view {entry.path}),
                                 encode (entry.dying)),
                     list);
  scm_dynwind_end ();
  value_or_raise (result);
  return scm_reverse_x (list, SCM_EOL);
}

static SCM
jail_attach_ (SCM id)
{
  return value_or_raise (attach_jail (scm_to_int (id)));
}

static SCM
jail_remove_ (SCM id)
{
  int jail = scm_to_int (id);
  auto result = act ("jail_remove", [=] { return tear_down_jail (jail); });
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%jail-set", 1, reinterpret_cast<void *> (jail_set_),
   "Create a jail with @var{parameters}, a list of @code{(name . value)}, "
   "@var{value} being a string, an integer, a bytevector, or @code{#t} for a "
   "boolean that its name sets.  Return a pair: its ID and its owning "
   "descriptor, or @code{#f} where there is none (jail_set(2))."},
  {"%jail-get", 2, reinterpret_cast<void *> (jail_get_),
   "Return the parameter @var{name} of the jail @var{id}, dying or not, as a "
   "bytevector (jail_get(2))."},
  {"%find-jail", 1, reinterpret_cast<void *> (find_jail_),
   "Return the ID of the jail called @var{name}, or @code{#f}."},
  {"%list-jails", 0, reinterpret_cast<void *> (list_jails_),
   "Return the list of jails, each a list of ID, name, path and whether it "
   "is dying."},
  {"%jail-attach", 1, reinterpret_cast<void *> (jail_attach_),
   "Move this process into the jail @var{id} (jail_attach(2))."},
  {"%jail-remove", 1, reinterpret_cast<void *> (jail_remove_),
   "Remove the jail @var{id}, if there is one, and wait until no process of "
   "it is left.  Return whether it is gone, or else dying (jail_remove(2))."},
};

void
define_jail_primitives ()
{
  define_primitives (table);
}

}
