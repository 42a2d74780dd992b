// SPDX-License-Identifier: GPL-3.0-or-later
// Archives: unpack one as it arrives, read a tree as one.
#include "base/duplicate.hh"
#include "scheme/families.hh"
#include "scheme/hash.hh"
#include "scheme/summary.hh"
#include "tree/restore.hh"
#include "tree/source.hh"

namespace fruix::scheme {

static constexpr handle_type<nar_restorer> restorer_type {"nar-restorer"};
static constexpr handle_type<nar_source> source_type {"nar-source"};

struct restorer_request
{
  int directory;
  int shared;
  std::string name;
  digest_request digests;
  std::unique_ptr<nar_restorer> result;
};

static outcome<void>
open_restorer (restorer_request &request)
{
  if (auto result = resolve (request.digests); !result)
    return result;
  request.digests.options.keys = request.shared >= 0;
  auto directory = duplicate (request.directory);
  auto shared = request.shared < 0 ? outcome<unique_fd> {}
                                   : duplicate (request.shared);
  if (!directory || !shared)
    return std::unexpected {(directory ? shared : directory).error ()};
  request.result = std::make_unique<nar_restorer> (
      std::move (*directory), request.name, std::move (*shared),
      request.digests.options);
  return {};
}

static SCM
open_nar_restorer_ (SCM directory, SCM name, SCM shared, SCM algorithm,
                    SCM flat)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<restorer_request> ();
  request.directory = scm_to_int (directory);
  request.shared = decode_descriptor (shared);
  decode (name, request.name);
  decode (algorithm, flat, request.digests);
  auto result = act ("nar-restorer", [&] { return open_restorer (request); });
  SCM handle = result ? restorer_type.wrap (request.result) : SCM_BOOL_F;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

static SCM
nar_restore_ (SCM handle, SCM bytevector, SCM start, SCM count)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &restorer = restorer_type.hold (handle);
  auto bytes = decode_bytes (bytevector, start, count);
  auto result = act ("nar-restorer", [&] { return restorer.feed (bytes); });
  scm_dynwind_end ();
  scm_remember_upto_here_1 (bytevector);
  return value_or_raise (result);
}

static SCM
nar_receive_ (SCM handle, SCM descriptor)
{
  int fd = scm_to_int (descriptor);
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &restorer = restorer_type.hold (handle);
  auto result = act ("nar-restorer", [&] { return restorer.receive (fd); });
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return *result ? encode (**result) : SCM_BOOL_F;
}

static SCM
nar_restorer_done_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  bool done = restorer_type.hold (handle).done ();
  scm_dynwind_end ();
  return encode (done);
}

static SCM
nar_restorer_hash_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &restorer = restorer_type.hold (handle);
  SCM hash = wrap_hash ([&] { return restorer.archive_hash (); });
  scm_dynwind_end ();
  return hash;
}

static SCM
nar_restorer_finish_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &restorer = restorer_type.hold (handle);
  auto result = act ("nar-restorer", [&] { return restorer.finish (); });
  restorer_type.close (handle);
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return encode (*result);
}

static SCM
nar_restorer_close_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  restorer_type.hold (handle);
  restorer_type.close (handle);
  scm_dynwind_end ();
  return SCM_UNSPECIFIED;
}

struct source_request
{
  int directory;
  std::string name;
  std::unique_ptr<nar_source> result;
};

static outcome<void>
open_source (source_request &request)
{
  auto directory = duplicate (request.directory);
  if (!directory)
    return std::unexpected {directory.error ()};
  request.result = std::make_unique<nar_source> (std::move (*directory),
                                                 request.name);
  return {};
}

static SCM
open_nar_source_ (SCM directory, SCM name)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<source_request> ();
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  auto result = act ("nar-source", [&] { return open_source (request); });
  SCM handle = result ? source_type.wrap (request.result) : SCM_BOOL_F;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

static SCM
nar_source_read_ (SCM handle, SCM bytevector, SCM start, SCM count)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &source = source_type.hold (handle);
  auto bytes = decode_bytes (bytevector, start, count);
  auto result = act ("nar-source", [&] { return source.read (bytes); });
  scm_dynwind_end ();
  scm_remember_upto_here_1 (bytevector);
  return value_or_raise (result);
}

static SCM
nar_source_close_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  source_type.hold (handle);
  source_type.close (handle);
  scm_dynwind_end ();
  return SCM_UNSPECIFIED;
}

struct summary_request
{
  int directory;
  std::string name;
  digest_request digests;
};

static outcome<tree_summary>
summarise (summary_request &request)
{
  if (auto result = resolve (request.digests); !result)
    return std::unexpected {result.error ()};
  return summarise_tree (request.directory, request.name,
                         request.digests.options);
}

static SCM
nar_summary_ (SCM directory, SCM name, SCM algorithm, SCM flat)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<summary_request> ();
  request.directory = scm_to_int (directory);
  decode (name, request.name);
  decode (algorithm, flat, request.digests);
  auto result = act ("nar-summary", [&] { return summarise (request); });
  scm_dynwind_end ();
  if (!result)
    raise (result.error ());
  return encode (*result);
}

static const primitive table[] = {
  {"%open-nar-restorer", 5, reinterpret_cast<void *> (open_nar_restorer_),
   "Return a restorer of an archive as @var{name} in the directory with "
   "descriptor @var{directory}, sharing files with the directory with "
   "descriptor @var{shared}, or not if that is @code{#f}.  It computes a "
   "digest under @var{algorithm}, a string or @code{#f}, of the archive, or "
   "of the one file in it if @var{flat} is true."},
  {"%nar-restore", 4, reinterpret_cast<void *> (nar_restore_),
   "Give @var{restorer} the @var{count} bytes of @var{bytevector} from "
   "@var{start}; return how many of them belong to the archive."},
  {"%nar-receive", 2, reinterpret_cast<void *> (nar_receive_),
   "Let @var{restorer} read from @var{descriptor} what comes next, if that is "
   "much of one file, and return how many bytes it read, or @code{#f}.  See "
   "read(2)."},
  {"%nar-restorer-done?", 1, reinterpret_cast<void *> (nar_restorer_done_),
   "Return true if @var{restorer} has got the whole archive."},
  {"%nar-restorer-hash", 1, reinterpret_cast<void *> (nar_restorer_hash_),
   "Return a SHA-256 in progress to which the archive was added that "
   "@var{restorer} has got."},
  {"%nar-restorer-finish", 1, reinterpret_cast<void *> (nar_restorer_finish_),
   "Close @var{restorer} and return a list: hash of the archive, its size, "
   "the digest asked for or @code{#f}, the type of the root, whether that is "
   "executable."},
  {"%nar-restorer-close", 1, reinterpret_cast<void *> (nar_restorer_close_),
   "Close @var{restorer}, wherever it is."},
  {"%open-nar-source", 2, reinterpret_cast<void *> (open_nar_source_),
   "Return a reader of the tree @var{name} in the directory with descriptor "
   "@var{directory} as an archive."},
  {"%nar-source-read", 4, reinterpret_cast<void *> (nar_source_read_),
   "Put the next bytes of the archive of @var{source} into @var{bytevector}, "
   "@var{count} of them from @var{start}; return how many there are, less "
   "than @var{count} only at the end."},
  {"%nar-source-close", 1, reinterpret_cast<void *> (nar_source_close_),
   "Close @var{source}."},
  {"%nar-summary", 4, reinterpret_cast<void *> (nar_summary_),
   "Return what @code{%nar-restorer-finish} would, for the tree @var{name} "
   "in the directory with descriptor @var{directory}, @var{algorithm} and "
   "@var{flat}."},
};

void
define_nar_primitives ()
{
  define_primitives (table);
}

}
