// SPDX-License-Identifier: GPL-3.0-or-later
// Entry point of the extension: the one symbol it exports.
#include "scheme/families.hh"

extern "C" [[gnu::visibility ("default")]] void
fruix_init ()
{
  using namespace fruix::scheme;
  define_archive_primitives ();
  define_boundary_primitives ();
  define_bulk_primitives ();
  define_database_primitives ();
  define_durable_primitives ();
  define_gzip_primitives ();
  define_link_primitives ();
  define_lock_primitives ();
  define_mention_primitives ();
  define_nar_primitives ();
  define_octet_primitives ();
  define_tree_primitives ();
  define_descriptor_primitives ();
  define_plan_primitives ();
  define_process_primitives ();
  define_sharer_primitives ();
  define_terminal_primitives ();
  define_system_primitives ();
  define_probe_primitives ();
  define_wire_primitives ();
}
