// SPDX-License-Identifier: GPL-3.0-or-later
// The one resource class: a file descriptor with one owner.
#pragma once

#include <unistd.h>
#include <utility>

namespace fruix {

class unique_fd
{
public:
  unique_fd () noexcept = default;
  explicit unique_fd (int fd) noexcept : fd_ {fd} {}
  unique_fd (unique_fd &&other) noexcept : fd_ {other.release ()} {}
  unique_fd &
  operator= (unique_fd &&other) noexcept
  {
    reset (other.release ());
    return *this;
  }
  ~unique_fd () { reset (); }

  int get () const noexcept { return fd_; }
  int release () noexcept { return std::exchange (fd_, -1); }
  void
  reset (int fd = -1) noexcept
  {
    if (fd_ >= 0)
      ::close (fd_);
    fd_ = fd;
  }
  explicit operator bool () const noexcept { return fd_ >= 0; }

private:
  int fd_ = -1;
};

}
