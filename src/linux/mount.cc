// SPDX-License-Identifier: GPL-3.0-or-later
#include "linux/mount.hh"

#include "linux/root.hh"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <vector>

namespace fruix {

static outcome<std::uint64_t>
mount_id (int directory, const char *name, int flags) noexcept
{
  struct statx status;
  if (::statx (directory, name, flags, STATX_MNT_ID, &status) < 0)
    return failed ("statx", name);
  if (!(status.stx_mask & STATX_MNT_ID))
    return failed ("statx", name, ENOTSUP);
  return status.stx_mnt_id;
}

static outcome<std::uint64_t>
attach (int mounted, const char *target) noexcept
{
  // Once it is there, nothing may fail.
  auto id = mount_id (mounted, "", AT_EMPTY_PATH);
  if (id
      && ::move_mount (mounted, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH)
             < 0)
    return failed ("move_mount", target);
  return id;
}

// The attribute of a mount that OPTION stands for; 0 if it is one of the
// file system's own.
static unsigned
attribute (std::string_view option) noexcept
{
  static constexpr struct
  {
    std::string_view name;
    unsigned attribute;
  } table[] = {
    {"ro", MOUNT_ATTR_RDONLY},      {"nosuid", MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV},    {"noexec", MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME},
  };
  for (auto &row : table)
    if (row.name == option)
      return row.attribute;
  return 0;
}

outcome<std::uint64_t>
mount_filesystem (const char *type, const char *target,
                  std::span<const std::string> options)
{
  unsigned attributes = 0;
  std::vector<std::string> own;
  for (auto &option : options)
    if (auto flag = attribute (option))
      attributes |= flag;
    else
      own.push_back (option);
  auto created = plan::create_filesystem (type, own, attributes);
  if (!created)
    return std::unexpected {created.error ()};
  return attach (created->get (), target);
}

outcome<std::uint64_t>
mount_bind (const char *source, const char *target, bool read_only) noexcept
{
  auto tree = plan::clone_tree (source, read_only ? MOUNT_ATTR_RDONLY : 0);
  if (!tree)
    return std::unexpected {tree.error ()};
  return attach (tree->get (), target);
}

outcome<void>
unshare_mounts () noexcept
{
  if (::unshare (CLONE_NEWNS) < 0)
    return failed ("unshare", "CLONE_NEWNS");
  struct mount_attr attributes {};
  attributes.propagation = MS_SLAVE;
  if (::mount_setattr (AT_FDCWD, "/", AT_RECURSIVE, &attributes,
                       sizeof attributes)
      < 0)
    return failed ("mount_setattr", "/");
  return {};
}

outcome<void>
allow_writing (const char *target) noexcept
{
  struct mount_attr attributes {};
  attributes.attr_clr = MOUNT_ATTR_RDONLY;
  if (::mount_setattr (AT_FDCWD, target, 0, &attributes, sizeof attributes)
      < 0)
    return failed ("mount_setattr", target);
  return {};
}

outcome<void>
unmount (std::uint64_t id, const char *target, bool force) noexcept
{
  auto found = mount_id (AT_FDCWD, target, AT_SYMLINK_NOFOLLOW);
  if (!found)
    return std::unexpected {found.error ()};
  if (*found != id)
    return failed ("umount2", target, EINVAL);
  if (::umount2 (target, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0)) < 0)
    return failed ("umount2", target);
  return {};
}

}
