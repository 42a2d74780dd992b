// SPDX-License-Identifier: GPL-3.0-or-later
// What processes use, for Scheme.
#include "process/mentions.hh"
#include "scheme/families.hh"
#include "scheme/octets.hh"

namespace fruix::scheme {

struct processes_request
{
  std::vector<pid_t> ids;
};

static SCM
list_processes_ ()
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<processes_request> ();
  auto result = act ("list_processes", [&]
    { return list_processes (request.ids); });
  SCM list = SCM_EOL;
  for (pid_t id : request.ids)
    list = scm_cons (encode (id), list);
  scm_dynwind_end ();
  return result ? list : value_or_raise (result);
}

struct mentions_request
{
  std::string directory;
  mention_finder finder {""};
};

static SCM
find_mentions_ (SCM process, SCM directory)
{
  pid_t id = scm_to_int (process);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<mentions_request> ();
  decode (directory, request.directory);
  auto result = act ("find_mentions", [&]
    {
      request.finder = mention_finder {request.directory};
      return find_mentions (id, request.finder);
    });
  SCM list = SCM_EOL;
  for (auto &name : request.finder.names ())
    list = scm_cons (octets (name), list);
  scm_dynwind_end ();
  return result ? list : value_or_raise (result);
}

static const primitive table[] = {
  {"%list-processes", 0, reinterpret_cast<void *> (list_processes_),
   "Return the numbers of all processes."},
  {"%find-mentions", 2, reinterpret_cast<void *> (find_mentions_),
   "Return the names that follow @var{directory} and a slash in what the "
   "system tells of the process with number @var{process}: the names of its "
   "program, working directory, open files and mappings, and its "
   "environment.  See proc(5), or sysctl(3) on FreeBSD."},
};

void
define_mention_primitives ()
{
  define_primitives (table);
}

}
