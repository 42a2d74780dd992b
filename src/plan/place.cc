// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/place.hh"

#include "base/unique_fd.hh"

#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix::plan {

// Whether COMPONENT of a path leads to something in the directory before it.
static bool
is_proper (std::string_view component) noexcept
{
  return !component.empty () && component != "." && component != "..";
}

int
walk_beneath (int directory, const char *path) noexcept
{
  unique_fd at;
  for (std::string_view rest {path}; !rest.empty ();)
    {
      auto component = rest.substr (0, rest.find ('/'));
      rest.remove_prefix (component.size ());
      if (rest.starts_with ('/'))
        rest.remove_prefix (1);
      if (!is_proper (component))
        return errno = EINVAL, -1;
      char name[NAME_MAX + 1];
      if (component.size () >= sizeof name)
        return errno = ENAMETOOLONG, -1;
      copy_text (name, component);
      at = unique_fd {::openat (at ? at.get () : directory, name,
                                O_PATH | O_DIRECTORY | O_NOFOLLOW
                                    | O_CLOEXEC)};
      if (!at)
        return -1;
    }
  return at.release ();
}

outcome<place>
locate (const char *path, context &context) noexcept
{
  const char *slash = std::strrchr (path, '/');
  if (path[0] != '/' || !is_proper (slash + 1))
    return failed ("path", path, EINVAL);
  if (slash == path)
    return place {context.root, slash + 1};
  std::string_view directory {path + 1, slash};
  if (context.directory < 0 || directory != context.directory_name)
    {
      if (directory.size () >= sizeof context.directory_name)
        return failed ("openat", path, ENAMETOOLONG);
      copy_text (context.directory_name, directory);
      if (context.directory >= 0)
        ::close (context.directory);
      context.directory
          = open_beneath (context.root, context.directory_name);
      if (context.directory < 0)
        return failed ("openat", path);
    }
  return place {context.directory, slash + 1};
}

outcome<int>
open_root (const char *path) noexcept
{
  unique_fd fd {::open (path, O_PATH | O_DIRECTORY | O_NOFOLLOW
                                  | O_CLOEXEC)};
  if (!fd)
    return failed ("open", path);
  struct stat stat;
  if (::fstat (fd.get (), &stat) < 0)
    return failed ("fstat", path);
  if (stat.st_uid != ::geteuid () || (stat.st_mode & (S_IWGRP | S_IWOTH)))
    return failed ("not ours alone", path, EPERM);
  return fd.release ();
}

outcome<void>
make_mount_point (const place &place, mode_t mode) noexcept
{
  if (S_ISDIR (mode))
    {
      if (::mkdirat (place.directory, place.name, 0755) < 0
          && errno != EEXIST)
        return failed ("mkdirat", place.name);
      return {};
    }
  unique_fd fd {::openat (place.directory, place.name,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
                              | O_CLOEXEC,
                          0600)};
  if (!fd && errno != EEXIST)
    return failed ("openat", place.name);
  return {};
}

}
