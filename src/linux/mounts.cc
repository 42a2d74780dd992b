// SPDX-License-Identifier: GPL-3.0-or-later
// Mounts in the tree.  Each is prepared detached, with its final attributes,
// and attached by descriptors: it is never visible with others, and no name
// is resolved twice.
#include "linux/root.hh"
#include "linux/steps.hh"
#include "plan/place.hh"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix::plan {

static outcome<void>
attach (int mounted, const place &place, const char *target) noexcept
{
  if (::move_mount (mounted, "", place.directory, place.name,
                    MOVE_MOUNT_F_EMPTY_PATH)
      < 0)
    return failed ("move_mount", target);
  return {};
}

// ("bind" SOURCE TARGET "read-only" | "read-write"): SOURCE of the host, with
// what is mounted in it, appears as TARGET.
outcome<void>
bind (const step &step, context &context) noexcept
{
  const char *source = step.text (0), *target = step.text (1);
  auto place = locate (target, context);
  if (!place)
    return std::unexpected {place.error ()};
  // In a user namespace those of the source are locked.
  auto tree = clone_tree (source,
                          step.texts[2] == "read-write"
                              ? MOUNT_ATTR_NOSUID
                              : MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY);
  if (!tree)
    return std::unexpected {tree.error ()};
  struct stat stat;
  if (::fstat (tree->get (), &stat) < 0)
    return failed ("fstat", source);
  // It cannot be mounted, and whoever made it decides where it points.
  if (S_ISLNK (stat.st_mode))
    return failed ("symbolic link", source, ELOOP);
  if (auto made = make_mount_point (*place, stat.st_mode); !made)
    return made;
  return attach (tree->get (), *place, target);
}

// Attributes of the mounts that a child may make; -1 for another type.
static int
attributes_for (std::string_view type) noexcept
{
  if (type == "tmpfs")
    return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (type == "proc")
    return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (type == "devpts")
    return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  return -1;
}

// ("filesystem" TYPE TARGET OPTION...): a new tmpfs, proc or devpts.
outcome<void>
mount_filesystem (const step &step, context &context) noexcept
{
  const char *type = step.text (0), *target = step.text (1);
  int attributes = attributes_for (type);
  if (attributes < 0)
    return failed ("fsopen", type, EINVAL);
  auto place = locate (target, context);
  if (!place)
    return std::unexpected {place.error ()};
  auto created = create_filesystem (type, std::span {step.texts}.subspan (2),
                                    static_cast<unsigned> (attributes));
  if (!created)
    return std::unexpected {created.error ()};
  if (auto made = make_mount_point (*place, S_IFDIR); !made)
    return made;
  return attach (created->get (), *place, target);
}

// ("read-only" TARGET): what is mounted on TARGET in the root can be written
// no more, whoever owns it.
outcome<void>
make_read_only (const step &step, context &) noexcept
{
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr (AT_FDCWD, step.text (0), 0, &attributes,
                       sizeof attributes)
      < 0)
    return failed ("mount_setattr", step.text (0));
  return {};
}

}
