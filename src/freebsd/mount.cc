// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/mount.hh"

#include "base/unique_fd.hh"
#include "freebsd/parameters.hh"

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/param.h>
#include <sys/mount.h>
#include <unistd.h>

namespace fruix {

std::uint64_t
mount_number (const struct fsid &id) noexcept
{
  return std::uint64_t {static_cast<std::uint32_t> (id.val[0])} << 32
         | static_cast<std::uint32_t> (id.val[1]);
}

static outcome<struct statfs>
status_of (const std::string &path) noexcept
{
  unique_fd fd {::open (path.c_str (), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd)
    return failed ("open", path);
  struct statfs status;
  if (::fstatfs (fd.get (), &status) < 0)
    return failed ("fstatfs", path);
  return status;
}

static outcome<void>
require_canonical (const std::string &path) noexcept
{
  char resolved[PATH_MAX];
  if (!::realpath (path.c_str (), resolved))
    return failed ("realpath", path);
  if (path != resolved)
    return failed ("nmount", path, EXDEV);
  return {};
}

// The kernel resolves PATH once more, so the result is looked at: a new file
// system, and the mount point that was meant.
outcome<std::uint64_t>
mount_filesystem (const std::string &type, const std::string &path,
                  std::span<const std::string> options)
{
  if (auto result = require_canonical (path); !result)
    return std::unexpected {result.error ()};
  auto before = status_of (path);
  if (!before)
    return std::unexpected {before.error ()};
  std::vector<parameter> parameters {parameter::text ("fstype", type),
                                     parameter::text ("fspath", path)};
  for (auto &option : options)
    parameters.push_back (parameter::option (option));
  auto mounted
      = call_with_parameters ("nmount", ::nmount, parameters, 0, path);
  if (!mounted)
    return std::unexpected {mounted.error ()};
  auto after = status_of (path);
  if (!after)
    {
      // Its number, by which to unmount it, is not known.
      ::unmount (path.c_str (), 0);
      return std::unexpected {after.error ()};
    }
  auto number = mount_number (after->f_fsid);
  if (number == mount_number (before->f_fsid))
    return failed ("nmount", path, EXDEV);
  if (path == after->f_mntonname)
    return number;
  [[maybe_unused]] auto undone = unmount_filesystem (number, false);
  return failed ("nmount", path, EXDEV);
}

outcome<void>
unmount_filesystem (std::uint64_t number, bool force) noexcept
{
  char name[64];
  std::snprintf (name, sizeof name, "FSID:%d:%d",
                 static_cast<int> (number >> 32), static_cast<int> (number));
  if (::unmount (name, MNT_BYFSID | (force ? MNT_FORCE : 0)) < 0)
    return failed ("unmount", name);
  return {};
}

static constexpr struct
{
  const char *name;
  std::uint64_t flag;
} option_flags[] = {
  {"ro", MNT_RDONLY},
  {"nosuid", MNT_NOSUID},
  {"noexec", MNT_NOEXEC},
  {"nosymfollow", MNT_NOSYMFOLLOW},
  {"noatime", MNT_NOATIME},
};

static mount_entry
entry_of (const struct statfs &status)
{
  mount_entry entry {mount_number (status.f_fsid), status.f_fstypename,
                     status.f_mntfromname, status.f_mntonname, {}};
  for (auto &option : option_flags)
    if (status.f_flags & option.flag)
      entry.options.push_back (option.name);
  return entry;
}

// The table may have grown since it was measured; it has all been read when
// the buffer is not full.
outcome<void>
list_mounts (std::vector<mount_entry> &result)
{
  constexpr std::size_t spare = 16;
  std::vector<struct statfs> table;
  int count = ::getfsstat (nullptr, 0, MNT_NOWAIT);
  while (count >= 0 && static_cast<std::size_t> (count) >= table.size ())
    {
      table.resize (static_cast<std::size_t> (count) + spare);
      count = ::getfsstat (
          table.data (),
          static_cast<long> (table.size () * sizeof table[0]), MNT_NOWAIT);
    }
  if (count < 0)
    return failed ("getfsstat");
  table.resize (static_cast<std::size_t> (count));
  for (auto &status : table)
    result.push_back (entry_of (status));
  return {};
}

}
