// SPDX-License-Identifier: GPL-3.0-or-later
// Compressed files.
#include "archive/gzip.hh"
#include "base/duplicate.hh"
#include "scheme/families.hh"
#include "scheme/handle.hh"

namespace fruix::scheme {

static constexpr handle_type<gzip_writer> output_type {"gzip-output"};
static constexpr handle_type<gzip_reader> input_type {"gzip-input"};

struct open_gzip_request
{
  int descriptor;
  std::unique_ptr<gzip_writer> output;
  std::unique_ptr<gzip_reader> input;
};

static outcome<void>
open_output (open_gzip_request &request)
{
  auto copy = duplicate (request.descriptor);
  if (!copy)
    return std::unexpected {copy.error ()};
  request.output = std::make_unique<gzip_writer> (std::move (*copy));
  return {};
}

static SCM
open_gzip_output_ (SCM descriptor)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<open_gzip_request> ();
  request.descriptor = scm_to_int (descriptor);
  auto result = act ("gzip", [&] { return open_output (request); });
  SCM handle = result ? output_type.wrap (request.output) : SCM_BOOL_F;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

static SCM
gzip_write_ (SCM handle, SCM bytevector, SCM start, SCM count)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &output = output_type.hold (handle);
  auto bytes = decode_bytes (bytevector, start, count);
  auto result = act ("gzip", [&] { return output.write (bytes); });
  scm_dynwind_end ();
  scm_remember_upto_here_1 (bytevector);
  return value_or_raise (result);
}

static SCM
gzip_flush_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &output = output_type.hold (handle);
  auto result = act ("gzip", [&] { return output.flush (); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static SCM
gzip_output_close_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &output = output_type.hold (handle);
  auto result = act ("gzip", [&] { return output.finish (); });
  output_type.close (handle);
  scm_dynwind_end ();
  return value_or_raise (result);
}

static outcome<void>
open_input (open_gzip_request &request)
{
  auto copy = duplicate (request.descriptor);
  if (!copy)
    return std::unexpected {copy.error ()};
  request.input = std::make_unique<gzip_reader> (std::move (*copy));
  return {};
}

static SCM
open_gzip_input_ (SCM descriptor)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<open_gzip_request> ();
  request.descriptor = scm_to_int (descriptor);
  auto result = act ("gzip", [&] { return open_input (request); });
  SCM handle = result ? input_type.wrap (request.input) : SCM_BOOL_F;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

static SCM
gzip_read_ (SCM handle, SCM bytevector, SCM start, SCM count)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &input = input_type.hold (handle);
  auto bytes = decode_bytes (bytevector, start, count);
  auto result = act ("gzip", [&] { return input.read (bytes); });
  scm_dynwind_end ();
  scm_remember_upto_here_1 (bytevector);
  return value_or_raise (result);
}

static SCM
gzip_input_close_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  input_type.hold (handle);
  input_type.close (handle);
  scm_dynwind_end ();
  return SCM_UNSPECIFIED;
}

static const primitive table[] = {
  {"%open-gzip-output", 1, reinterpret_cast<void *> (open_gzip_output_),
   "Return a compressor that writes to a copy of @var{descriptor}."},
  {"%gzip-write", 4, reinterpret_cast<void *> (gzip_write_),
   "Give @var{output} the @var{count} bytes of @var{bytevector} from "
   "@var{start}."},
  {"%gzip-flush", 1, reinterpret_cast<void *> (gzip_flush_),
   "Make all that @var{output} was given readable in its file."},
  {"%gzip-output-close", 1, reinterpret_cast<void *> (gzip_output_close_),
   "Complete the file of @var{output} and close it."},
  {"%open-gzip-input", 1, reinterpret_cast<void *> (open_gzip_input_),
   "Return a decompressor that reads from a copy of @var{descriptor}."},
  {"%gzip-read", 4, reinterpret_cast<void *> (gzip_read_),
   "Put the next bytes from @var{input} into @var{bytevector}, @var{count} "
   "of them from @var{start}; return how many there are, less than "
   "@var{count} only at the end."},
  {"%gzip-input-close", 1, reinterpret_cast<void *> (gzip_input_close_),
   "Close @var{input}."},
};

void
define_gzip_primitives ()
{
  define_primitives (table);
}

}
