// SPDX-License-Identifier: GPL-3.0-or-later
// Compressed files, written and read as streams.
#pragma once

#include "base/outcome.hh"
#include "base/unique_fd.hh"

#include <cstdint>
#include <memory>
#include <span>
#include <zlib.h>

namespace fruix {

struct gzip_closer
{
  void operator() (gzFile file) const noexcept { gzclose (file); }
};
using gzip_file = std::unique_ptr<gzFile_s, gzip_closer>;

class gzip_writer
{
public:
  // Write to FD, which must block.
  explicit gzip_writer (unique_fd fd);

  outcome<void> write (std::span<const std::uint8_t> bytes) noexcept;
  // Bring all that was written to the file, where it can be read.
  outcome<void> flush () noexcept;
  outcome<void> finish () noexcept;

private:
  gzip_file file_;
};

class gzip_reader
{
public:
  // Read from FD, which must block: a gzip file, or any other as it is.
  explicit gzip_reader (unique_fd fd);

  // Fill BUFFER; return the number of bytes, less than asked for only at the
  // end.  A file that is still being written ends where it is readable.
  outcome<std::uint64_t> read (std::span<std::uint8_t> buffer) noexcept;

private:
  gzip_file file_;
};

}
