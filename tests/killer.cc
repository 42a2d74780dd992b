// SPDX-License-Identifier: GPL-3.0-or-later
// A library to preload: it kills the process with SIGKILL just before the
// call with the number FRUIX_KILL_AT, from 1 on, of those that change a file
// system.  Writing to files that are open already does not count, but for
// databases.  Child processes run as they are.
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

long process, kill_at;
long calls;

// Children have their parent's memory until they execute a program.
void
step ()
{
  if (syscall (SYS_getpid) == process
      && __atomic_add_fetch (&calls, 1, __ATOMIC_SEQ_CST) == kill_at)
    raise (SIGKILL);
}

[[gnu::constructor]] void
prepare ()
{
  const char *number = std::getenv ("FRUIX_KILL_AT");
  kill_at = number ? std::atol (number) : 0;
  process = syscall (SYS_getpid);
  unsetenv ("LD_PRELOAD");
}

}

#define COUNTED(type, name, exceptions, parameters, arguments)               \
  extern "C" type name parameters exceptions                                 \
  {                                                                          \
    static const auto next = reinterpret_cast<type (*) parameters> (         \
        dlsym (RTLD_NEXT, #name));                                           \
    step ();                                                                 \
    return next arguments;                                                   \
  }

COUNTED (int, rename, noexcept, (const char *a, const char *b), (a, b))
COUNTED (int, renameat, noexcept,
         (int a, const char *b, int c, const char *d),
         (a, b, c, d))
#ifdef RENAME_EXCHANGE
COUNTED (int, renameat2, noexcept,
         (int a, const char *b, int c, const char *d, unsigned e),
         (a, b, c, d, e))
#endif
COUNTED (int, mkdir, noexcept, (const char *a, mode_t b), (a, b))
COUNTED (int, mkdirat, noexcept, (int a, const char *b, mode_t c), (a, b, c))
COUNTED (int, unlink, noexcept, (const char *a), (a))
COUNTED (int, unlinkat, noexcept, (int a, const char *b, int c), (a, b, c))
COUNTED (int, rmdir, noexcept, (const char *a), (a))
COUNTED (int, linkat, noexcept,
         (int a, const char *b, int c, const char *d, int e),
         (a, b, c, d, e))
COUNTED (int, symlink, noexcept, (const char *a, const char *b), (a, b))
COUNTED (int, symlinkat, noexcept, (const char *a, int b, const char *c),
         (a, b, c))
COUNTED (int, chmod, noexcept, (const char *a, mode_t b), (a, b))
COUNTED (int, fchmod, noexcept, (int a, mode_t b), (a, b))
COUNTED (int, fchmodat, noexcept, (int a, const char *b, mode_t c, int d),
         (a, b, c, d))
COUNTED (int, chown, noexcept, (const char *a, uid_t b, gid_t c), (a, b, c))
COUNTED (int, fchown, noexcept, (int a, uid_t b, gid_t c), (a, b, c))
COUNTED (int, fchownat, noexcept,
         (int a, const char *b, uid_t c, gid_t d, int e),
         (a, b, c, d, e))
COUNTED (int, utimensat, noexcept,
         (int a, const char *b, const timespec *c, int d),
         (a, b, c, d))
COUNTED (int, futimens, noexcept, (int a, const timespec *b), (a, b))
COUNTED (int, ftruncate64, noexcept, (int a, off64_t b), (a, b))
COUNTED (int, fsync, , (int a), (a))
COUNTED (int, fdatasync, , (int a), (a))
COUNTED (ssize_t, pwrite64, , (int a, const void *b, size_t c, off64_t d),
         (a, b, c, d))

// Opening counts where it may create a file.
#define OPENING(name, parameters, arguments)                                 \
  extern "C" int name parameters                                             \
  {                                                                          \
    using function = int parameters;                                         \
    static const auto next                                                   \
        = reinterpret_cast<function *> (dlsym (RTLD_NEXT, #name));           \
    std::va_list rest;                                                       \
    va_start (rest, flags);                                                  \
    mode_t mode = flags & O_CREAT ? va_arg (rest, mode_t) : 0;               \
    va_end (rest);                                                           \
    if (flags & O_CREAT)                                                     \
      step ();                                                               \
    return next arguments;                                                   \
  }

OPENING (open, (const char *file, int flags, ...), (file, flags, mode))
OPENING (open64, (const char *file, int flags, ...), (file, flags, mode))
OPENING (openat, (int at, const char *file, int flags, ...),
         (at, file, flags, mode))
OPENING (openat64, (int at, const char *file, int flags, ...),
         (at, file, flags, mode))
