// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/jail.hh"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <sys/param.h>
#include <sys/jail.h>
#include <unistd.h>

namespace fruix {

// JAIL_OWN_DESC, which the headers have since FreeBSD 15.
constexpr int own_descriptor = 0x80;

std::array<char, 20>
jail_label (int id) noexcept
{
  constexpr std::string_view prefix = "jail ";
  std::array<char, 20> label {};
  std::ranges::copy (prefix, label.begin ());
  std::to_chars (label.data () + prefix.size (), &label.back (), id);
  return label;
}

static outcome<int>
set (std::vector<parameter> &parameters, int flags)
{
  std::string_view name;
  for (auto &one : parameters)
    if (one.name == "name")
      name = one.as_text ();
  return call_with_parameters ("jail_set", ::jail_set, parameters, flags,
                               name);
}

static outcome<int>
get (std::span<parameter> parameters, int flags, std::string_view object = {})
{
  return call_with_parameters ("jail_get", ::jail_get, parameters, flags,
                               object);
}

// Without a descriptor, which a kernel that does not know the flag refuses
// before it looks at anything else; so what is wrong with PARAMETERS is found
// again.
static outcome<jail>
create_without_descriptor (std::vector<parameter> &parameters)
{
  auto id = set (parameters, JAIL_CREATE);
  if (!id)
    return std::unexpected {id.error ()};
  return jail {*id, -1};
}

outcome<jail>
create_jail (std::span<const parameter> parameters)
{
  std::vector<parameter> all {parameters.begin (), parameters.end ()};
  all.push_back (parameter::flag ("persist"));
  all.push_back (parameter::number ("desc", -1));
  auto id = set (all, JAIL_CREATE | own_descriptor);
  int descriptor = all.back ().as_number ();
  if (!id && id.error ().error == EINVAL)
    {
      all.pop_back ();
      return create_without_descriptor (all);
    }
  if (!id)
    return std::unexpected {id.error ()};
  if (::fcntl (descriptor, F_SETFD, FD_CLOEXEC) < 0)
    {
      auto fault = make_fault ("fcntl", "jail descriptor");
      ::close (descriptor);
      return std::unexpected {fault};
    }
  return jail {*id, descriptor};
}

outcome<void>
attach_jail (int id) noexcept
{
  if (::jail_attach (id) < 0)
    return failed ("jail_attach", jail_label (id).data ());
  return {};
}

outcome<void>
remove_jail (int id) noexcept
{
  if (::jail_remove (id) < 0)
    return failed ("jail_remove", jail_label (id).data ());
  return {};
}

outcome<std::optional<int>>
find_jail (std::string_view name)
{
  parameter which[] = {parameter::text ("name", name)};
  auto found = get (which, 0, name);
  if (found)
    return *found;
  if (found.error ().error == ENOENT)
    return std::nullopt;
  return std::unexpected {found.error ()};
}

// The first call tells the size, the second one the value.
outcome<parameter>
jail_parameter (int id, std::string_view name)
{
  parameter pair[]
      = {parameter::number ("jid", id), parameter::room (name, 0)};
  for (int i = 0; i < 2; i++)
    if (auto result = get (pair, JAIL_DYING, name); !result)
      return std::unexpected {result.error ()};
  return std::move (pair[1]);
}

// The jail with the least ID above LAST.
static outcome<jail_entry>
next_jail (int last)
{
  parameter entry[] = {parameter::number ("lastjid", last),
                       parameter::room ("name", MAXHOSTNAMELEN),
                       parameter::room ("path", MAXPATHLEN),
                       parameter::number ("dying", 0)};
  auto id = get (entry, JAIL_DYING);
  if (!id)
    return std::unexpected {id.error ()};
  return jail_entry {*id, std::string {entry[1].as_text ()},
                     std::string {entry[2].as_text ()},
                     entry[3].as_number () != 0};
}

outcome<void>
list_jails (std::vector<jail_entry> &result)
{
  for (int last = 0;;)
    {
      auto next = next_jail (last);
      if (!next && next.error ().error == ENOENT)
        return {};
      if (!next)
        return std::unexpected {next.error ()};
      last = next->id;
      result.push_back (std::move (*next));
    }
}

}
