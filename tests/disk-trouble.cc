// SPDX-License-Identifier: GPL-3.0-or-later
// Disk trouble on demand: a library to preload, in which calls that change
// files fail when they are told to.
//
// The file that TROUBLE names holds a 'control', which tests write and read.
// Only calls on its own file system count; the others are none of a disk.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

struct control
{
  std::atomic<std::int64_t> left;    // calls until trouble; 0 is never
  std::atomic<std::int64_t> struck;  // calls that have failed
  std::int64_t error;                // errno of theirs
  std::int64_t lasting;              // whether all later ones fail, too
};

control *settings;
dev_t device;

void
attach ()
{
  auto name = std::getenv ("TROUBLE");
  int fd = name ? open (name, O_RDWR | O_CLOEXEC) : -1;
  struct stat status;
  if (fd < 0 || fstat (fd, &status))
    return;
  device = status.st_dev;
  void *memory = mmap (nullptr, sizeof (control), PROT_READ | PROT_WRITE,
                       MAP_SHARED, fd, 0);
  if (memory != MAP_FAILED)
    settings = static_cast<control *> (memory);
  close (fd);
}

// Whether the next call that counts is to fail.
bool
strikes ()
{
  std::int64_t left = settings->left;
  while (left > 0)
    if (settings->left.compare_exchange_weak (left, left - 1))
      break;
  if (left != 1 && left >= 0)
    return false;
  if (settings->lasting)
    settings->left = -1;
  ++settings->struck;
  errno = static_cast<int> (settings->error);
  return true;
}

// What a full disk does not keep from being done.
enum class need { space, none };

bool
idle (need wanted)
{
  return !settings || !settings->left
         || (settings->error == ENOSPC && wanted == need::none);
}

bool
fails_on (int fd, need wanted)
{
  struct stat status;
  return !idle (wanted) && fstat (fd, &status) == 0
         && (S_ISREG (status.st_mode) || S_ISDIR (status.st_mode))
         && status.st_dev == device && strikes ();
}

bool
fails_at (int directory, const char *name, need wanted)
{
  if (idle (wanted))
    return false;
  char parent[4096] = ".";
  if (auto slash = std::strrchr (name, '/'))
    {
      std::size_t length = slash - name + 1;
      if (length >= sizeof parent)
        return false;
      std::memcpy (parent, name, length);
      parent[length] = '\0';
    }
  struct stat status;
  return fstatat (directory, parent, &status, 0) == 0
         && status.st_dev == device && strikes ();
}

template <class Call>
Call *
next (const char *name)
{
  return reinterpret_cast<Call *> (dlsym (RTLD_NEXT, name));
}

}

#define VISIBLE extern "C" __attribute__ ((visibility ("default")))

// Define the call NAME as itself, unless TROUBLE.  It is looked up before it
// is needed, as after fork that may be too late; but others may need it before
// all is set up here.
#define INTERPOSE(TYPE, NAME, PARAMETERS, ARGUMENTS, TROUBLE)                 \
  static TYPE (*next_##NAME) PARAMETERS = next<TYPE PARAMETERS> (#NAME);      \
  VISIBLE TYPE NAME PARAMETERS                                                \
  {                                                                           \
    if (TROUBLE)                                                              \
      return (TYPE) -1;                                                       \
    if (!next_##NAME)                                                         \
      next_##NAME = next<TYPE PARAMETERS> (#NAME);                            \
    return next_##NAME ARGUMENTS;                                             \
  }

INTERPOSE (ssize_t, write, (int fd, const void *bytes, size_t size),
           (fd, bytes, size), fails_on (fd, need::space))
INTERPOSE (ssize_t, pwrite,
           (int fd, const void *bytes, size_t size, off_t start),
           (fd, bytes, size, start), fails_on (fd, need::space))
INTERPOSE (ssize_t, pwrite64,
           (int fd, const void *bytes, size_t size, off64_t start),
           (fd, bytes, size, start), fails_on (fd, need::space))
INTERPOSE (int, fsync, (int fd), (fd), fails_on (fd, need::none))
INTERPOSE (int, fdatasync, (int fd), (fd), fails_on (fd, need::none))
INTERPOSE (int, ftruncate, (int fd, off_t size) noexcept, (fd, size),
           fails_on (fd, need::none))
INTERPOSE (int, ftruncate64, (int fd, off64_t size) noexcept, (fd, size),
           fails_on (fd, need::none))
INTERPOSE (int, fchmod, (int fd, mode_t mode) noexcept, (fd, mode),
           fails_on (fd, need::none))
INTERPOSE (int, futimens, (int fd, const timespec times[2]) noexcept,
           (fd, times), fails_on (fd, need::none))
INTERPOSE (int, chmod, (const char *name, mode_t mode) noexcept,
           (name, mode), fails_at (AT_FDCWD, name, need::none))
INTERPOSE (int, mkdir, (const char *name, mode_t mode) noexcept,
           (name, mode), fails_at (AT_FDCWD, name, need::space))
INTERPOSE (int, mkdirat, (int fd, const char *name, mode_t mode) noexcept,
           (fd, name, mode), fails_at (fd, name, need::space))
INTERPOSE (int, rename, (const char *from, const char *to) noexcept,
           (from, to), fails_at (AT_FDCWD, to, need::space))
INTERPOSE (int, renameat,
           (int from_fd, const char *from, int to_fd, const char *to) noexcept,
           (from_fd, from, to_fd, to), fails_at (to_fd, to, need::space))
INTERPOSE (int, link, (const char *from, const char *to) noexcept,
           (from, to), fails_at (AT_FDCWD, to, need::space))
INTERPOSE (int, linkat,
           (int from_fd, const char *from, int to_fd, const char *to,
            int flags) noexcept,
           (from_fd, from, to_fd, to, flags),
           fails_at (to_fd, to, need::space))
INTERPOSE (int, symlink, (const char *target, const char *name) noexcept,
           (target, name), fails_at (AT_FDCWD, name, need::space))
INTERPOSE (int, symlinkat,
           (const char *target, int fd, const char *name) noexcept,
           (target, fd, name), fails_at (fd, name, need::space))

// The calls that open files have a mode only if they create one.
#define INTERPOSE_OPEN(NAME, PARAMETERS, ARGUMENTS, DIRECTORY)                \
  static int (*next_##NAME) PARAMETERS = next<int PARAMETERS> (#NAME);        \
  VISIBLE int NAME PARAMETERS                                                 \
  {                                                                           \
    va_list list;                                                             \
    va_start (list, flags);                                                   \
    mode_t mode = flags & O_CREAT ? va_arg (list, mode_t) : 0;                \
    va_end (list);                                                            \
    if ((flags & O_CREAT) && fails_at (DIRECTORY, name, need::space))         \
      return -1;                                                              \
    if (!next_##NAME)                                                         \
      next_##NAME = next<int PARAMETERS> (#NAME);                             \
    return next_##NAME ARGUMENTS;                                             \
  }

INTERPOSE_OPEN (open, (const char *name, int flags, ...),
                (name, flags, mode), AT_FDCWD)
INTERPOSE_OPEN (open64, (const char *name, int flags, ...),
                (name, flags, mode), AT_FDCWD)
INTERPOSE_OPEN (openat, (int fd, const char *name, int flags, ...),
                (fd, name, flags, mode), fd)
INTERPOSE_OPEN (openat64, (int fd, const char *name, int flags, ...),
                (fd, name, flags, mode), fd)

__attribute__ ((constructor)) static void
start ()
{
  attach ();
}
