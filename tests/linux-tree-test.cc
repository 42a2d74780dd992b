// SPDX-License-Identifier: GPL-3.0-or-later
// Trees and what only Linux has: mounts of one's own, immutable files, a limit
// on threads.
#include "tests/scratch.hh"
#include "tree/ingest.hh"
#include "tree/remove.hh"
#include "tree/source.hh"

#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <system_error>
#include <thread>

using namespace fruix;
using namespace fruix::tests;

namespace {

bool
private_mounts ()
{
  return unshare (CLONE_NEWNS) == 0
         && mount (nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// A descriptor that leads to the mounts of this process.
unique_fd
reopen (const scratch &scratch)
{
  return unique_fd {open ((scratch / ".").c_str (), O_RDONLY | O_DIRECTORY)};
}

namespace unit = boost::unit_test;

// Whether mounting SOURCE (of TYPE, with FLAGS) on tree/a/mount keeps the
// removal of the tree from touching what is there.
bool
mount_is_spared (const char *type, unsigned long flags)
{
  scratch scratch;
  for (auto name : {"tree", "tree/a", "tree/a/mount", "source"})
    scratch.make_directory (name);
  scratch.make_file ("source/kept");
  return true_in_child ([&]
    {
      auto place = scratch / "tree/a/mount";
      if (!private_mounts ()
          || mount ((scratch / "source").c_str (), place.c_str (), type,
                    flags, nullptr))
        return false;
      close (open ((place + "/kept").c_str (), O_WRONLY | O_CREAT, 0600));
      bool refused = !remove_tree (reopen (scratch).get (), "tree", 1);
      return refused && access ((place + "/kept").c_str (), F_OK) == 0;
    });
}

// Let this process have no thread but this one.
bool
without_threads ()
{
  rlimit none {0, 0};
  return setrlimit (RLIMIT_NPROC, &none) == 0 && setgid (65534) == 0
         && setuid (65534) == 0;
}

bool
can_start_thread ()
{
  try
    {
      std::thread {[] {}}.join ();
      return true;
    }
  catch (const std::system_error &)
    {
      return false;
    }
}

}

BOOST_AUTO_TEST_SUITE (linux_tree, *unit::precondition (as_root))

BOOST_AUTO_TEST_CASE (removal_does_not_enter_another_file_system)
{
  BOOST_TEST (mount_is_spared ("tmpfs", 0));
}

BOOST_AUTO_TEST_CASE (removal_does_not_enter_a_bind_mount)
{
  BOOST_TEST (mount_is_spared (nullptr, MS_BIND));
}

BOOST_AUTO_TEST_CASE (removal_does_not_enter_a_mount_at_the_top)
{
  scratch scratch;
  scratch.make_directory ("tree");
  scratch.make_directory ("source", 0555);
  scratch.make_file ("source/kept");
  BOOST_TEST (true_in_child ([&]
    {
      if (!private_mounts ()
          || mount ((scratch / "source").c_str (),
                    (scratch / "tree").c_str (), nullptr, MS_BIND, nullptr))
        return false;
      return !remove_tree (reopen (scratch).get (), "tree", 1);
    }));
  BOOST_TEST (scratch.exists ("source/kept"));
  struct stat status;
  BOOST_REQUIRE (stat ((scratch / "source").c_str (), &status) == 0);
  BOOST_TEST ((status.st_mode & 07777) == 0555u);
}

BOOST_AUTO_TEST_CASE (ingestion_refuses_another_file_system)
{
  scratch scratch;
  scratch.make_directory ("tree");
  scratch.make_directory ("tree/mount");
  BOOST_TEST (true_in_child ([&]
    {
      ownership owner {geteuid ()};
      if (!private_mounts ()
          || mount ("none", (scratch / "tree/mount").c_str (), "tmpfs", 0,
                    nullptr))
        return false;
      auto result = ingest_tree (reopen (scratch).get (), "tree", -1, {},
                                 owner);
      return !result && std::string {result.error ().who} == "file-system";
    }));
}

// As the kernel has them: an access control list that lets user 61002 write,
// and the capability to do anything.
const std::uint32_t list[] = {
  2, 0x70001, ~0U, 0x70002, 61002, 0x50004, ~0U, 0x70010, ~0U, 0x50020, ~0U,
};
const std::uint32_t capabilities[] = {0x02000001, ~0U, 0, ~0U, 0};

BOOST_AUTO_TEST_CASE (ingestion_strips_lists_capabilities_and_attributes)
{
  scratch scratch;
  scratch.make_directory ("item");
  scratch.make_file ("item/file");
  auto file = scratch / "item/file", directory = scratch / "item";
  BOOST_REQUIRE (chmod (file.c_str (), 0755) == 0);
  auto set = [] (const std::string &name, const char *attribute, auto &value)
    {
      return setxattr (name.c_str (), attribute, value, sizeof value, 0) == 0
             || errno == ENOTSUP;
    };
  BOOST_REQUIRE (set (file, "system.posix_acl_access", list));
  BOOST_REQUIRE (set (directory, "system.posix_acl_default", list));
  BOOST_REQUIRE (set (file, "security.capability", capabilities));
  BOOST_REQUIRE (set (file, "user.note", "x"));
  ownership owner {geteuid ()};
  BOOST_TEST (ingest_tree (scratch.fd (), "item", -1, {}, owner)
                .has_value ());
  for (auto &[name, attribute] :
       {std::pair {file, "system.posix_acl_access"},
        {directory, "system.posix_acl_default"},
        {file, "security.capability"}, {file, "user.note"}})
    BOOST_TEST (getxattr (name.c_str (), attribute, nullptr, 0) < 0,
                attribute);
}

BOOST_AUTO_TEST_CASE (immutable_and_append_only_files_are_removed)
{
  scratch scratch;
  for (auto name : {"tree", "tree/full"})
    scratch.make_directory (name);
  scratch.make_file ("tree/full/file");
  bool supported = true;
  for (auto [name, flag] : {std::pair {"tree/full/file", FS_IMMUTABLE_FL},
                            {"tree/full", FS_APPEND_FL},
                            {"tree", FS_IMMUTABLE_FL}})
    {
      unique_fd fd {open ((scratch / name).c_str (), O_RDONLY)};
      int flags = flag;
      supported = supported
                  && ioctl (fd.get (), FS_IOC_SETFLAGS, &flags) == 0;
    }
  if (!supported)
    BOOST_TEST_MESSAGE ("no such flags on this file system");
  BOOST_TEST (remove_tree (scratch.fd (), "tree", 1).has_value ());
  BOOST_TEST (!scratch.exists ("tree"));
}

// Usually another thread does that.
BOOST_AUTO_TEST_CASE (a_large_file_is_hashed_where_there_can_be_no_thread)
{
  scratch scratch;
  BOOST_REQUIRE (fchmod (scratch.fd (), 0755) == 0);
  scratch.make_file ("large", std::string (3'000'000, 'x'));
  auto usual = summarise_tree (scratch.fd (), "large", {});
  BOOST_REQUIRE (usual);
  BOOST_TEST (true_in_child ([&]
    {
      if (!without_threads () || can_start_thread ())
        return false;
      auto summary = summarise_tree (scratch.fd (), "large", {});
      return summary && summary->size == usual->size
             && summary->hash.storage == usual->hash.storage;
    }));
}

BOOST_AUTO_TEST_SUITE_END ()
