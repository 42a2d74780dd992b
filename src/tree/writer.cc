// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/writer.hh"
#include "base/printable.hh"
#include "base/retry.hh"
#include "tree/canonical.hh"

#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace fruix {

// Fewer zeros are not worth a hole.
static constexpr std::size_t smallest_hole = 4096;

tree_writer::tree_writer (int directory, std::string name)
  : root_ {directory}, name_ {std::move (name)}
{
}

int
tree_writer::directory () const noexcept
{
  return inside_.depth () == 0 ? root_ : inside_.innermost ();
}

static std::unexpected<fault>
failed_on (std::string_view who, const std::string &name) noexcept
{
  int error = errno;
  return failed (who, printable {name, {}}.view (), error);
}

outcome<void>
tree_writer::take (const event &event)
{
  switch (event.kind)
    {
    case event_kind::directory:
      return enter ();
    case event_kind::entry:
      name_ = event.name;
      return {};
    case event_kind::leave:
      return leave ();
    case event_kind::file:
      return create_file (event.executable);
    case event_kind::data:
      return write_data (event.bytes);
    case event_kind::file_end:
      return finish_file ();
    case event_kind::symlink:
      return create_symlink (event.name);
    case event_kind::done:
    case event_kind::more:
      break;
    }
  return {};
}

outcome<void>
tree_writer::enter ()
{
  int parent = directory ();
  if (mkdirat (parent, name_.c_str (), 0700))
    return failed_on ("mkdirat", name_);
  unique_fd fd {openat (parent, name_.c_str (),
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd)
    return failed_on ("openat", name_);
  return inside_.enter (std::move (fd));
}

outcome<void>
tree_writer::leave ()
{
  if (auto result = canonicalise (inside_.innermost (), 0555, "directory");
      !result)
    return result;
  return inside_.leave ();
}

outcome<void>
tree_writer::create_file (bool executable)
{
  file_.reset (openat (directory (), name_.c_str (),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0600));
  if (!file_)
    return failed_on ("openat", name_);
  file_mode_ = executable ? 0555 : 0444;
  hole_ = false;
  return {};
}

static bool
is_hole (std::span<const std::uint8_t> bytes) noexcept
{
  return bytes.size () >= smallest_hole && bytes[0] == 0
         && std::memcmp (bytes.data (), bytes.data () + 1, bytes.size () - 1)
                == 0;
}

// Holes stay holes: they may be larger than the disk.
outcome<void>
tree_writer::write_data (std::span<const std::uint8_t> bytes)
{
  if (bytes.empty ())
    return {};
  hole_ = is_hole (bytes);
  if (hole_)
    {
      if (lseek (file_.get (), static_cast<off_t> (bytes.size ()), SEEK_CUR)
          < 0)
        return failed_on ("lseek", name_);
      return {};
    }
  while (!bytes.empty ())
    {
      ssize_t count = retry ([&]
        { return ::write (file_.get (), bytes.data (), bytes.size ()); });
      if (count < 0)
        return failed_on ("write", name_);
      bytes = bytes.subspan (count);
    }
  return {};
}

outcome<void>
tree_writer::finish_file ()
{
  if (hole_
      && ftruncate (file_.get (), lseek (file_.get (), 0, SEEK_CUR)) < 0)
    return failed_on ("ftruncate", name_);
  auto result = canonicalise (file_.get (), file_mode_,
                              printable {name_, {}}.view ());
  file_.reset ();
  return result;
}

outcome<void>
tree_writer::create_symlink (std::string_view target)
{
  if (symlinkat (std::string {target}.c_str (), directory (), name_.c_str ()))
    return failed_on ("symlinkat", name_);
  return canonicalise_symlink (directory (), name_.c_str ());
}

}
