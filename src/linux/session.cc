// SPDX-License-Identifier: GPL-3.0-or-later
// fruix-session: stands in for a session among the processes of the host.  It
// does nothing but to have open the files that it is told, where those who
// want to know what a session has locked look for them; and it ends when its
// input, a socket of packets, is closed at the other end.
//
// A packet has the names of all files that are to be open from now on, each
// with a null byte at its end; those that cannot be, such as the empty name,
// are not.  They are opened as mere places: that neither locks anything nor
// waits for anybody.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

// As large as the packets that a socket takes by default; of a larger one
// the rest is lost.
static char names[200 * 1024];

static void
show (const char *end)
{
  // Those of the last packet: from 3 on, without a gap.
  for (int fd = 3; ::close (fd) == 0;)
    fd++;
  for (const char *name = names; name < end; name += std::strlen (name) + 1)
    ::open (name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int
main ()
{
  for (;;)
    {
      auto length = ::read (0, names, sizeof names - 1);
      if (length == 0 || (length < 0 && errno != EINTR))
        return 0;
      if (length > 0)
        {
          names[length] = '\0';
          show (names + length);
        }
    }
}
