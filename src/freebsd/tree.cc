// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/platform.hh"

#include "freebsd/mount.hh"

#include <cstring>
#include <fcntl.h>
#include <memory>
#include <span>
#include <sys/types.h>
#include <sys/acl.h>
#include <sys/extattr.h>
#include <sys/param.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace fruix {

// A nullfs mount has a file system identifier of its own.
outcome<std::uint64_t>
mount_of (int fd) noexcept
{
  struct statfs status;
  if (fstatfs (fd, &status))
    return failed ("fstatfs");
  return mount_number (status.f_fsid);
}

// Delete the attributes of FD whose names, each after its length, are in LIST;
// the last may be cut off there.
static outcome<void>
delete_attributes (int fd, std::span<const unsigned char> list) noexcept
{
  while (!list.empty () && list[0] < list.size ())
    {
      char name[256] {};
      std::memcpy (name, list.data () + 1, list[0]);
      if (extattr_delete_fd (fd, EXTATTR_NAMESPACE_USER, name))
        return failed ("extattr_delete_fd", name);
      list = list.subspan (1 + list[0]);
    }
  return {};
}

struct list_freer
{
  void operator() (acl_t list) const noexcept { acl_free (list); }
};
using access_list
    = std::unique_ptr<std::remove_pointer_t<acl_t>, list_freer>;

// Reduce the access control list of FD to what its mode says, if it has one
// of TYPE; see acl(3).
static outcome<void>
strip_access_list (int fd, acl_type_t type) noexcept
{
  access_list list {acl_get_fd_np (fd, type)};
  if (!list)
    {
      // There are none here, or of the other kind.
      if (errno == EOPNOTSUPP || errno == EINVAL)
        return {};
      return failed ("acl_get_fd_np");
    }
  int trivial;
  if (acl_is_trivial_np (list.get (), &trivial))
    return failed ("acl_is_trivial_np");
  if (trivial)
    return {};
  access_list stripped {acl_strip_np (list.get (), 0)};
  if (!stripped)
    return failed ("acl_strip_np");
  if (acl_set_fd_np (fd, stripped.get (), type))
    return failed ("acl_set_fd_np");
  return {};
}

// What is made in a directory would get a list from this one.
static outcome<void>
strip_default_list (int fd) noexcept
{
  if (acl_delete_fd_np (fd, ACL_TYPE_DEFAULT) && errno != ENOTDIR
      && errno != EOPNOTSUPP && errno != EINVAL)
    return failed ("acl_delete_fd_np");
  return {};
}

// See extattr(2).  Not every file system lets a change of the mode put an end
// to access control lists.
outcome<void>
strip_attributes (int fd) noexcept
{
  if (fchflags (fd, 0) && errno != EOPNOTSUPP)
    return failed ("fchflags");
  for (auto type : {ACL_TYPE_NFS4, ACL_TYPE_ACCESS})
    if (auto stripped = strip_access_list (fd, type); !stripped)
      return stripped;
  if (auto stripped = strip_default_list (fd); !stripped)
    return stripped;
  for (;;)
    {
      unsigned char list[4096];
      ssize_t size = extattr_list_fd (fd, EXTATTR_NAMESPACE_USER, list,
                                      sizeof list);
      if (size < 0 && errno != EOPNOTSUPP)
        return failed ("extattr_list_fd");
      if (size <= 0)
        return {};
      std::span<const unsigned char> names {list,
                                            static_cast<std::size_t> (size)};
      auto deleted = delete_attributes (fd, names);
      // What fills the array may not be all.
      if (!deleted || names.size () < sizeof list)
        return deleted;
    }
}

outcome<void>
change_mode (int fd, mode_t mode) noexcept
{
  if (fchmodat (fd, "", mode, AT_EMPTY_PATH))
    return failed ("fchmodat");
  return {};
}

// See chflags(2).  The owner of a file can set some, too.
outcome<bool>
clear_flags (int directory, const char *name) noexcept
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW))
    return failed ("fstatat", name);
  constexpr unsigned long sticky = UF_IMMUTABLE | UF_APPEND | UF_NOUNLINK
                                   | SF_IMMUTABLE | SF_APPEND | SF_NOUNLINK;
  if (!(status.st_flags & sticky))
    return false;
  if (chflagsat (directory, name, status.st_flags & ~sticky,
                 AT_SYMLINK_NOFOLLOW))
    return failed ("chflagsat", name);
  return true;
}

outcome<bool>
exchange (int, const char *, int, const char *) noexcept
{
  return false;
}

}
