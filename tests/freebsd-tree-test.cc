// SPDX-License-Identifier: GPL-3.0-or-later
// Trees and what only FreeBSD has: access control lists of two kinds.
#include "tests/scratch.hh"
#include "tree/platform.hh"

#include <sys/types.h>
#include <sys/acl.h>

using namespace fruix;
using namespace fruix::tests;

namespace {

// Give somebody the right to write the file FD, by a list of TYPE that is
// TEXT; false if there are no such lists here.
bool
grant (int fd, acl_type_t type, const char *text)
{
  acl_t list = acl_from_text (text);
  BOOST_REQUIRE (list);
  bool granted = acl_set_fd_np (fd, list, type) == 0;
  acl_free (list);
  return granted;
}

bool
has_list (int fd, acl_type_t type)
{
  acl_t list = acl_get_fd_np (fd, type);
  BOOST_REQUIRE (list);
  int trivial = 1;
  BOOST_TEST (acl_is_trivial_np (list, &trivial) == 0);
  acl_free (list);
  return !trivial;
}

}

BOOST_AUTO_TEST_SUITE (freebsd_tree)

BOOST_AUTO_TEST_CASE (access_control_lists_are_removed)
{
  scratch scratch;
  scratch.make_file ("file");
  unique_fd file {open ((scratch / "file").c_str (), O_RDWR)};
  acl_type_t type = ACL_TYPE_NFS4;
  if (!grant (file.get (), type,
              "owner@:rw::allow,user:61000:rw::allow,everyone@:r::allow"))
    {
      type = ACL_TYPE_ACCESS;
      if (!grant (file.get (), type,
                  "user::rw-,user:61000:rw-,group::r--,mask::rw-,other::r--"))
        return;
    }
  BOOST_TEST (has_list (file.get (), type));
  BOOST_TEST (strip_attributes (file.get ()).has_value ());
  BOOST_TEST (!has_list (file.get (), type));
}

// Not all file systems have them.
BOOST_AUTO_TEST_CASE (default_access_control_lists_are_removed)
{
  scratch scratch;
  scratch.make_directory ("directory");
  unique_fd directory {open ((scratch / "directory").c_str (),
                             O_RDONLY | O_DIRECTORY)};
  BOOST_TEST (strip_attributes (directory.get ()).has_value ());
  if (!grant (directory.get (), ACL_TYPE_DEFAULT,
              "user::rwx,user:61000:rwx,group::r-x,mask::rwx,other::r-x"))
    return;
  BOOST_TEST (strip_attributes (directory.get ()).has_value ());
  acl_t list = acl_get_fd_np (directory.get (), ACL_TYPE_DEFAULT);
  BOOST_REQUIRE (list);
  acl_entry_t entry;
  BOOST_TEST (acl_get_entry (list, ACL_FIRST_ENTRY, &entry) == 0);
  acl_free (list);
}

BOOST_AUTO_TEST_SUITE_END ()
