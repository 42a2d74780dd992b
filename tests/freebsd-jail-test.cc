// SPDX-License-Identifier: GPL-3.0-or-later
// What is done in and to jails on FreeBSD; the rest is in tests/jail.scm and
// tests/mount.scm.
#include "freebsd/inside.hh"
#include "freebsd/jail.hh"
#include "freebsd/limits.hh"
#include "freebsd/loopback.hh"
#include "freebsd/module.hh"
#include "freebsd/mount.hh"
#include "freebsd/shared_memory.hh"
#include "freebsd/teardown.hh"
#include "plan/perform.hh"
#include "plan/spawn.hh"
#include "tests/scratch.hh"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/mman.h>
#include <sys/procctl.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/wait.h>

using namespace fruix;
using namespace fruix::tests;
namespace unit = boost::unit_test;

namespace {

// A jail on the host's files, removed in the end.
class temporary_jail
{
public:
  explicit temporary_jail (std::vector<parameter> more = {})
  {
    more.push_back (parameter::text ("name", name ()));
    more.push_back (parameter::text ("path", "/"));
    auto created = create_jail (more);
    BOOST_REQUIRE (created);
    id_ = created->id;
    descriptor_.reset (created->descriptor);
  }
  temporary_jail (const temporary_jail &) = delete;
  ~temporary_jail () { (void) tear_down_jail (id_); }

  static std::string
  name ()
  {
    return "fruix-test-" + std::to_string (getpid ());
  }

  int id () const { return id_; }
  unique_fd &descriptor () { return descriptor_; }

private:
  int id_;
  unique_fd descriptor_;
};

// Whether there is a jail ID that is DYING or not.
bool
is_there (int id, bool dying)
{
  std::vector<jail_entry> jails;
  BOOST_REQUIRE (list_jails (jails));
  return std::ranges::any_of (jails, [=] (const jail_entry &jail)
    { return jail.id == id && jail.dying == dying; });
}

// Start a process in the jail ID that does nothing.
pid_t
start_inside (int id)
{
  int ends[2];
  BOOST_REQUIRE (pipe2 (ends, O_CLOEXEC) == 0);
  unique_fd reader {ends[0]}, writer {ends[1]};
  pid_t child = fork ();
  if (child == 0)
    {
      dup2 (writer.get (), 0);
      closefrom (1);
      if (attach_jail (id) && write (0, "", 1) == 1)
        for (;;)
          pause ();
      _exit (1);
    }
  writer.reset ();
  char byte;
  BOOST_REQUIRE (read (reader.get (), &byte, 1) == 1);
  return child;
}

// The error with which a connection to PORT 1 of ADDRESS fails.
template <class Address>
int
connection_error (const Address &address) noexcept
{
  auto generic = reinterpret_cast<const sockaddr *> (&address);
  unique_fd fd {socket (generic->sa_family, SOCK_STREAM, 0)};
  return connect (fd.get (), generic, sizeof address) == 0 ? 0 : errno;
}

// Nothing listens there; without an interface, there is no way to it either.
outcome<void>
reach_loopback () noexcept
{
  sockaddr_in four {};
  four.sin_family = AF_INET;
  four.sin_port = htons (1);
  four.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (int error = connection_error (four); error != ECONNREFUSED)
    return failed ("connect", "127.0.0.1", error);
  sockaddr_in6 six {};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons (1);
  six.sin6_addr = in6addr_loopback;
  if (int error = connection_error (six); error != ECONNREFUSED)
    return failed ("connect", "::1", error);
  return {};
}

outcome<void>
nothing () noexcept
{
  return {};
}

int
processors_of (int id)
{
  cpuset_t set;
  BOOST_REQUIRE (cpuset_getaffinity (CPU_LEVEL_WHICH, CPU_WHICH_JAIL, id,
                                     sizeof set, &set)
                 == 0);
  return CPU_COUNT (&set);
}

bool
accounts_resources ()
{
  bool enabled = false;
  std::size_t size = sizeof enabled;
  return sysctlbyname ("kern.racct.enable", &enabled, &size, nullptr, 0) == 0
         && enabled;
}

}

BOOST_AUTO_TEST_SUITE (freebsd_jails, *unit::precondition (as_root))

BOOST_AUTO_TEST_CASE (a_jail_goes_with_its_descriptor)
{
  temporary_jail jail;
  if (!jail.descriptor ())
    return;
  BOOST_TEST (fcntl (jail.descriptor ().get (), F_GETFD) == FD_CLOEXEC);
  pid_t inside = start_inside (jail.id ());
  jail.descriptor ().reset ();
  int status;
  BOOST_TEST (waitpid (inside, &status, 0) == inside);
  BOOST_TEST (WTERMSIG (status) == SIGKILL);
  BOOST_TEST (!is_there (jail.id (), false));
}

BOOST_AUTO_TEST_CASE (what_is_done_inside_is_reported)
{
  temporary_jail jail;
  BOOST_TEST (call_in_jail (jail.id (), nothing).has_value ());
  auto result = call_in_jail (jail.id (), [] () noexcept -> outcome<void>
    { return failed ("call", "object", EXDEV); });
  BOOST_REQUIRE (!result);
  BOOST_TEST (result.error ().who == std::string {"call"});
  BOOST_TEST (result.error ().error == EXDEV);
}

BOOST_AUTO_TEST_CASE (who_dies_inside_has_failed)
{
  temporary_jail jail;
  auto result = call_in_jail (jail.id (), [] () noexcept -> outcome<void>
    { _exit (raise (SIGKILL)); });
  BOOST_REQUIRE (!result);
  BOOST_TEST (result.error ().error == EINTR);
}

BOOST_AUTO_TEST_CASE (nobody_enters_a_jail_that_does_not_exist)
{
  auto result = call_in_jail (999999, nothing);
  BOOST_REQUIRE (!result);
  BOOST_TEST (result.error ().who == std::string {"jail_attach"});
  BOOST_TEST (result.error ().object == std::string {"jail 999999"});
}

BOOST_AUTO_TEST_CASE (a_loopback_interface_is_raised)
{
  temporary_jail jail {{parameter::number ("vnet", 1)}};
  BOOST_TEST (!call_in_jail (jail.id (), reach_loopback));
  BOOST_TEST (raise_loopback (jail.id ()).has_value ());
  BOOST_TEST (call_in_jail (jail.id (), reach_loopback).has_value ());
  BOOST_TEST (raise_loopback (jail.id ()).has_value ());
}

BOOST_AUTO_TEST_CASE (processors_are_limited)
{
  temporary_jail jail;
  int all = processors_of (jail.id ());
  BOOST_TEST (limit_processors (jail.id (), all + 1, 0).error ().error
              == EINVAL);
  BOOST_TEST (limit_processors (jail.id (), 0, 0).error ().error == EINVAL);
  BOOST_TEST (limit_processors (jail.id (), all, 7).has_value ());
  BOOST_TEST (processors_of (jail.id ()) == all);
  BOOST_TEST (limit_processors (jail.id (), 1, 7).has_value ());
  BOOST_TEST (processors_of (jail.id ()) == 1);
  BOOST_TEST (limit_processors (999999, 1, 0).error ().error == ESRCH);
}

BOOST_AUTO_TEST_CASE (a_number_of_processors_is_not_cut_short)
{
  temporary_jail jail;
  plan::step steps[] {plan::make_step (
      "cpus", {jail.name (), (std::int64_t {1} << 32) + 1})};
  std::vector<plan::step> receipt;
  auto performed = plan::perform_host (steps, receipt);
  BOOST_REQUIRE (!performed);
  BOOST_TEST (performed.error ().error == EINVAL);
}

BOOST_AUTO_TEST_CASE (resources_are_limited_where_they_are_counted)
{
  temporary_jail jail;
  auto filter = "jail:" + jail.name ();
  auto added = add_resource_rule (filter + ":maxproc:deny=100");
  if (!accounts_resources ())
    {
      BOOST_REQUIRE (!added);
      BOOST_TEST (added.error ().error == ENOSYS);
      return;
    }
  BOOST_TEST (added.has_value ());
  BOOST_TEST (add_resource_rule (filter + ":nonsense").error ().error
              == EINVAL);
  BOOST_TEST (remove_resource_rules (filter).has_value ());
  BOOST_TEST (remove_resource_rules (filter).error ().error == ESRCH);
}

BOOST_AUTO_TEST_CASE (numbers_are_not_cut_short)
{
  constexpr std::int64_t too_much = std::int64_t {1} << 32;
  std::vector<plan::step> receipt;
  for (auto step : {plan::make_step ("devfs-ruleset", {too_much + 4, "null"}),
                    plan::make_step ("jail", {"x", "securelevel", too_much})})
    {
      auto performed = plan::perform_host ({&step, 1}, receipt);
      BOOST_REQUIRE (!performed);
      BOOST_TEST (performed.error ().error == ERANGE);
    }
}

BOOST_AUTO_TEST_CASE (other_file_systems_are_not_mounted)
{
  std::vector<plan::step> receipt;
  plan::step steps[] {plan::make_step ("filesystem", {"procfs", "/proc"})};
  auto performed = plan::perform_host (steps, receipt);
  BOOST_REQUIRE (!performed);
  BOOST_TEST (performed.error ().error == EINVAL);
}

BOOST_AUTO_TEST_CASE (a_module_is_there_or_found)
{
  BOOST_TEST (require_module ("tmpfs").has_value ());
  BOOST_TEST (require_module ("fruix_none").error ().error == ENOENT);
}

BOOST_AUTO_TEST_CASE (a_jail_that_is_torn_down_is_gone)
{
  temporary_jail jail;
  pid_t inside = start_inside (jail.id ());
  signal (SIGCHLD, SIG_IGN);  // nobody waits for it
  auto gone = tear_down_jail (jail.id ());
  signal (SIGCHLD, SIG_DFL);
  BOOST_TEST (gone.value ());
  BOOST_TEST (kill (inside, 0) == -1);
  BOOST_TEST (tear_down_jail (jail.id ()).value ());
}

BOOST_AUTO_TEST_CASE (a_jail_is_dying_until_its_process_is_waited_for)
{
  temporary_jail jail;
  pid_t inside = start_inside (jail.id ());
  BOOST_TEST (!tear_down_jail (jail.id ()).value ());
  BOOST_TEST (!is_there (jail.id (), false));
  BOOST_TEST (is_there (jail.id (), true));
  BOOST_TEST (waitpid (inside, nullptr, 0) == inside);
  BOOST_TEST (tear_down_jail (jail.id ()).value ());
}

BOOST_AUTO_TEST_CASE (a_mount_is_torn_down_even_if_it_is_in_use)
{
  scratch scratch;
  auto target = std::filesystem::canonical (scratch / ".").string ();
  auto number = mount_filesystem ("tmpfs", target, {});
  BOOST_REQUIRE (number);
  unique_fd used {open ((target + "/file").c_str (), O_RDWR | O_CREAT, 0600)};
  BOOST_TEST (unmount_filesystem (*number, false).error ().error == EBUSY);
  BOOST_TEST (tear_down_mount (*number).has_value ());
  BOOST_TEST (write (used.get (), "", 1) == -1);
  BOOST_TEST (tear_down_mount (*number).has_value ());
  BOOST_TEST (unmount_filesystem (*number, true).error ().error == ENOENT);
}

BOOST_AUTO_TEST_CASE (addresses_are_fixed_from_exec_on)
{
  plan::spawn_request request;
  request.program = "/bin/sleep";
  request.arguments = {"sleep", "60"};
  request.steps = {plan::make_step ("fixed-addresses", {})};
  auto process = plan::spawn (request);
  BOOST_REQUIRE (process);
  int status = 0;
  BOOST_TEST (::procctl (P_PID, process->id, PROC_ASLR_STATUS, &status) == 0);
  BOOST_TEST ((status & ~PROC_ASLR_ACTIVE) == PROC_ASLR_FORCE_DISABLE);
  BOOST_TEST (!(status & PROC_ASLR_ACTIVE));
  BOOST_TEST (!!send_signal (*process, SIGKILL));
  ::waitpid (process->id, &status, 0);
  ::close (process->descriptor);
}

// Make shared memory called NAME.
static void
share (const char *name)
{
  unique_fd memory {shm_open (name, O_RDWR | O_CREAT, 0600)};
  BOOST_REQUIRE (memory);
}

BOOST_AUTO_TEST_CASE (shared_memory_goes_with_the_directory_before_its_name)
{
  share ("/fruix-test/root/one");
  share ("/fruix-test/root/two");
  share ("/fruix-test/root2");
  BOOST_TEST (remove_shared_memory ("/fruix-test/root").has_value ());
  BOOST_TEST (shm_unlink ("/fruix-test/root/one") == -1);
  BOOST_TEST (shm_unlink ("/fruix-test/root/two") == -1);
  BOOST_TEST (shm_unlink ("/fruix-test/root2") == 0);
}

BOOST_AUTO_TEST_SUITE_END ()
