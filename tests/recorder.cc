// SPDX-License-Identifier: GPL-3.0-or-later
// A disk that remembers all that was ever written to it, for tests of power
// cuts: recorder FILE SIZE LOG, as root on Linux.
//
// FILE becomes a file of SIZE bytes (by FUSE, see fuse(4)), zero at first, in
// memory, over which a loop device can be laid.  Each write, and each flush
// of the device's cache, is appended to LOG before it is acknowledged:
//
//   offset (64 bits), length (64 bits, ~0 for a flush), the bytes
//
// It says "ready" on standard output, and ends when FILE is unmounted.

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::uint64_t flush = ~std::uint64_t {0};
constexpr std::uint32_t maximum_write = 1 << 20;

int device, record;
std::vector<char> disk;

[[noreturn]] void
die (const char *what)
{
  std::perror (what);
  std::exit (1);
}

void
reply (const fuse_in_header &in, int error, const void *data = nullptr,
       std::size_t size = 0)
{
  fuse_out_header out {};
  out.len = sizeof out + size;
  out.error = -error;
  out.unique = in.unique;
  iovec parts[] {{&out, sizeof out}, {const_cast<void *> (data), size}};
  if (writev (device, parts, size ? 2 : 1) < 0 && errno != ENOENT)
    die ("writev");
}

void
log (std::uint64_t offset, std::uint64_t length, const char *data)
{
  std::uint64_t header[] {offset, length};
  iovec parts[] {{header, sizeof header},
                 {const_cast<char *> (data), length == flush ? 0 : length}};
  if (writev (record, parts, 2) < 0)
    die ("log");
}

fuse_attr
attributes ()
{
  fuse_attr result {};
  result.ino = FUSE_ROOT_ID;
  result.size = disk.size ();
  result.mode = S_IFREG | 0600;
  result.nlink = 1;
  result.blksize = 4096;
  return result;
}

void
initialise (const fuse_in_header &in)
{
  fuse_init_out out {};
  out.major = FUSE_KERNEL_VERSION;
  out.minor = FUSE_KERNEL_MINOR_VERSION;
  out.max_readahead = 65536;
  out.flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES;
  out.max_write = maximum_write;
  out.max_pages = maximum_write / 4096;
  reply (in, 0, &out, sizeof out);
}

void
read_disk (const fuse_in_header &in, const char *body)
{
  fuse_read_in what;
  std::memcpy (&what, body, sizeof what);
  std::size_t start = what.offset < disk.size () ? what.offset : disk.size ();
  std::size_t size = disk.size () - start;
  reply (in, 0, disk.data () + start, what.size < size ? what.size : size);
}

void
write_disk (const fuse_in_header &in, const char *body)
{
  fuse_write_in what;
  std::memcpy (&what, body, sizeof what);
  if (what.offset > disk.size () || what.size > disk.size () - what.offset)
    return reply (in, ENOSPC);
  const char *data = body + sizeof what;
  log (what.offset, what.size, data);
  std::memcpy (disk.data () + what.offset, data, what.size);
  fuse_write_out out {what.size, 0};
  reply (in, 0, &out, sizeof out);
}

void
serve (const fuse_in_header &in, const char *body)
{
  fuse_attr_out attr {};
  fuse_open_out open {};
  fuse_statfs_out status {};
  switch (in.opcode)
    {
    case FUSE_INIT:
      return initialise (in);
    case FUSE_GETATTR:
      attr.attr = attributes ();
      return reply (in, 0, &attr, sizeof attr);
    case FUSE_STATFS:
      return reply (in, 0, &status, sizeof status);
    case FUSE_OPEN:
      return reply (in, 0, &open, sizeof open);
    case FUSE_READ:
      return read_disk (in, body);
    case FUSE_WRITE:
      return write_disk (in, body);
    case FUSE_FSYNC:
      log (0, flush, nullptr);
      return reply (in, 0);
    case FUSE_FLUSH:
    case FUSE_RELEASE:
      return reply (in, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return;                   // these want no answer
    default:
      return reply (in, ENOSYS);
    }
}

void
mount_disk (const char *file)
{
  device = open ("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0)
    die ("/dev/fuse");
  char options[100];
  std::snprintf (options, sizeof options,
                 "fd=%d,rootmode=100600,user_id=0,group_id=0", device);
  if (mount ("recorder", file, "fuse", MS_NODEV | MS_NOSUID, options))
    die ("mount");
}

}

int
main (int argc, char **argv)
{
  if (argc != 4)
    return 2;
  disk.resize (std::strtoull (argv[2], nullptr, 10));
  record = open (argv[3], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (record < 0)
    die (argv[3]);
  mount_disk (argv[1]);
  std::puts ("ready");
  std::fflush (stdout);
  std::vector<char> buffer (maximum_write + 65536);
  for (;;)
    {
      ssize_t size = read (device, buffer.data (), buffer.size ());
      if (size < 0 && (errno == EINTR || errno == ENOENT))
        continue;
      if (size < 0 && errno == ENODEV)
        return 0;               // unmounted
      if (size < static_cast<ssize_t> (sizeof (fuse_in_header)))
        die ("read");
      fuse_in_header in;
      std::memcpy (&in, buffer.data (), sizeof in);
      serve (in, buffer.data () + sizeof in);
    }
}
