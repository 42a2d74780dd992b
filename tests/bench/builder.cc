// SPDX-License-Identifier: GPL-3.0-or-later
// A builder that does next to nothing: it makes the file that $out names,
// with the text $contents, after writing as many MiB of output as $MEBIBYTES
// says.  Linked statically, so that a sandbox needs nothing else.

#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace
{

bool
write_lines (int mebibytes)
{
  static std::array<char, 65536> block;
  block.fill ('x');
  for (std::size_t i = 63; i < block.size (); i += 64)
    block[i] = '\n';
  std::size_t left = std::size_t (mebibytes) << 20;
  while (left > 0)
    {
      ssize_t count = ::write (1, block.data (), block.size ());
      if (count <= 0)
        return false;
      left -= count;
    }
  return true;
}

bool
make_file (const char *name, const char *contents)
{
  int fd = ::open (name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  ssize_t size = contents ? std::strlen (contents) : 0;
  return fd >= 0 && ::write (fd, contents, size) == size;
}

} // namespace

int
main ()
{
  const char *out = std::getenv ("out");
  const char *mebibytes = std::getenv ("MEBIBYTES");
  if (!out || (mebibytes && !write_lines (std::atoi (mebibytes))))
    return 1;
  return !make_file (out, std::getenv ("contents"));
}
