// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/ingest.hh"
#include "tree/canonical.hh"
#include "tree/platform.hh"
#include "tree/share.hh"
#include "tree/walker.hh"

#include <fcntl.h>
#include <unistd.h>

namespace fruix {

static bool
canonical_time (const struct stat &status) noexcept
{
  return status.st_mtim.tv_sec == canonical_times[1].tv_sec
         && status.st_mtim.tv_nsec == canonical_times[1].tv_nsec;
}

static bool
ours (const struct stat &status) noexcept
{
  return status.st_uid == geteuid () && status.st_gid == getegid ();
}

// Take the file or directory at which WALKER is from its owner, and whoever
// else has been given rights on it.  Set-id bits go first: on some systems
// they outlive a change of owner.
static outcome<void>
take_possession (const tree_walker &walker)
{
  mode_t mode = walker.status ().st_mode & 07777;
  if ((mode & (S_ISUID | S_ISGID)) && fchmod (walker.fd (), mode & 0777))
    return walker.fail ("fchmod");
  if (!ours (walker.status ())
      && fchown (walker.fd (), geteuid (), getegid ()))
    return walker.fail ("fchown");
  return strip_attributes (walker.fd ());
}

// Nobody but us can change a directory from here on.
static outcome<void>
settle_directory (const tree_walker &walker)
{
  auto result = take_possession (walker);
  if (result && (walker.status ().st_mode & 07777) != S_IRWXU
      && fchmod (walker.fd (), S_IRWXU))
    return walker.fail ("fchmod");
  return result;
}

static outcome<void>
settle_file (const tree_walker &walker)
{
  auto &status = walker.status ();
  mode_t mode = status.st_mode & S_IXUSR ? 0555 : 0444;
  if (ours (status) && (status.st_mode & 07777) == mode
      && canonical_time (status))
    return {};
  return canonicalise (walker.fd (), mode, walker.name ());
}

static outcome<void>
settle_symlink (const tree_walker &walker)
{
  auto &status = walker.status ();
  auto name = walker.name ().c_str ();
  if (!ours (status)
      && fchownat (walker.directory (), name, geteuid (), getegid (),
                   AT_SYMLINK_NOFOLLOW))
    return walker.fail ("fchownat");
  if (canonical_time (status))
    return {};
  return canonicalise_symlink (walker.directory (), name);
}

// Bring the metadata of the node at which WALKER is into canonical form.
static outcome<void>
settle (const tree_walker &walker, event_kind kind)
{
  switch (kind)
    {
    case event_kind::directory:
      return settle_directory (walker);
    case event_kind::leave:
      return canonicalise (walker.fd (), 0555, walker.name ());
    case event_kind::file:
      return take_possession (walker);
    case event_kind::file_end:
      return settle_file (walker);
    case event_kind::symlink:
      return settle_symlink (walker);
    default:
      return {};
    }
}

// The same for a node that its owner made immutable, which only FreeBSD lets
// owners do.
static outcome<void>
settle_firmly (const tree_walker &walker, event_kind kind)
{
  auto result = settle (walker, kind);
  if (result || result.error ().error != EPERM)
    return result;
  auto name = kind == event_kind::directory ? "." : walker.name ().c_str ();
  auto cleared = clear_flags (walker.directory (), name);
  return cleared && *cleared ? settle (walker, kind) : result;
}

static outcome<void>
share (const tree_walker &walker, digester &digester, int shared)
{
  auto key = digester.key ();
  if (key.empty ())
    return {};
  auto result = share_file (shared, key, walker.directory (),
                            walker.name ().c_str (), false);
  if (!result)
    return std::unexpected {result.error ()};
  return {};
}

outcome<ingested>
ingest_tree (int directory, const std::string &name, int shared,
             const digester_options &options, ownership &owner)
{
  tree_walker walker {directory, name, &owner};
  digester digester {options};
  for (;;)
    {
      auto event = walker.next ();
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::done)
        return ingested {digester.summary (), digester.references ()};
      digester.take (*event);
      auto result = settle_firmly (walker, event->kind);
      if (result && shared >= 0 && event->kind == event_kind::file_end)
        result = share (walker, digester, shared);
      if (!result)
        return std::unexpected {result.error ()};
    }
}

}
