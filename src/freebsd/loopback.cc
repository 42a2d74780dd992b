// SPDX-License-Identifier: GPL-3.0-or-later
// By the ioctls of netintro(4) and inet6(4), from a socket made in the jail.
#include "freebsd/loopback.hh"

#include "base/unique_fd.hh"
#include "freebsd/inside.hh"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet6/in6_var.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace fruix {

constexpr char interface[] = "lo0";
constexpr std::uint32_t for_ever = UINT32_MAX;  // ND6_INFINITE_LIFETIME

static outcome<void>
set_up (int socket) noexcept
{
  struct ifreq request {};
  copy_text (request.ifr_name, interface);
  if (::ioctl (socket, SIOCGIFFLAGS, &request) < 0)
    return failed ("ioctl", "SIOCGIFFLAGS");
  request.ifr_flags |= IFF_UP;
  if (::ioctl (socket, SIOCSIFFLAGS, &request) < 0)
    return failed ("ioctl", "SIOCSIFFLAGS");
  return {};
}

static sockaddr_in
address_4 (std::uint32_t address) noexcept
{
  sockaddr_in result {};
  result.sin_len = sizeof result;
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl (address);
  return result;
}

static outcome<void>
add_address_4 (int socket) noexcept
{
  struct in_aliasreq request {};
  copy_text (request.ifra_name, interface);
  request.ifra_addr = address_4 (INADDR_LOOPBACK);
  request.ifra_mask = address_4 (IN_CLASSA_NET);
  if (::ioctl (socket, SIOCAIFADDR, &request) < 0)
    return failed ("ioctl", "SIOCAIFADDR");
  return {};
}

static sockaddr_in6
address_6 (const in6_addr &address) noexcept
{
  sockaddr_in6 result {};
  result.sin6_len = sizeof result;
  result.sin6_family = AF_INET6;
  result.sin6_addr = address;
  return result;
}

static outcome<void>
add_address_6 (int socket) noexcept
{
  in6_addr mask;
  std::memset (&mask, 0xff, sizeof mask);
  struct in6_aliasreq request {};
  copy_text (request.ifra_name, interface);
  request.ifra_addr = address_6 (in6addr_loopback);
  request.ifra_prefixmask = address_6 (mask);
  request.ifra_lifetime.ia6t_vltime = for_ever;
  request.ifra_lifetime.ia6t_pltime = for_ever;
  if (::ioctl (socket, SIOCAIFADDR_IN6, &request) < 0)
    return failed ("ioctl", "SIOCAIFADDR_IN6");
  return {};
}

// A kernel may have been built without one of the families.
static bool
unsupported (int error) noexcept
{
  return error == EAFNOSUPPORT || error == EPROTONOSUPPORT;
}

static outcome<void>
with_socket (int family, outcome<void> (*body) (int) noexcept) noexcept
{
  unique_fd socket {::socket (family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket && unsupported (errno))
    return {};
  if (!socket)
    return failed ("socket", family == AF_INET ? "AF_INET" : "AF_INET6");
  if (auto result = body (socket.get ()); !result)
    return result;
  return set_up (socket.get ());
}

outcome<void>
raise_loopback (int id)
{
  return call_in_jail (id, [] () noexcept -> outcome<void>
    {
      if (auto result = with_socket (AF_INET, add_address_4); !result)
        return result;
      return with_socket (AF_INET6, add_address_6);
    });
}

}
