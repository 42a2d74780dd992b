// SPDX-License-Identifier: GPL-3.0-or-later
// The probes of FreeBSD.
#include "process/probe.hh"

#include "base/unique_fd.hh"

#include <charconv>
#include <fcntl.h>
#include <sys/capsicum.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/jail.h>
#include <sys/module.h>
#include <sys/rctl.h>
#include <sys/sysctl.h>
#include <sys/uio.h>

// Needs <sys/queue.h>, which it does not include.
#include <sys/queue.h>
#include <fs/devfs/devfs.h>

namespace fruix {

template <std::size_t n>
static iovec
text (const char (&literal)[n]) noexcept
{
  return {const_cast<char *> (literal), n};
}

// Make a jail and enter it.  Not being persistent, it goes with the child.
static outcome<void>
enter_jail (std::span<iovec> parameters) noexcept
{
  if (::jail_set (parameters.data (),
                  static_cast<unsigned> (parameters.size ()),
                  JAIL_CREATE | JAIL_ATTACH)
      < 0)
    return failed ("jail_set");
  return {};
}

static outcome<void>
try_jail (const char *) noexcept
{
  iovec parameters[] = {text ("path"), text ("/")};
  return enter_jail (parameters);
}

static outcome<void>
try_vnet (const char *) noexcept
{
  int fresh = JAIL_SYS_NEW;
  iovec parameters[]
      = {text ("path"), text ("/"), text ("vnet"), {&fresh, sizeof fresh}};
  return enter_jail (parameters);
}

// Without the parameter that JAIL_GET_DESC needs, no jail is found, and
// nothing is made; a kernel before 15.0 does not know the flag.
static outcome<std::int64_t>
has_jail_descriptors (const char *) noexcept
{
  constexpr int get_descriptor = 0x40;
  int id = 0;
  iovec parameters[] = {text ("jid"), {&id, sizeof id}};
  if (::jail_get (parameters, std::size (parameters), get_descriptor) < 0
      && errno == EINVAL)
    return failed ("jail_get", "", ENOSYS);
  return 0;
}

static outcome<void>
try_capsicum (const char *) noexcept
{
  if (::cap_enter () < 0)
    return failed ("cap_enter");
  if (::open ("/dev/null", O_RDONLY) >= 0 || errno != ECAPMODE)
    return failed ("cap_enter", "the file system is still there", EBUSY);
  return {};
}

// The identifier of the kernel module NAME, which may be built in.
static outcome<std::int64_t>
find_module (const char *name) noexcept
{
  int id = ::modfind (name);
  if (id < 0)
    return failed ("modfind", name);
  return id;
}

// The value of the integer NAME.
static outcome<std::int64_t>
read_sysctl (const char *name) noexcept
{
  int value;
  std::size_t size = sizeof value;
  if (::sysctlbyname (name, &value, &size, nullptr, 0) < 0)
    return failed ("sysctl", name);
  return value;
}

// Ask for the first ruleset after the one before NUMBER.
static outcome<std::int64_t>
find_ruleset (const char *number) noexcept
{
  devfs_rsnum wanted = 0;
  std::from_chars (number, number + std::strlen (number), wanted);
  unique_fd fd {::open ("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd)
    return failed ("open", "/dev");
  auto found = static_cast<devfs_rsnum> (wanted - 1);
  if (::ioctl (fd.get (), DEVFSIO_SGETNEXT, &found) < 0)
    return failed ("ioctl", "DEVFSIO_SGETNEXT");
  if (found != wanted)
    return failed ("ioctl", "DEVFSIO_SGETNEXT", ENOENT);
  return found;
}

static outcome<std::int64_t>
try_rctl (const char *) noexcept
{
  constexpr char subject[] = "user:0:";
  char usage[4096];
  if (::rctl_get_racct (subject, sizeof subject, usage, sizeof usage) < 0)
    return failed ("rctl_get_racct");
  return 0;
}

static constexpr probe table[] = {
  {"jail", in_child<try_jail>},
  {"vnet", in_child<try_vnet>},
  {"jail-descriptors", has_jail_descriptors},
  {"capsicum", in_child<try_capsicum>},
  {"module", find_module},
  {"sysctl", read_sysctl},
  {"devfs-ruleset", find_ruleset},
  {"rctl", try_rctl},
};

std::span<const probe>
system_probes () noexcept
{
  return table;
}

}
