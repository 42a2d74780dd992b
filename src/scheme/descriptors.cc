// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives on descriptors, which are integers here.
#include "process/descriptors.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

#include <fcntl.h>

namespace fruix::scheme {

struct name_request
{
  std::string name;
};

static SCM
open_directory_ (SCM name)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<name_request> ();
  decode (name, request.name);
  auto result = act (
      "open", [&] { return open_directory (request.name.c_str ()); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
open_directory_at_ (SCM directory, SCM name)
{
  int fd = scm_to_int (directory);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<name_request> ();
  decode (name, request.name);
  auto body
      = [&] { return open_directory_at (fd, request.name.c_str ()); };
  auto result = act ("openat", body);
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
pipe_ ()
{
  auto ends = make_pipe ();
  if (!ends)
    raise (ends.error ());
  return scm_cons (scm_from_int (ends->first), scm_from_int (ends->second));
}

static SCM
close_range_ (SCM first, SCM last, SCM on_exec)
{
  return value_or_raise (close_descriptors (
      scm_to_uint (first), scm_to_uint (last), scm_is_true (on_exec)));
}

// Let CALL move bytes between FD and COUNT bytes of BYTEVECTOR from START on.
template <class Call>
static SCM
transfer (const char *name, Call call, SCM fd, SCM bytevector, SCM start,
          SCM count)
{
  int number = scm_to_int (fd);
  auto bytes = decode_bytes (bytevector, start, count);
  auto result = act (name, [&] { return call (number, bytes); });
  scm_remember_upto_here_1 (bytevector);
  return value_or_raise (result);
}

static SCM
read_ (SCM fd, SCM bytevector, SCM start, SCM count)
{
  return transfer ("read", read_some, fd, bytevector, start, count);
}

static SCM
write_ (SCM fd, SCM bytevector, SCM start, SCM count)
{
  return transfer ("write", write_some, fd, bytevector, start, count);
}

// What POLLRDHUP is called where poll has it.
#ifdef POLLRDHUP
constexpr short peer_closed = POLLRDHUP;
#else
constexpr short peer_closed = 0;
#endif

static constexpr struct
{
  const char *name;
  short event;
} events[] = {
  {"readable", POLLIN}, {"writable", POLLOUT}, {"hangup", POLLHUP},
  {"error", POLLERR},   {"invalid", POLLNVAL}, {"peer-closed", peer_closed},
};

static short
decode_events (SCM symbols)
{
  short result = 0;
  for (SCM rest = symbols; scm_is_pair (rest); rest = scm_cdr (rest))
    {
      bool known = false;
      for (auto &row : events)
        if (scm_is_eq (scm_car (rest), scm_from_utf8_symbol (row.name)))
          {
            result = static_cast<short> (result | row.event);
            known = true;
          }
      if (!known)
        scm_wrong_type_arg_msg (nullptr, 0, scm_car (rest), "poll event");
    }
  return result;
}

static SCM
encode_events (short value)
{
  SCM result = SCM_EOL;
  for (auto &row : events)
    if (value & row.event)
      result = scm_cons (scm_from_utf8_symbol (row.name), result);
  return result;
}

struct poll_request
{
  std::vector<pollfd> watched;
};

static SCM
poll_ (SCM watched, SCM timeout)
{
  int milliseconds = scm_to_int (timeout);
  if (!scm_is_true (scm_list_p (watched)))
    scm_wrong_type_arg_msg (nullptr, 0, watched, "list");
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<poll_request> ();
  for (SCM rest = watched; scm_is_pair (rest); rest = scm_cdr (rest))
    {
      SCM entry = scm_car (rest);
      if (!scm_is_pair (entry))
        scm_wrong_type_arg_msg (nullptr, 0, entry, "(FD . EVENTS)");
      request.watched.push_back ({scm_to_int (scm_car (entry)),
                                  decode_events (scm_cdr (entry)), 0});
    }
  auto result = act ("poll",
                     [&]
                       {
                         return poll_descriptors (request.watched,
                                                  milliseconds);
                       });
  SCM ready = SCM_EOL;
  for (auto one = request.watched.rbegin (); one != request.watched.rend ();
       ++one)
    if (one->revents != 0)
      ready = scm_acons (scm_from_int (one->fd), encode_events (one->revents),
                         ready);
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return ready;
}

static const primitive table[] = {
  {"%open-directory", 1, reinterpret_cast<void *> (open_directory_),
   "Open the directory @var{name} and return its descriptor."},
  {"%open-directory-at", 2, reinterpret_cast<void *> (open_directory_at_),
   "Open the directory @var{name}, a single component, in the directory "
   "whose descriptor is @var{fd}, and return its descriptor; a symbolic "
   "link is an error (@code{ENOTDIR} or @code{ELOOP})."},
  {"%pipe", 0, reinterpret_cast<void *> (pipe_),
   "Return a pair: the descriptors of a new pipe's end to read and end to "
   "write, both close-on-exec (pipe2(2))."},
  {"%close-range", 3, reinterpret_cast<void *> (close_range_),
   "Close the descriptors from @var{first} to @var{last} or, if "
   "@var{cloexec?}, make them close-on-exec (close_range(2))."},
  {"%read", 4, reinterpret_cast<void *> (read_),
   "Read at most @var{count} bytes from the descriptor @var{fd} into "
   "@var{bv} at @var{start}; return their number, 0 at the end (read(2))."},
  {"%write", 4, reinterpret_cast<void *> (write_),
   "Write at most @var{count} bytes of the bytevector @var{bv} from "
   "@var{start} to the descriptor @var{fd}; return their number (write(2))."},
  {"%poll", 2, reinterpret_cast<void *> (poll_),
   "Wait for events on descriptors, @var{watched} being a list of "
   "@code{(fd . symbols)}, for @var{timeout} milliseconds at most, -1 being "
   "for ever; return such a list of those on which there are some (poll(2))."
  },
};

void
define_descriptor_primitives ()
{
  define_primitives (table);
}

}
