// SPDX-License-Identifier: GPL-3.0-or-later
// Repeat a system call that a signal interrupted.
#pragma once

#include <cerrno>

namespace fruix {

// Call CALL until it does not fail with EINTR; return its result.
template <class Call>
[[nodiscard]] auto
retry (Call &&call) noexcept -> decltype (call ())
{
  for (;;)
    {
      auto result = call ();
      if (result >= 0 || errno != EINTR)
        return result;
    }
}

}
