// SPDX-License-Identifier: GPL-3.0-or-later
// A directory for one C++ test, and what tests do in it.
#pragma once

#include "base/unique_fd.hh"
#include "tree/remove.hh"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fruix::tests {

// Removed with all that is in it.  In memory where possible: some tests make
// many files.
class scratch
{
public:
  scratch ()
  {
    auto parent = std::getenv ("TMPDIR");
    name_ = parent                           ? parent
            : access ("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                             : "/tmp";
    name_ += "/fruix-test-XXXXXX";
    BOOST_REQUIRE (mkdtemp (name_.data ()));
    fd_.reset (open (name_.c_str (), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    BOOST_REQUIRE (fd_.get () >= 0);
  }
  scratch (const scratch &) = delete;
  ~scratch ()
  {
    std::filesystem::path path {name_};
    unique_fd parent {open (path.parent_path ().c_str (),
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    (void) remove_tree (parent.get (), path.filename ().c_str (), 1);
  }

  int fd () const { return fd_.get (); }
  std::string operator/ (const std::string &file) const
  {
    return name_ + "/" + file;
  }

  void
  make_directory (const std::string &name, mode_t mode = 0755) const
  {
    BOOST_REQUIRE (mkdir ((*this / name).c_str (), 0700) == 0);
    BOOST_REQUIRE (chmod ((*this / name).c_str (), mode) == 0);
  }

  void
  make_file (const std::string &name, const std::string &contents = {}) const
  {
    unique_fd file {open ((*this / name).c_str (),
                          O_WRONLY | O_CREAT | O_EXCL, 0644)};
    BOOST_REQUIRE (write (file.get (), contents.data (), contents.size ())
                   == static_cast<ssize_t> (contents.size ()));
  }

  bool
  exists (const std::string &name) const
  {
    struct stat status;
    return lstat ((*this / name).c_str (), &status) == 0;
  }

private:
  std::string name_;
  unique_fd fd_;
};

// A precondition.
inline boost::test_tools::assertion_result
as_root (boost::unit_test::test_unit_id)
{
  boost::test_tools::assertion_result result {geteuid () == 0};
  result.message () << "needs root";
  return result;
}

// Whether BODY returns true in a child process.
template <class Body>
bool
true_in_child (Body &&body)
{
  pid_t child = fork ();
  if (child == 0)
    _exit (body () ? 0 : 1);
  int status;
  return waitpid (child, &status, 0) == child && WIFEXITED (status)
         && WEXITSTATUS (status) == 0;
}

}
