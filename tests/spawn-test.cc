// SPDX-License-Identifier: GPL-3.0-or-later
// Plans and processes as such, without Guile.
#include "plan/spawn.hh"
#include "process/ending.hh"
#include "tests/scratch.hh"

#include <csignal>
#include <filesystem>
#include <sys/wait.h>

using namespace fruix;

BOOST_AUTO_TEST_SUITE (spawning)

static plan::spawn_request
shell (const char *script, std::vector<plan::step> steps)
{
  plan::spawn_request request;
  request.program = "/bin/sh";
  request.arguments = {"sh", "-c", script};
  request.steps = std::move (steps);
  return request;
}

// Run REQUEST; the exit value of its process, or minus the errno.
static int
run (plan::spawn_request request)
{
  auto process = plan::spawn (request);
  if (!process)
    return -process.error ().error;
  int status = 0;
  BOOST_TEST ((await_exit (*process)).has_value ());
  ::waitpid (process->id, &status, 0);
  ::close (process->descriptor);
  return WIFEXITED (status) ? WEXITSTATUS (status) : 1000;
}

static long
open_descriptors ()
{
  return std::distance (std::filesystem::directory_iterator {"/dev/fd"}, {});
}

BOOST_AUTO_TEST_CASE (exit_value)
{
  BOOST_TEST (run (shell ("exit 5", {})) == 5);
}

BOOST_AUTO_TEST_CASE (shapes)
{
  std::vector<plan::step> steps;
  using arguments
      = std::initializer_list<std::variant<std::int64_t, std::string>>;
  auto valid = [&] (std::string_view name, arguments arguments)
    {
      steps = {plan::make_step (name, arguments)};
      return plan::resolve (steps, plan::performer::child).has_value ();
    };
  BOOST_TEST (valid ("session", {}));
  BOOST_TEST (!valid ("session", {"x"}));
  BOOST_TEST (valid ("credentials", {1, 2}));
  BOOST_TEST (valid ("credentials", {1, 2, 3, 4}));
  BOOST_TEST (!valid ("credentials", {1}));
  BOOST_TEST (!valid ("credentials", {"a", 1, 2}));
  BOOST_TEST (valid ("descriptors", {}));
  BOOST_TEST (!valid ("", {}));
  BOOST_TEST (!valid ("Session", {}));
}

BOOST_AUTO_TEST_CASE (fault_names_step_call_and_object)
{
  auto request = shell ("exit 0", {plan::make_step ("chdir", {"/nowhere"})});
  auto process = plan::spawn (request);
  BOOST_REQUIRE (!process);
  BOOST_TEST (process.error ().who == "chdir: chdir");
  BOOST_TEST (process.error ().object == "/nowhere");
  BOOST_TEST (process.error ().error == ENOENT);
}

BOOST_AUTO_TEST_CASE (failures_leave_nothing)
{
  auto before = open_descriptors ();
  for (int i = 0; i < 50; i++)
    BOOST_TEST (run (shell ("exit 0",
                            {plan::make_step ("chdir", {"/nowhere"})}))
                == -ENOENT);
  BOOST_TEST (open_descriptors () == before);
  BOOST_TEST (::waitpid (-1, nullptr, WNOHANG) == -1);
}

BOOST_AUTO_TEST_CASE (too_many_descriptors)
{
  auto step = plan::make_step ("descriptors", {});
  step.shape.assign (257, 'i');
  step.numbers.assign (257, 0);
  BOOST_TEST (run (shell ("exit 0", {step})) == -EINVAL);
}

BOOST_AUTO_TEST_CASE (descriptor_that_is_closed)
{
  BOOST_TEST (
      run (shell ("exit 0", {plan::make_step ("descriptors", {12345})}))
      == -EBADF);
}

// Cut to 32 bits, the first would be descriptor 0.
BOOST_AUTO_TEST_CASE (numbers_that_are_no_descriptors)
{
  for (auto number : {std::int64_t {1} << 32, std::int64_t {-3}, INT64_MIN})
    BOOST_TEST (
        run (shell ("exit 0", {plan::make_step ("descriptors", {number})}))
        == -EBADF);
}

BOOST_AUTO_TEST_CASE (signals_that_are_none)
{
  BOOST_TEST (run (shell ("exit 0", {plan::make_step (
                                      "death-signal",
                                      {(std::int64_t {1} << 32) + 9})}))
              == -EINVAL);
}

BOOST_AUTO_TEST_CASE (limits)
{
  BOOST_TEST (run (shell ("test $(ulimit -n) = 17",
                          {plan::make_step ("limit", {"open-files", 17})}))
              == 0);
}

BOOST_AUTO_TEST_CASE (who_is_to_be_killed_cannot_stop_the_killer,
                      *boost::unit_test::precondition (tests::as_root))
{
  constexpr uid_t user = 61018;
  int ready[2];
  BOOST_REQUIRE (pipe (ready) == 0);
  pid_t killer = fork ();
  if (killer == 0)
    {
      bool became = set_user (user).has_value ();
      (void) !write (ready[1], became ? "y" : "n", 1);
      for (;;)
        pause ();
    }
  char became = 0;
  BOOST_TEST (read (ready[0], &became, 1) == 1);
  BOOST_TEST (became == 'y');
  BOOST_TEST (tests::true_in_child ([=]
    {
      return setresuid (user, user, user) == 0 && kill (killer, SIGSTOP) < 0
             && errno == EPERM;
    }));
  kill (killer, SIGKILL);
  waitpid (killer, nullptr, 0);
  close (ready[0]);
  close (ready[1]);
}

BOOST_AUTO_TEST_CASE (root_is_never_killed)
{
  BOOST_TEST (kill_user (0).error ().error == EINVAL);
}

BOOST_AUTO_TEST_SUITE_END ()
