// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/bulk.hh"
#include "base/directory.hh"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix {

outcome<void>
list_entries (int directory, std::vector<std::string> &out, std::size_t room)
{
  auto listed = for_each_entry (directory, [&] (const dirent &entry)
      -> outcome<void>
    {
      auto cost = weight (entry.d_name);
      if (cost > room)
        return failed ("readdir", "", EOVERFLOW);
      room -= cost;
      out.emplace_back (entry.d_name);
      return {};
    });
  std::ranges::sort (out);
  return listed;
}

// Only who may write to a directory may give it another parent.
static int
move_entry (int from, const char *name, int to) noexcept
{
  if (renameat (from, name, to, name) == 0)
    return 0;
  struct stat status;
  if (errno == EACCES
      && fstatat (from, name, &status, AT_SYMLINK_NOFOLLOW) == 0
      && S_ISDIR (status.st_mode)
      && fchmodat (from, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0
      && renameat (from, name, to, name) == 0)
    return 0;
  return errno;
}

void
move_entries (int from, const std::vector<std::string> &names, int to,
              std::vector<unmoved> &left)
{
  for (auto &name : names)
    if (int error = move_entry (from, name.c_str (), to))
      left.push_back ({name, error});
}

struct named_inode
{
  ino_t inode;
  std::string name;
};

// Put the next entries of STREAM into OUT, as many as fit into little memory,
// in the order in which their inodes lie on the disk.
static outcome<void>
next_inodes (DIR *stream, std::vector<named_inode> &out)
{
  constexpr std::size_t enough = 65536;
  out.clear ();
  while (out.size () < enough)
    {
      auto entry = next_dirent (stream);
      if (!entry)
        return std::unexpected {entry.error ()};
      if (!*entry)
        break;
      out.push_back ({(*entry)->d_ino, (*entry)->d_name});
    }
  std::ranges::sort (out, {}, &named_inode::inode);
  return {};
}

static outcome<void>
sweep_link (int directory, const char *name, off_t smallest, time_t time,
            link_figures &figures) noexcept
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW))
    {
      if (errno == ENOENT)
        return {};
      return failed ("fstatat", name);
    }
  if (!S_ISREG (status.st_mode))
    return {};
  bool abandoned = name[0] == '.' && status.st_ctime < time;
  if (status.st_nlink > 1 && status.st_size >= smallest && !abandoned)
    {
      figures.saved += (status.st_nlink - 2) * std::uint64_t (status.st_size);
      return {};
    }
  if (unlinkat (directory, name, 0) && errno != ENOENT)
    return failed ("unlinkat", name);
  if (status.st_nlink == 1)
    figures.freed += std::uint64_t {512} * status.st_blocks;
  return {};
}

outcome<link_figures>
sweep_links (int directory, off_t smallest, time_t time)
{
  auto stream = open_entries (directory);
  if (!stream)
    return std::unexpected {stream.error ()};
  link_figures figures;
  std::vector<named_inode> entries;
  do
    {
      if (auto read = next_inodes (stream->get (), entries); !read)
        return std::unexpected {read.error ()};
      for (auto &entry : entries)
        if (auto swept = sweep_link (directory, entry.name.c_str (), smallest,
                                     time, figures);
            !swept)
          return std::unexpected {swept.error ()};
    }
  while (!entries.empty ());
  return figures;
}

}
