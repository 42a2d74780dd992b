// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/walker.hh"
#include "base/retry.hh"
#include "tree/bulk.hh"
#include "tree/refusal.hh"

#include <algorithm>
#include <fcntl.h>

namespace fruix {

static constexpr std::uint64_t buffer_size = 256 * 1024;

// In bytes that are read: what a node costs, and after how much to look
// whether the walk is wanted.
static constexpr std::uint64_t node_cost = 16 * 1024, patience = 1 << 26;

// What the names of all entries of the directories that the walk is in may
// weigh, if it is for others to say how many there are.
static constexpr std::size_t maximum_names = std::size_t {1} << 26;

tree_walker::tree_walker (int directory, std::string name, ownership *owner)
  : root_ {directory}, owner_ {owner}, name_ {std::move (name)},
    buffer_ {std::make_unique_for_overwrite<std::uint8_t[]> (buffer_size)}
{
}

int
tree_walker::directory () const noexcept
{
  return inside_.empty () ? root_ : descent_.innermost ();
}

int
tree_walker::fd () const noexcept
{
  return file_ ? file_.get () : directory ();
}

// Where the walk is, for messages.
std::string
tree_walker::place () const
{
  std::string path;
  for (auto &frame : inside_)
    path += frame.name + "/";
  return path + name_;
}

std::unexpected<fault>
tree_walker::refuse (std::string_view verdict) const
{
  return refusal::because (verdict, place ());
}

std::unexpected<fault>
tree_walker::fail (std::string_view who) const
{
  int error = errno;
  return failed (who, printable {place (), {}}.view (), error);
}

outcome<event>
tree_walker::next ()
{
  switch (step_)
    {
    case step::node:
      return start_node ();
    case step::data:
      return read_file ();
    case step::file_end:
      file_.reset ();
      break;
    case step::leave:
      if (auto left = descent_.leave (); !left)
        return std::unexpected {left.error ()};
      for (auto &entry : inside_.back ().entries)
        names_ -= weight (entry);
      inside_.pop_back ();
      break;
    case step::advance:
      break;
    }
  step_ = step::advance;
  return advance ();
}

// On to the next entry of the innermost directory.
outcome<event>
tree_walker::advance ()
{
  if (inside_.empty ())
    return event {event_kind::done};
  auto &frame = inside_.back ();
  if (frame.next == frame.entries.size ())
    {
      name_ = frame.name;
      step_ = step::leave;
      return event {event_kind::leave};
    }
  name_ = frame.entries[frame.next++];
  step_ = step::node;
  return event {event_kind::entry, false, 0, name_};
}

// Files may seem large that are nothing but holes: give up in time.
outcome<void>
tree_walker::go_on (std::uint64_t cost)
{
  if ((cost_ += cost) < patience)
    return {};
  cost_ = 0;
  if (!owner_ || owner_->wanted ())
    return {};
  errno = ECANCELED;
  return fail ("walk");
}

outcome<event>
tree_walker::start_node ()
{
  if (auto result = go_on (node_cost); !result)
    return std::unexpected {result.error ()};
  if (fstatat (directory (), name_.c_str (), &status_, AT_SYMLINK_NOFOLLOW))
    return fail ("fstatat");
  if (auto result = inspect (); !result)
    return std::unexpected {result.error ()};
  if (S_ISLNK (status_.st_mode))
    return read_link ();
  auto fd = open_node ();
  if (!fd)
    return std::unexpected {fd.error ()};
  if (S_ISDIR (status_.st_mode))
    return enter (std::move (*fd));
  file_ = std::move (*fd);
  left_ = status_.st_size;
  step_ = step::data;
  return event {event_kind::file, (status_.st_mode & S_IXUSR) != 0, left_};
}

// Whether the node of STATUS_ may be in the tree.
outcome<void>
tree_walker::inspect ()
{
  bool root = inside_.empty ();
  if (root)
    device_ = status_.st_dev;
  if (!S_ISREG (status_.st_mode) && !S_ISDIR (status_.st_mode)
      && !S_ISLNK (status_.st_mode))
    return refuse (refusal::file_type);
  if (!owner_)
    return {};
  if (status_.st_dev != device_)
    return refuse (refusal::file_system);
  if (root && owner_->suspects (status_))
    return refuse (refusal::suspicious);
  if (!owner_->admits (status_))
    return refuse (refusal::ownership);
  return {};
}

// Open the file or directory of STATUS_.
outcome<unique_fd>
tree_walker::open_node ()
{
  auto open = [&]
    {
      int type = S_ISDIR (status_.st_mode) ? O_DIRECTORY : 0;
      return retry ([&]
        {
          return openat (directory (), name_.c_str (),
                         O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
                           | type);
        });
    };
  unique_fd fd {open ()};
  if (!fd && errno == EACCES && owner_)
    {
      mode_t mode = (status_.st_mode & 07777) | S_IRUSR;
      if (fchmodat (directory (), name_.c_str (), mode, AT_SYMLINK_NOFOLLOW))
        return fail ("fchmodat");
      fd.reset (open ());
    }
  if (!fd)
    return fail ("openat");
  struct stat now;
  if (fstat (fd.get (), &now))
    return fail ("fstat");
  if (now.st_ino == status_.st_ino && now.st_dev == status_.st_dev)
    return fd;
  // In the store, links to equal files take the places of files at any time.
  if (owner_ || (now.st_mode & S_IFMT) != (status_.st_mode & S_IFMT))
    return refuse (refusal::changed);
  status_ = now;
  return fd;
}

outcome<event>
tree_walker::enter (unique_fd fd)
{
  if (inside_.size () == maximum_depth)
    return refuse (refusal::depth);
  constexpr mode_t access = S_IRUSR | S_IXUSR;
  if (owner_ && (status_.st_mode & access) != access
      && fchmod (fd.get (), S_IRWXU))
    return fail ("fchmod");
  std::vector<std::string> entries;
  auto room = owner_ ? maximum_names - names_ : SIZE_MAX;
  if (auto listed = list_entries (fd.get (), entries, room); !listed)
    {
      errno = listed.error ().error;
      if (errno == EOVERFLOW)
        return refuse (refusal::entries);
      return fail (listed.error ().who);
    }
  if (auto entered = descent_.enter (std::move (fd)); !entered)
    return std::unexpected {entered.error ()};
  for (auto &entry : entries)
    names_ += weight (entry);
  inside_.push_back ({name_, std::move (entries)});
  step_ = step::advance;
  return event {event_kind::directory};
}

// The next bytes of the file, which must be as many as its status said.
outcome<event>
tree_walker::read_file ()
{
  if (auto result = go_on (std::min (left_, buffer_size)); !result)
    return std::unexpected {result.error ()};
  ssize_t count = retry ([&]
    { return read (file_.get (), buffer_.get (), buffer_size); });
  if (count < 0)
    return fail ("read");
  std::uint64_t size = count;
  if (size > left_ || (size == 0 && left_ > 0))
    return refuse (refusal::changed);
  left_ -= size;
  if (size > 0)
    return event {event_kind::data, false, 0, {}, {buffer_.get (), size}};
  step_ = step::file_end;
  return event {event_kind::file_end};
}

outcome<event>
tree_walker::read_link ()
{
  target_.resize (maximum_target + 1);
  ssize_t count = readlinkat (directory (), name_.c_str (), target_.data (),
                              target_.size ());
  if (count < 0)
    return fail ("readlinkat");
  target_.resize (count);
  if (target_.size () > maximum_target)
    {
      errno = ENAMETOOLONG;
      return fail ("readlinkat");
    }
  step_ = step::advance;
  return event {event_kind::symlink, false, 0, target_};
}

}
