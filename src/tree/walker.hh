// SPDX-License-Identifier: GPL-3.0-or-later
// From a tree on disk to its events, by directory descriptors alone.
//
// The tree may be hostile: no link is followed, nothing but regular files and
// directories is opened, never so that it could block, and what was opened is
// compared with what was asked for.
#pragma once

#include "archive/event.hh"
#include "base/outcome.hh"
#include "base/unique_fd.hh"
#include "tree/descent.hh"
#include "tree/ownership.hh"

#include <memory>
#include <string>
#include <vector>

namespace fruix {

class tree_walker
{
public:
  // The tree is NAME in DIRECTORY, a descriptor that outlives this.  With
  // OWNER, the tree is taken over: its ownership is checked, other file
  // systems in it and too many entries are refused, and modes that deny access
  // are changed.  The walk ends with ECANCELED when it is not wanted any more.
  tree_walker (int directory, std::string name, ownership *owner = nullptr);

  outcome<event> next ();

  // After 'file': leave its data out.
  void skip_data () noexcept { step_ = step::file_end; }

  // About the last node: its status before the walk, its descriptor if it is
  // no symbolic link, its name and the directory of a file or symbolic link.
  const struct stat &status () const noexcept { return status_; }
  int fd () const noexcept;
  int directory () const noexcept;
  const std::string &name () const noexcept { return name_; }

  // That the call WHO, made for the last node, failed.
  std::unexpected<fault> fail (std::string_view who) const;

private:
  enum class step { node, data, file_end, leave, advance };

  struct frame
  {
    std::string name;
    std::vector<std::string> entries;
    std::size_t next = 0;
  };

  outcome<event> advance ();
  outcome<event> start_node ();
  outcome<void> go_on (std::uint64_t cost);
  outcome<void> inspect ();
  outcome<unique_fd> open_node ();
  outcome<event> enter (unique_fd fd);
  outcome<event> read_file ();
  outcome<event> read_link ();
  std::unexpected<fault> refuse (std::string_view verdict) const;
  std::string place () const;

  int root_;
  ownership *owner_;
  std::string name_;
  step step_ = step::node;
  std::vector<frame> inside_;
  descent descent_;                // the directories of INSIDE_
  std::size_t names_ = 0;          // the weight of their entries
  struct stat status_ {};
  dev_t device_ = 0;               // of the root
  unique_fd file_;
  std::uint64_t left_ = 0;         // bytes of FILE_ to come
  std::uint64_t cost_ = 0;         // of what was done without looking up
  std::string target_;
  std::unique_ptr<std::uint8_t[]> buffer_;
};

}
