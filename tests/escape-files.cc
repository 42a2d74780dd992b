// SPDX-License-Identifier: GPL-3.0-or-later
// Ways to get a file with set-user-ID or set-group-ID bits.
#include "escape.hh"

#include <cstdint>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

constexpr long set_user = 04755, set_group = 02755;

static bool
has_set_ids (const char *name)
{
  struct stat status;
  return ::lstat (name, &status) == 0 && (status.st_mode & 06000);
}

// What comes of the call NUMBER, which gives FILE set-ID bits; FILE is there
// with ordinary ones before if IS_THERE.
template <class... Arguments>
static void
attempt_file (const char *what, bool is_there, const char *file, long number,
              Arguments... arguments)
{
  if (is_there)
    ::close (::open (file, O_WRONLY | O_CREAT, 0755));
  long result = ::syscall (number, arguments...);
  attempt (what, result);
  if (result < 0 && has_set_ids (file))
    report (what, "the bits are there nevertheless");
  ::unlink (file);
  ::rmdir (file);
}

static void
attempt_changes ()
{
  auto change = [] (const char *what, long number, auto... arguments)
    { attempt_file (what, true, "file", number, arguments...); };
#ifdef SYS_chmod
  change ("chmod 4755", SYS_chmod, "file", set_user);
  change ("chmod 2755", SYS_chmod, "file", set_group);
  change ("chmod 2000", SYS_chmod, "file", 02000L);
  // The kernel looks at 16 bits of it.
  change ("chmod with upper bits", SYS_chmod, "file",
          set_user | static_cast<long> (0xffffffffffff0000UL));
#endif
  change ("fchmodat 4755", SYS_fchmodat, AT_FDCWD, "file", set_user);
  change ("fchmodat2 4755", 452, AT_FDCWD, "file", set_user, 0L);
  int fd = ::open ("file", O_WRONLY | O_CREAT, 0755);
  change ("fchmod 4755", SYS_fchmod, fd, set_user);
  ::close (fd);
}

static void
attempt_creations ()
{
  auto create = [] (const char *what, long number, auto... arguments)
    { attempt_file (what, false, "file", number, arguments...); };
  create ("openat 4755", SYS_openat, AT_FDCWD, "file",
          O_WRONLY | O_CREAT | O_EXCL, set_user);
  create ("openat 2755", SYS_openat, AT_FDCWD, "file", O_WRONLY | O_CREAT,
          set_group);
  create ("openat nameless", SYS_openat, AT_FDCWD, ".", O_WRONLY | O_TMPFILE,
          set_user);
  struct open_how how {};
  how.flags = O_WRONLY | O_CREAT;
  how.mode = static_cast<std::uint64_t> (set_user);
  create ("openat2 4755", SYS_openat2, AT_FDCWD, "file", &how, sizeof how);
  create ("mknodat 4755", SYS_mknodat, AT_FDCWD, "file", S_IFREG | set_user,
          0L);
  create ("mkdirat 2755", SYS_mkdirat, AT_FDCWD, "file", set_group);
#ifdef SYS_open
  create ("open 4755", SYS_open, "file", O_WRONLY | O_CREAT, set_user);
  create ("open nameless", SYS_open, ".", O_RDWR | O_TMPFILE, set_user);
  create ("creat 4755", SYS_creat, "file", set_user);
  create ("mknod 4755", SYS_mknod, "file", S_IFREG | set_user, 0L);
  create ("mkdir 2755", SYS_mkdir, "file", set_group);
#endif
}

void
attempt_set_ids ()
{
  attempt_changes ();
  attempt_creations ();
  constexpr long setxattrat = 463;
  attempt ("setxattrat", ::syscall (setxattrat, -1, -1, -1, -1, -1, -1));
}
