// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/sharer.hh"
#include "base/directory.hh"
#include "tree/canonical.hh"
#include "tree/share.hh"

#include <algorithm>
#include <unistd.h>
#include <unordered_map>

namespace fruix {

tree_sharer::tree_sharer (unique_fd shared, std::vector<ino_t> known)
  : shared_ {std::move (shared)}, known_ {std::move (known)}
{
}

outcome<std::unique_ptr<tree_sharer>>
tree_sharer::open (unique_fd shared)
{
  std::vector<ino_t> known;
  auto result = for_each_entry (shared.get (), [&] (const dirent &entry)
    {
      known.push_back (entry.d_ino);
      return outcome<void> {};
    });
  if (!result)
    return std::unexpected {result.error ()};
  std::ranges::sort (known);
  return std::unique_ptr<tree_sharer> {
      new tree_sharer {std::move (shared), std::move (known)}};
}

void
tree_sharer::start (unique_fd directory, std::string name)
{
  directory_ = std::move (directory);
  walker_.emplace (directory_.get (), std::move (name));
}

bool
tree_sharer::known (ino_t inode) const noexcept
{
  return std::ranges::binary_search (known_, inode);
}

// Decide whether the file at which the walker is wants sharing.
void
tree_sharer::begin_file (const event &event)
{
  auto &status = walker_->status ();
  bool writable = (status.st_mode & S_IWUSR) != 0;
  bool large = event.size >= minimum_shared_size;
  if (large && writable)
    ++result_.writable;
  hashing_ = large && !writable && !known (status.st_ino);
  if (hashing_)
    key_.start (event);
  else
    walker_->skip_data ();
}

// Share the current file even if its directory is closed for writing, which
// a canonical one is to all but root; the one that the whole tree is in is
// not ours to open.
outcome<bool>
tree_sharer::share_in_closed ()
{
  int directory = walker_->directory ();
  auto name = walker_->name ().c_str ();
  auto key = key_.finish ();
  auto result = share_file (shared_.get (), key, directory, name, true);
  if (directory == directory_.get ())
    return result;
  if (!result && result.error ().error == EACCES)
    {
      if (fchmod (directory, 0755))
        return failed ("fchmod", name);
      result = share_file (shared_.get (), key, directory, name, true);
    }
  if (auto closed = canonicalise (directory, 0555, "directory"); !closed)
    return std::unexpected {closed.error ()};
  return result;
}

outcome<void>
tree_sharer::share ()
{
  auto shared = share_in_closed ();
  if (!shared)
    return std::unexpected {shared.error ()};
  if (!*shared)
    return {};
  ++result_.files;
  if (walker_->status ().st_nlink == 1)
    result_.bytes += walker_->status ().st_size;
  return {};
}

outcome<bool>
tree_sharer::work (std::uint64_t bytes)
{
  if (!walker_)
    return false;
  for (std::uint64_t done = 0; done < bytes;)
    {
      auto event = walker_->next ();
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::done)
        {
          walker_.reset ();
          return false;
        }
      done += event->bytes.size () + 1024; // as much as a look costs
      if (event->kind == event_kind::file)
        begin_file (*event);
      if (event->kind == event_kind::data)
        key_.update (event->bytes);
      if (event->kind == event_kind::file_end && hashing_)
        if (auto shared = share (); !shared)
          return std::unexpected {shared.error ()};
    }
  return true;
}

// The keys of those files of a tree that have other names, too, by inode.
static outcome<std::unordered_map<ino_t, std::string>>
keys_of (int directory, const std::string &name)
{
  std::unordered_map<ino_t, std::string> keys;
  tree_walker walker {directory, name};
  file_key key;
  for (;;)
    {
      auto event = walker.next ();
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::done)
        return keys;
      bool linked = walker.status ().st_nlink > 1;
      if (event->kind == event_kind::file)
        key.start (*event);
      if (event->kind == event_kind::file && !linked)
        walker.skip_data ();
      if (event->kind == event_kind::data)
        key.update (event->bytes);
      if (event->kind == event_kind::file_end && linked)
        keys[walker.status ().st_ino] = key.finish ();
    }
}

outcome<std::uint64_t>
disown_damaged (int shared, int directory, const std::string &name)
{
  auto keys = keys_of (directory, name);
  if (!keys)
    return std::unexpected {keys.error ()};
  std::uint64_t count = 0;
  auto result = for_each_entry (shared, [&] (const dirent &entry)
    {
      auto found = keys->find (entry.d_ino);
      if (found != keys->end () && found->second != entry.d_name
          && unlinkat (shared, entry.d_name, 0) == 0)
        ++count;
      return outcome<void> {};
    });
  if (!result)
    return std::unexpected {result.error ()};
  return count;
}

}
