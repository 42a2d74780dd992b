// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/listing.hh"

#include "tree/directory.hh"

#include <fcntl.h>

namespace fruix {

outcome<void>
list_directory (int directory, std::vector<listed> &out)
{
  auto stream = open_stream (directory);
  if (!stream)
    return failed ("fdopendir");
  rewinddir (stream.get ());
  for (;;)
    {
      auto name = next_entry (stream.get ());
      if (!name)
        return std::unexpected {name.error ()};
      if (!*name)
        return {};
      struct stat status;
      if (fstatat (directory, *name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        out.push_back ({*name, status});
      else if (errno != ENOENT)
        return failed ("fstatat", *name);
    }
}

}
