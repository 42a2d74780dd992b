// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/shared_memory.hh"

#include "freebsd/sysctl.hh"

#include <algorithm>
#include <cstring>
#include <string>
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/sysctl.h>
#include <sys/user.h>

namespace fruix {

// What the kernel tells about all of it.
static outcome<std::string>
list_shared_memory ()
{
  constexpr const char *name = "kern.ipc.posix_shm_list";
  int question[CTL_MAXNAME];
  std::size_t length = std::size (question);
  if (::sysctlnametomib (name, question, &length) < 0)
    return failed ("sysctlnametomib", name);
  return ask_kernel (name, std::span {question}.first (length));
}

// The first of the entries in LIST, which it loses; they differ in size.
static std::string
take_name (std::string_view &list)
{
  struct kinfo_file entry {};
  std::memcpy (&entry.kf_structsize, list.data (),
               sizeof entry.kf_structsize);
  auto size = static_cast<std::size_t> (entry.kf_structsize);
  std::memcpy (&entry, list.data (), std::min (size, sizeof entry));
  list.remove_prefix (std::clamp (size, sizeof entry.kf_structsize,
                                  list.size ()));
  return {entry.kf_path, ::strnlen (entry.kf_path, sizeof entry.kf_path)};
}

outcome<void>
remove_shared_memory (std::string_view directory)
{
  auto list = list_shared_memory ();
  if (!list)
    return std::unexpected {list.error ()};
  auto prefix = std::string {directory} + "/";
  for (std::string_view rest {*list}; !rest.empty ();)
    if (auto name = take_name (rest);
        name.starts_with (prefix) && ::shm_unlink (name.c_str ()) < 0
        && errno != ENOENT)
      return failed ("shm_unlink", name);
  return {};
}

}
