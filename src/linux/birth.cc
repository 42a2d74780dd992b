// SPDX-License-Identifier: GPL-3.0-or-later
// How processes are born on Linux: like those of vfork (2), in the memory of
// their parent, whose size then does not matter, and on a stack of their own.
#include "linux/attendant.hh"
#include "linux/cgroup.hh"
#include "linux/id_maps.hh"
#include "process/platform.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <cstddef>
#include <fcntl.h>
#include <memory>
#include <new>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fruix {

// More than the steps of any plan need.
constexpr std::size_t stack_size = 128 * 1024;
using stack = std::unique_ptr<std::byte[]>;

// What the parent and the children that help it share.
struct start
{
  process_body body;
  void *argument;
  int namespaces;   // flags of clone (2)
  int relative;     // see 'birth'
  int joined;       // flags of setns (2)
  int cgroup;       // its cgroup.procs, or -1
  const id_maps &maps;
  const attendant &mapper;
  std::byte *top;   // of the stack of a child's child
  fault failure {};
  process born {-1, -1};
};

static int
namespace_flag (std::string_view name) noexcept
{
  static constexpr struct
  {
    std::string_view name;
    int flag;
  } table[] = {
    {"ipc", CLONE_NEWIPC}, {"mount", CLONE_NEWNS}, {"net", CLONE_NEWNET},
    {"pid", CLONE_NEWPID}, {"user", CLONE_NEWUSER}, {"uts", CLONE_NEWUTS},
  };
  for (auto &row : table)
    if (row.name == name)
      return row.flag;
  return 0;
}

static outcome<int>
namespace_flags (const std::vector<std::string> &names) noexcept
{
  int flags = 0;
  for (auto &name : names)
    {
      int flag = namespace_flag (name);
      if (flag == 0)
        return failed ("clone", name, EINVAL);
      flags |= flag;
    }
  return flags;
}

static void
enter_cgroup (start &start) noexcept
{
  if (start.cgroup < 0 || ::write (start.cgroup, "0", 1) == 1)
    return;
  start.failure = make_fault ("write", "cgroup.procs");
  ::_exit (127);
}

static void
enter_user_namespace (start &start) noexcept
{
  if (start.maps.users.empty ())
    return;
  auto result
      = map_ids (start.maps.users, start.maps.groups, start.mapper);
  if (result)
    return;
  start.failure = result.error ();
  ::_exit (127);
}

static int
run_body (void *argument)
{
  auto &start = *static_cast<struct start *> (argument);
  enter_cgroup (start);
  enter_user_namespace (start);
  start.body (start.argument);
  return 127;
}

// Clone a process on the stack that ends at TOP.
static void
give_birth (start &start, std::byte *top, int flags) noexcept
{
  int descriptor = -1;
  int id = ::clone (run_body, top,
                    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | flags,
                    &start, &descriptor);
  if (id < 0)
    start.failure
        = make_fault ("clone", flags == 0 ? "" : "new namespaces");
  else
    start.born = {id, descriptor};
}

// Only the children of a process can be in another PID namespace than it is:
// so join those of RELATIVE, and give birth to a sibling there.
static int
run_midwife (void *argument)
{
  auto &start = *static_cast<struct start *> (argument);
  enter_cgroup (start);
  start.cgroup = -1;
  if (::setns (start.relative, start.joined) < 0)
    start.failure = make_fault ("setns");
  else
    give_birth (start, start.top, CLONE_PARENT | start.namespaces);
  ::_exit (0);
}

// With descriptors in common, that of the sibling is the parent's, too.
static void
call_midwife (start &start, std::byte *top) noexcept
{
  int id = ::clone (run_midwife, top,
                    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &start);
  if (id < 0)
    start.failure = make_fault ("clone");
  else if (retry ([&] { return ::waitpid (id, nullptr, 0); }) < 0)
    start.failure = make_fault ("waitpid");
}

// Let newgidmap (1) map groups of the process CALLER; ARGUMENT is its command,
// in which that has its place.
static void
run_mapper (const char *caller, void *argument) noexcept
{
  auto command = static_cast<char **> (argument);
  char *environment[] = {nullptr};
  // Of what it has to say only what it does matters.
  if (::open ("/dev/null", O_RDWR) != 1 || ::dup (1) != 2)
    return;
  command[1] = const_cast<char *> (caller);
  ::execve (command[0], command, environment);
}

// Start the MAPPER for a process with MAPS, if it needs one.
static outcome<void>
start_mapper (const id_maps &maps, attendant &mapper)
{
  if (maps.mapper.empty ())
    return {};
  std::vector<char *> command;
  for (auto &word : maps.mapper)
    command.push_back (const_cast<char *> (word.c_str ()));
  command.insert (command.begin () + 1, nullptr);
  command.push_back (nullptr);
  return mapper.start (run_mapper, command.data ());
}

// The process, unless it failed before its body ran.
static outcome<process>
born (const start &start) noexcept
{
  if (start.failure.error == 0 && start.born.id > 0)
    return start.born;
  unique_fd {start.born.descriptor};
  if (start.born.id > 0)
    {
      [[maybe_unused]] auto reaped = retry (
          [&] { return ::waitpid (start.born.id, nullptr, 0); });
    }
  if (start.failure.error == 0)
    return failed ("clone", "the midwife was killed", ECHILD);
  return std::unexpected {start.failure};
}

outcome<process>
start_process (const birth &birth, process_body body,
               void *argument) noexcept
{
  unique_fd cgroup;
  if (!birth.cgroup.empty ())
    {
      auto file = cgroup_members (birth.cgroup);
      cgroup.reset (::open (file.c_str (), O_WRONLY | O_CLOEXEC));
      if (!cgroup)
        return failed ("open", file);
    }
  stack first {new (std::nothrow) std::byte[stack_size]};
  stack second {birth.relative < 0 ? nullptr
                                   : new (std::nothrow) std::byte[stack_size]};
  if (!first || (birth.relative >= 0 && !second))
    return failed ("clone", "", ENOMEM);
  auto namespaces = namespace_flags (birth.namespaces);
  if (!namespaces)
    return std::unexpected {namespaces.error ()};
  auto joined = namespace_flags (birth.joined);
  if (!joined)
    return std::unexpected {joined.error ()};
  attendant mapper;
  if (auto result = start_mapper (birth.maps, mapper); !result)
    return std::unexpected {result.error ()};
  start start {body, argument, *namespaces, birth.relative, *joined,
               cgroup.get (), birth.maps, mapper,
               second ? second.get () + stack_size : nullptr};
  if (birth.relative < 0)
    give_birth (start, first.get () + stack_size, start.namespaces);
  else
    call_midwife (start, first.get () + stack_size);
  return born (start);
}

}
