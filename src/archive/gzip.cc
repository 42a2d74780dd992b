// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/gzip.hh"

#include <algorithm>
#include <climits>
#include <new>

namespace fruix {

static constexpr unsigned buffer_size = 128 * 1024;

// zlib's file for FD, or bad_alloc.
static gzip_file
open_file (unique_fd fd, const char *mode)
{
  gzip_file file {gzdopen (fd.get (), mode)};
  if (!file)
    throw std::bad_alloc {};
  fd.release ();
  gzbuffer (file.get (), buffer_size);
  return file;
}

static std::unexpected<fault>
failed_on (std::string_view who, gzFile file) noexcept
{
  int saved = errno, code;
  const char *text = gzerror (file, &code);
  if (code == Z_ERRNO)
    return failed (who, "", saved);
  return failed (who, text, EBADMSG);
}

// Builds wait for their log, hence the least effort.
gzip_writer::gzip_writer (unique_fd fd)
  : file_ {open_file (std::move (fd), "wb1")}
{
}

outcome<void>
gzip_writer::write (std::span<const std::uint8_t> bytes) noexcept
{
  while (!bytes.empty ())
    {
      auto size = std::min<std::size_t> (bytes.size (), INT_MAX);
      auto part = bytes.first (size);
      if (gzwrite (file_.get (), part.data (), part.size ()) == 0)
        return failed_on ("gzwrite", file_.get ());
      bytes = bytes.subspan (part.size ());
    }
  return {};
}

outcome<void>
gzip_writer::flush () noexcept
{
  if (gzflush (file_.get (), Z_SYNC_FLUSH) != Z_OK)
    return failed_on ("gzflush", file_.get ());
  return {};
}

outcome<void>
gzip_writer::finish () noexcept
{
  int code = gzclose (file_.release ());
  if (code != Z_OK)
    return failed ("gzclose", "", code == Z_ERRNO ? errno : EIO);
  return {};
}

gzip_reader::gzip_reader (unique_fd fd)
  : file_ {open_file (std::move (fd), "rb")}
{
}

outcome<std::uint64_t>
gzip_reader::read (std::span<std::uint8_t> buffer) noexcept
{
  auto size = std::min<std::size_t> (buffer.size (), INT_MAX);
  int count = gzread (file_.get (), buffer.data (), size);
  if (count < 0)
    return failed_on ("gzread", file_.get ());
  return std::uint64_t (count);
}

}
