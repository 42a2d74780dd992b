// SPDX-License-Identifier: GPL-3.0-or-later
// One function a family of primitives, called once when the extension loads.
#pragma once

namespace fruix::scheme {

void define_archive_primitives ();
void define_boundary_primitives ();
void define_bulk_primitives ();
void define_database_primitives ();
void define_descriptor_primitives ();
void define_durable_primitives ();
void define_gzip_primitives ();
void define_jail_primitives ();
void define_link_primitives ();
void define_lock_primitives ();
void define_mention_primitives ();
void define_mount_primitives ();
void define_nar_primitives ();
void define_octet_primitives ();
void define_plan_primitives ();
void define_probe_primitives ();
void define_process_primitives ();
void define_sharer_primitives ();
void define_terminal_primitives ();
void define_tree_primitives ();
void define_wire_primitives ();

// Those that only this system has.
void define_system_primitives ();

}
