// SPDX-License-Identifier: GPL-3.0-or-later
// The filter of system calls: the tables of calls.hh, assembled, and the step
// that puts it in force.
//
// The kernel (since 5.11) finds out which calls it allows whatever their
// arguments, and does not run it for these.  But to find out takes a run for
// each number, and each instruction has to be translated: so numbers with the
// same verdict are taken together, and looked up by halves.
#include "linux/calls.hh"
#include "linux/filter.hh"
#include "linux/steps.hh"

#include <algorithm>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace fruix::plan {

constexpr std::uint32_t set_ids = S_ISUID | S_ISGID;
// One of these is in O_TMPFILE, whose other bit is O_DIRECTORY.
constexpr std::uint32_t creating = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
// CLONE_NEWTIME, for clone (2), is part of the number of a signal that does
// not exist.
constexpr std::uint32_t new_namespaces
    = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS
      | CLONE_NEWPID | CLONE_NEWTIME | CLONE_NEWUSER | CLONE_NEWUTS;

// What is allowed beyond the tables.
struct leniency
{
  bool multiplexers;
  bool set_ids;
};

static constexpr void
check_mode (filter &filter, int argument)
{
  filter.load_argument (argument);
  filter.refuse_with (set_ids, EPERM);
  filter.allow ();
}

static constexpr void
check_socket (filter &filter)
{
  filter.load_argument (0);
  filter.refuse_all_but ({AF_UNIX, AF_INET, AF_INET6, AF_NETLINK},
                         EAFNOSUPPORT);
  filter.when (AF_UNIX, [&] { filter.allow (); });
  filter.when (AF_NETLINK, [&]
    {
      filter.load_argument (2);
      filter.refuse_all_but ({NETLINK_ROUTE}, EPROTONOSUPPORT);
      filter.allow ();
    });
  filter.load_argument (1);
  filter.mask (static_cast<std::uint32_t> (~(SOCK_CLOEXEC | SOCK_NONBLOCK)));
  filter.refuse_all_but ({SOCK_STREAM, SOCK_DGRAM}, EPROTONOSUPPORT);
  filter.load_argument (2);
  filter.refuse_all_but ({0, IPPROTO_TCP, IPPROTO_UDP}, EPROTONOSUPPORT);
  filter.allow ();
}

// As other file systems answer.
static constexpr void
check_request (filter &filter, int argument)
{
  filter.load_argument (argument);
  for (auto request : calls::refused_requests)
    filter.when (request, [&] { filter.refuse (ENOTTY); });
  filter.allow ();
}

static constexpr void
check_command (filter &filter, int argument)
{
  filter.load_argument (argument);
  for (std::uint32_t command : {std::uint32_t {F_SETLEASE},
                                calls::set_delegation})
    filter.when (command, [&] { filter.refuse (EINVAL); });
  filter.allow ();
}

// Most who set it want no cores, as shells do by "ulimit -c 0", and must not
// fail.
static constexpr void
keep_core_limit (filter &filter, int resource)
{
  filter.load_argument (resource);
  filter.when (RLIMIT_CORE, [&] { filter.pretend (); });
  filter.allow ();
}

// The same, by prlimit64 (PID, RESOURCE, NEW, OLD), by which it can be asked
// for, too: NEW is a null pointer then.
static constexpr void
keep_core_limits (filter &filter)
{
  filter.load_argument (1);
  filter.when (RLIMIT_CORE, [&]
    {
      filter.load_argument (2);
      filter.when (0, [&]
        {
          filter.load_upper_half (2);
          filter.when (0, [&] { filter.allow (); });
        });
      filter.load_argument (3);
      filter.refuse_all_but ({0}, EPERM);
      filter.pretend ();
    });
  filter.allow ();
}

// What becomes of a call: it is allowed, or else a rule applies.
struct verdict
{
  bool allowed = false;
  calls::rule_kind kind = calls::rule_kind::refuse;
  int parameter = ENOSYS;

  bool operator== (const verdict &) const = default;
};

static constexpr void
apply (filter &filter, const verdict &verdict)
{
  if (verdict.allowed)
    return filter.allow ();
  using enum calls::rule_kind;
  switch (verdict.kind)
    {
    case refuse:
      return filter.refuse (verdict.parameter);
    case mode:
      return check_mode (filter, verdict.parameter);
    case creation:
      filter.load_argument (verdict.parameter - 1);
      filter.allow_without (creating);
      return check_mode (filter, verdict.parameter);
    case namespaces:
      filter.load_argument (verdict.parameter);
      filter.refuse_with (new_namespaces, EPERM);
      return filter.allow ();
    case socket:
      return check_socket (filter);
    case socket_pair:
      filter.load_argument (0);
      filter.refuse_all_but ({AF_UNIX}, EOPNOTSUPP);
      return filter.allow ();
    case multiplexer:
      return filter.refuse (ENOSYS);
    case control:
      return check_request (filter, verdict.parameter);
    case lease:
      return check_command (filter, verdict.parameter);
    case limit:
      return keep_core_limit (filter, verdict.parameter);
    case limits:
      return keep_core_limits (filter);
    }
}

// Whether RULE leaves anything to be desired.
static constexpr bool
restricts (const calls::rule &rule, leniency lenient)
{
  using enum calls::rule_kind;
  return !(lenient.set_ids && (rule.kind == mode || rule.kind == creation))
         && !(lenient.multiplexers && rule.kind == multiplexer);
}

static constexpr bool
contains (std::span<const calls::range> ranges, std::uint32_t number)
{
  return std::ranges::any_of (ranges, [=] (auto range)
    { return range.first <= number && number <= range.last; });
}

static constexpr verdict
judge (const calls::machine &machine, std::uint32_t number, leniency lenient)
{
  for (auto &rule : calls::rules)
    if (rule.numbers[machine.column] == static_cast<int> (number))
      return restricts (rule, lenient)
                 ? verdict {false, rule.kind, rule.parameter}
                 : verdict {true};
  return {contains (machine.ranges, number)
          || contains (calls::common_ranges, number)};
}

// The numbers from FIRST up to the next such stretch.
struct stretch
{
  std::uint32_t first;
  struct verdict verdict;
};

// All numbers that MACHINE can have, in order.
static constexpr std::vector<stretch>
stretches (const calls::machine &machine, leniency lenient)
{
  std::vector<std::uint32_t> firsts {0};
  for (auto &rule : calls::rules)
    if (int number = rule.numbers[machine.column]; number >= 0)
      for (int first : {number, number + 1})
        firsts.push_back (static_cast<std::uint32_t> (first));
  for (std::span<const calls::range> ranges :
       {machine.ranges, std::span<const calls::range> {calls::common_ranges}})
    for (auto [first, last] : ranges)
      for (auto bound : {first, last + 1})
        firsts.push_back (bound);
  std::ranges::sort (firsts);
  std::vector<stretch> result;
  for (auto first : firsts)
    if (auto verdict = judge (machine, first, lenient);
        result.empty () || verdict != result.back ().verdict)
      result.push_back ({first, verdict});
  return result;
}

static constexpr void
look_up (filter &filter, std::span<const stretch> stretches)
{
  if (stretches.size () == 1)
    return apply (filter, stretches[0].verdict);
  auto half = stretches.size () / 2;
  filter.split (
      stretches[half].first,
      [&] { look_up (filter, stretches.subspan (half)); },
      [&] { look_up (filter, stretches.first (half)); });
}

static consteval filter
assemble (leniency lenient)
{
  filter filter;
  filter.load_architecture ();
  for (auto &machine : calls::machines)
    filter.when (machine.architecture, [&]
      {
        filter.load_number ();
        look_up (filter, stretches (machine, lenient));
      });
  filter.refuse (ENOSYS);
  return filter;
}

// By the two kinds of leniency.
static constexpr filter filters[2][2] = {
  {assemble ({false, false}), assemble ({false, true})},
  {assemble ({true, false}), assemble ({true, true})},
};

// Whether a filter is in force: the kernel itself has another answer.
static bool
filtered () noexcept
{
  return ::syscall (SYS_setns, -1, 0) < 0 && errno == EPERM;
}

// ("system-calls" LENIENCY...): from now on, only those that a build needs.
//
// "socketcall": 32-bit programs on x86 may have been linked with a C library
// that opens sockets through a call whose arguments no filter can see; they
// can open sockets of any family then.  "set-id-bits": files can get them.
outcome<void>
filter_system_calls (const step &step, context &) noexcept
{
  leniency lenient {};
  for (auto &text : step.texts)
    if (text == "socketcall")
      lenient.multiplexers = true;
    else if (text == "set-id-bits")
      lenient.set_ids = true;
    else
      return failed ("seccomp", text, EINVAL);
  auto program
      = filters[lenient.multiplexers][lenient.set_ids].program ();
  if (::syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
    return failed ("seccomp");
  if (!filtered ())
    return failed ("seccomp", "not in force", ENOTSUP);
  return {};
}

}
