// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/parameters.hh"

#include "base/printable.hh"

#include <sys/types.h>
#include <sys/uio.h>
#include <vector>

namespace fruix {

parameter
parameter::text (std::string_view name, std::string_view value)
{
  parameter result {std::string {name}, std::string {value}};
  result.value.push_back ('\0');
  return result;
}

parameter
parameter::number (std::string_view name, int value)
{
  parameter result = room (name, sizeof value);
  std::memcpy (result.value.data (), &value, sizeof value);
  return result;
}

parameter
parameter::flag (std::string_view name)
{
  return {std::string {name}, {}};
}

parameter
parameter::option (std::string_view option)
{
  auto equals = option.find ('=');
  if (equals == option.npos)
    return flag (option);
  return text (option.substr (0, equals), option.substr (equals + 1));
}

parameter
parameter::room (std::string_view name, std::size_t size)
{
  return {std::string {name}, std::string (size, '\0')};
}

std::string_view
parameter::as_text () const noexcept
{
  return std::string_view {value}.substr (0, value.find ('\0'));
}

int
parameter::as_number () const noexcept
{
  int result = 0;
  if (value.size () == sizeof result)
    std::memcpy (&result, value.data (), sizeof result);
  return result;
}

static void
append (std::vector<iovec> &buffers, const char *name, void *value,
        std::size_t size)
{
  buffers.push_back ({const_cast<char *> (name), std::strlen (name) + 1});
  buffers.push_back ({size == 0 ? nullptr : value, size});
}

outcome<int>
call_with_parameters (const char *who, parameter_call call,
                      std::span<parameter> parameters, int flags,
                      std::string_view object)
{
  // Several errors write nothing to it.
  char message[sizeof fault::object] {};
  std::vector<iovec> buffers;
  for (auto &one : parameters)
    append (buffers, one.name.c_str (), one.value.data (),
            one.value.size ());
  append (buffers, "errmsg", message, sizeof message);
  auto count = static_cast<unsigned> (buffers.size ());
  int result = call (buffers.data (), count, flags);
  if (result < 0)
    {
      int error = errno;
      message[sizeof message - 1] = '\0';
      auto said = message[0] ? std::string_view {message} : object;
      return failed (who, printable {said, {}}.view (), error);
    }
  for (std::size_t i = 0; i < parameters.size (); i++)
    parameters[i].value.resize (buffers[2 * i + 1].iov_len);
  return result;
}

}
