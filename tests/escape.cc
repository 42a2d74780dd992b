// SPDX-License-Identifier: GPL-3.0-or-later
// What the filter of system calls must refuse a program, and what it must
// not; in the current directory, which is empty.
//
// Usage: escape                 all of it
//        escape keyring         say which session keyring there is
//        escape exhaust         make keys until there is no room
//        escape listen NAME     listen on the abstract socket NAME
//        escape connect NAME    connect to it
//
// 'exhaust' and 'listen' then wait for the end of standard input.
#include "escape.hh"

#include <cstddef>
#include <cstdlib>
#include <linux/keyctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

static void
show_keyring ()
{
  long keyring = ::syscall (SYS_keyctl, KEYCTL_GET_KEYRING_ID,
                            KEY_SPEC_SESSION_KEYRING, 0);
  attempt ("keyring", keyring);
  report ("number", std::to_string (keyring).c_str ());
}

static void
wait_for_end ()
{
  char byte;
  while (::read (0, &byte, 1) > 0)
    ;
}

static void
exhaust_keys ()
{
  long key = 0;
  for (int i = 0; key >= 0; i++)
    key = ::syscall (SYS_add_key, "user", std::to_string (i).c_str (), "x",
                     1, KEY_SPEC_PROCESS_KEYRING);
  attempt ("exhaust", key);
  wait_for_end ();
}

// Do with a new socket and the abstract address NAME what ACT does.
static long
use_socket (const char *name, decltype (::connect) *act)
{
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::strncpy (address.sun_path + 1, name, sizeof address.sun_path - 2);
  auto size = offsetof (struct sockaddr_un, sun_path) + 1
              + std::strlen (name);
  int fd = ::socket (AF_UNIX, SOCK_STREAM, 0);
  if (act (fd, reinterpret_cast<struct sockaddr *> (&address),
           static_cast<socklen_t> (size))
      < 0)
    return -1;
  return fd;
}

static void
listen_on (const char *name)
{
  int fd = static_cast<int> (use_socket (name, ::bind));
  attempt ("listen", ::listen (fd, 1));
  wait_for_end ();
}

int
main (int argc, char **argv)
{
  std::string what = argc > 1 ? argv[1] : "";
  if (what == "keyring")
    show_keyring ();
  else if (what == "exhaust")
    exhaust_keys ();
  else if (what == "listen" && argc == 3)
    listen_on (argv[2]);
  else if (what == "connect" && argc == 3)
    attempt ("connect", use_socket (argv[2], ::connect));
  else if (argc == 1)
    {
      ::umask (0);
      attempt_set_ids ();
      attempt_sockets ();
      attempt_namespaces ();
      attempt_privileges ();
      attempt_other_machines ();
      attempt_work ();
    }
  else
    return 2;
}
