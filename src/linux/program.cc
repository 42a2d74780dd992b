// SPDX-License-Identifier: GPL-3.0-or-later
// The program that a child is about to execute.
//
// Until then the child lives in the memory of its parent, whose program is
// /proc/self/exe: outside of any root, and a file that its owner could change.
// So nothing that is executed is reached through such a magic link.
#include "linux/steps.hh"

#include "base/unique_fd.hh"
#include "plan/place.hh"

#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fruix::plan {

static outcome<unique_fd>
open_without_magic (const char *name, std::uint64_t flags) noexcept
{
  struct open_how how {};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  unique_fd fd {static_cast<int> (
      ::syscall (SYS_openat2, AT_FDCWD, name, &how, sizeof how))};
  if (!fd)
    return failed ("openat2", name);
  return fd;
}

// ("program-within" DIRECTORY): the program, once all symbolic links are
// followed, lies below DIRECTORY.
outcome<void>
require_program_within (const step &step, context &context) noexcept
{
  auto fd = open_without_magic (context.program, O_PATH);
  if (!fd)
    return std::unexpected {fd.error ()};
  char link[32] = "/proc/self/fd/", resolved[PATH_MAX];
  *std::to_chars (link + 14, link + sizeof link - 1, fd->get ()).ptr = '\0';
  auto length = ::readlink (link, resolved, sizeof resolved);
  if (length < 0)
    return failed ("readlink", context.program);
  std::string_view name {resolved, static_cast<std::size_t> (length)};
  if (!lies_below (name, step.texts[0]))
    return failed ("not there", context.program, EACCES);
  return {};
}

// As much of a file as the kernel looks at, and a null byte.
using beginning = char[256 + 1];

static outcome<void>
read_beginning (const char *name, beginning &text) noexcept
{
  auto fd = open_without_magic (name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd)
    return std::unexpected {fd.error ()};
  auto length = ::read (fd->get (), text, sizeof text - 1);
  if (length < 0)
    return failed ("read", name);
  text[length] = '\0';
  return {};
}

// The interpreter that TEXT names after "#!", cut out of it, or nullptr.
static const char *
interpreter (beginning &text) noexcept
{
  if (std::strncmp (text, "#!", 2) != 0)
    return nullptr;
  char *name = text + 2 + std::strspn (text + 2, " \t");
  name[std::strcspn (name, " \t\n")] = '\0';
  return *name ? name : nullptr;
}

// ("interpreters"): no magic link leads to the program, nor to an interpreter
// that it or another one names.  As the dynamic linker of a program, what is
// there would only be mapped, never open.  That there is no program is for
// execve to tell.
outcome<void>
check_interpreters (const step &, context &context) noexcept
{
  constexpr int most_interpreters = 5;  // for the kernel, too
  beginning text;
  const char *name = context.program;
  for (int count = 0; name; count++)
    {
      if (count > most_interpreters)
        return failed ("interpreters", context.program, ELOOP);
      auto result = read_beginning (name, text);
      if (!result && count == 0 && result.error ().error == ENOENT)
        return {};
      if (!result)
        return result;
      name = interpreter (text);
    }
  return {};
}

}
