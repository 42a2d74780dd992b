// SPDX-License-Identifier: GPL-3.0-or-later
// A daemon that is killed while it sets up a sandbox leaves no process,
// whatever the moment; nor does a thread that ends.  Who is killed before a
// process is born is no process.
#include "plan/spawn.hh"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace fruix;

BOOST_AUTO_TEST_SUITE (linux_spawning)

static std::string
map_line (const char *inside, unsigned outside)
{
  return inside + (" " + std::to_string (outside)) + " 1";
}

// A program that would run for a minute, holding OUTPUT, after some steps.
static plan::spawn_request
sandbox_request (const std::string &root, int output)
{
  plan::spawn_request request;
  request.program = "/bin/sleep";
  request.arguments = {"sleep", "60"};
  request.birth.namespaces = {"user", "mount", "pid"};
  request.birth.maps = {map_line ("1000", ::geteuid ()),
                        map_line ("1000", ::getegid ()), {}};
  request.steps = {
    plan::make_step ("descriptors", {-1, output, output}),
    plan::make_step ("root", {root, "mode=0755"}),
  };
  for (int i = 0; i < 100; i++)
    request.steps.push_back (
        plan::make_step ("directory", {"/" + std::to_string (i), 0755}));
  request.steps.push_back (plan::make_step ("no-new-privileges", {}));
  request.steps.push_back (plan::make_step ("death-signal", {SIGKILL}));
  return request;
}

// Start a daemon, kill it after DELAY microseconds; whether all that it had
// started is gone within 2 s.
static bool
dies_with_daemon (const std::string &root, unsigned delay)
{
  int ends[2];
  BOOST_REQUIRE (::pipe (ends) == 0);
  pid_t daemon = ::fork ();
  if (daemon == 0)
    {
      auto request = sandbox_request (root, ends[1]);
      auto process = plan::spawn (request);
      if (process)
        ::pause ();
      ::_exit (1);
    }
  ::close (ends[1]);
  ::usleep (delay);
  ::kill (daemon, SIGKILL);
  int status = 0;
  ::waitpid (daemon, &status, 0);
  struct pollfd watched = {ends[0], 0, 0};
  bool ended = ::poll (&watched, 1, 2000) == 1;
  ::close (ends[0]);
  // It must not have ended because the sandbox could not be made.
  return ended && WIFSIGNALED (status);
}

BOOST_AUTO_TEST_CASE (ends_with_its_daemon_at_any_moment)
{
  char root[] = "/tmp/fruix-test-XXXXXX";
  BOOST_REQUIRE (::mkdtemp (root));
  for (unsigned delay = 0; delay < 10000; delay += 100)
    BOOST_TEST (dies_with_daemon (root, delay), "after " << delay << " us");
  ::rmdir (root);
}

BOOST_AUTO_TEST_CASE (death_signal_when_the_thread_ends)
{
  outcome<process> process {};
  std::thread {[&] {
    plan::spawn_request request;
    request.program = "/bin/sleep";
    request.arguments = {"sleep", "60"};
    request.steps = {plan::make_step ("death-signal", {SIGKILL})};
    process = plan::spawn (request);
  }}.join ();
  BOOST_REQUIRE (process.has_value ());
  int status = 0;
  ::waitpid (process->id, &status, 0);
  ::close (process->descriptor);
  BOOST_TEST (WIFSIGNALED (status));
}

// Let any call of setns (2) by this process or its children be its end.
static bool
forbid_joining ()
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {std::size (code), code};
  return ::prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && ::prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

BOOST_AUTO_TEST_CASE (a_midwife_that_is_killed)
{
  pid_t caller = ::fork ();
  if (caller == 0)
    {
      auto self = this_process ();
      plan::spawn_request request;
      request.program = "/bin/true";
      request.birth.relative = self->descriptor;
      request.birth.joined = {"uts"};
      auto process = forbid_joining () ? plan::spawn (request)
                                       : outcome<struct process> {};
      ::_exit (process ? 0 : process.error ().error);
    }
  int status = 0;
  BOOST_REQUIRE (::waitpid (caller, &status, 0) == caller);
  BOOST_TEST (WIFEXITED (status));
  BOOST_TEST (WEXITSTATUS (status) == ECHILD);
}

BOOST_AUTO_TEST_SUITE_END ()
