// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/listing.hh"

#include "base/directory.hh"

#include <fcntl.h>

namespace fruix {

outcome<void>
list_directory (int directory, std::vector<listed> &out)
{
  return for_each_entry (directory, [&] (const dirent &entry) -> outcome<void>
    {
      struct stat status;
      if (fstatat (directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        out.push_back ({entry.d_name, status});
      else if (errno != ENOENT)
        return failed ("fstatat", entry.d_name);
      return {};
    });
}

}
