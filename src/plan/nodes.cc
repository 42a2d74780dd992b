// SPDX-License-Identifier: GPL-3.0-or-later
// Steps: directories, files and symbolic links in the tree.
#include "plan/place.hh"

#include "base/retry.hh"
#include "base/unique_fd.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix::plan {

// ("directory" PATH MODE): one that exists already keeps its mode, since it
// may be a mounted one.
outcome<void>
make_directory (const step &step, context &context) noexcept
{
  auto place = locate (step.text (0), context);
  if (!place)
    return std::unexpected {place.error ()};
  auto mode = static_cast<mode_t> (step.numbers[0]);
  if (::mkdirat (place->directory, place->name, 0700) < 0)
    {
      if (errno == EEXIST)
        return {};
      return failed ("mkdirat", step.text (0));
    }
  // Whatever the umask is, and whatever its owner may have put in its place.
  unique_fd made {::openat (place->directory, place->name,
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW
                                | O_CLOEXEC)};
  if (!made || ::fchmod (made.get (), mode) < 0)
    return failed ("fchmod", step.text (0));
  return {};
}

static bool
write_all (int fd, std::string_view text) noexcept
{
  while (!text.empty ())
    {
      auto count
          = retry ([&] { return ::write (fd, text.data (), text.size ()); });
      if (count < 0)
        return false;
      text.remove_prefix (static_cast<std::size_t> (count));
    }
  return true;
}

// ("file" PATH CONTENTS MODE)
outcome<void>
make_file (const step &step, context &context) noexcept
{
  auto place = locate (step.text (0), context);
  if (!place)
    return std::unexpected {place.error ()};
  unique_fd fd {::openat (place->directory, place->name,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
                              | O_CLOEXEC,
                          0600)};
  if (!fd)
    return failed ("openat", step.text (0));
  if (!write_all (fd.get (), step.texts[1]))
    return failed ("write", step.text (0));
  if (::fchmod (fd.get (), static_cast<mode_t> (step.numbers[0])) < 0)
    return failed ("fchmod", step.text (0));
  return {};
}

// ("symlink" TARGET PATH), in the order of symlink (2).
outcome<void>
make_symlink (const step &step, context &context) noexcept
{
  auto place = locate (step.text (1), context);
  if (!place)
    return std::unexpected {place.error ()};
  if (::symlinkat (step.text (0), place->directory, place->name) < 0)
    return failed ("symlinkat", step.text (1));
  return {};
}

}
