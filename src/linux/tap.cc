// SPDX-License-Identifier: GPL-3.0-or-later
// The network interface of a network namespace whose frames a program of the
// host carries to and fro.
#include "linux/steps.hh"

#include "base/unique_fd.hh"

#include <algorithm>
#include <arpa/inet.h>
#include <climits>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fruix::plan {

static ifreq
request_for (const char *interface) noexcept
{
  ifreq request {};
  copy_text (request.ifr_name, interface);
  return request;
}

// The kernel's number of INTERFACE, or 0.
static int
interface_index (int socket, const char *interface) noexcept
{
  auto request = request_for (interface);
  return ::ioctl (socket, SIOCGIFINDEX, &request) < 0 ? 0
                                                      : request.ifr_ifindex;
}

static unique_fd
control_socket (int family) noexcept
{
  return unique_fd {::socket (family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
}

// ("tap" INTERFACE FD): make INTERFACE, and be who holds its other end, as
// the descriptor FD.  The device is that of the host, so this comes before a
// root that lacks it.
outcome<void>
make_tap (const step &step, context &) noexcept
{
  unique_fd tap {::open ("/dev/net/tun", O_RDWR | O_CLOEXEC)};
  if (!tap)
    return failed ("open", "/dev/net/tun");
  auto request = request_for (step.text (0));
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl (tap.get (), TUNSETIFF, &request) < 0)
    return failed ("ioctl", step.text (0));
  if (::dup2 (tap.get (), step.number (0)) < 0)
    return failed ("dup2", step.text (0));
  return {};
}

static bool
parse (int family, const char *text, void *address) noexcept
{
  if (::inet_pton (family, text, address) == 1)
    return true;
  errno = EINVAL;
  return false;
}

static bool
parse (const char *text, sockaddr_in &address) noexcept
{
  address.sin_family = AF_INET;
  return parse (AF_INET, text, &address.sin_addr);
}

static bool
set_address (int socket, ifreq &request, unsigned long which,
             const char *text) noexcept
{
  return parse (text, reinterpret_cast<sockaddr_in &> (request.ifr_addr))
         && ::ioctl (socket, which, &request) == 0;
}

// ("interface-up" INTERFACE MTU ADDRESS NETMASK)
outcome<void>
raise_interface (const step &step, context &) noexcept
{
  auto fd = control_socket (AF_INET);
  if (!fd)
    return failed ("socket", step.text (0));
  auto request = request_for (step.text (0));
  request.ifr_mtu = step.number (0);
  if (::ioctl (fd.get (), SIOCSIFMTU, &request) < 0)
    return failed ("ioctl", "SIOCSIFMTU");
  if (!set_address (fd.get (), request, SIOCSIFADDR, step.text (1)))
    return failed ("ioctl", step.text (1));
  if (!set_address (fd.get (), request, SIOCSIFNETMASK, step.text (2)))
    return failed ("ioctl", step.text (2));
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl (fd.get (), SIOCSIFFLAGS, &request) < 0)
    return failed ("ioctl", step.text (0));
  return {};
}

// ("default-route" GATEWAY)
outcome<void>
set_default_route (const step &step, context &) noexcept
{
  auto fd = control_socket (AF_INET);
  if (!fd)
    return failed ("socket", step.text (0));
  rtentry route {};
  route.rt_dst.sa_family = AF_INET;
  route.rt_genmask.sa_family = AF_INET;
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  if (!parse (step.text (0),
              reinterpret_cast<sockaddr_in &> (route.rt_gateway))
      || ::ioctl (fd.get (), SIOCADDRT, &route) < 0)
    return failed ("ioctl", step.text (0));
  return {};
}

// ("network-setting" NAME VALUE): a setting of this network namespace, below
// /proc/sys/net.  Where these cannot be changed, it stays as it is.
outcome<void>
set_network_setting (const step &step, context &) noexcept
{
  constexpr std::string_view directory = "/proc/sys/net/";
  char name[PATH_MAX];
  if (directory.size () + step.texts[0].size () >= sizeof name)
    return failed ("open", step.text (0), ENAMETOOLONG);
  auto end = std::ranges::copy (directory, name).out;
  *std::ranges::copy (step.texts[0], end).out = '\0';
  unique_fd fd {::open (name, O_WRONLY | O_CLOEXEC)};
  if (fd)
    {
      [[maybe_unused]] auto written
          = ::write (fd.get (), step.text (1), step.texts[1].size ());
    }
  return {};
}

// What ioctl (2) takes for IPv6; the kernel's header with it conflicts with
// the C library's.
struct in6_ifreq
{
  in6_addr address;
  std::uint32_t prefix;
  int interface;
};

// ("address6" INTERFACE ADDRESS PREFIX)
outcome<void>
add_address6 (const step &step, context &) noexcept
{
  auto fd = control_socket (AF_INET6);
  if (!fd)
    return failed ("socket", step.text (0));
  in6_ifreq request {};
  request.prefix = static_cast<std::uint32_t> (step.number (0));
  request.interface = interface_index (fd.get (), step.text (0));
  if (!parse (AF_INET6, step.text (1), &request.address)
      || ::ioctl (fd.get (), SIOCSIFADDR, &request) < 0)
    return failed ("ioctl", step.text (1));
  return {};
}

// ("default-route6" INTERFACE GATEWAY)
outcome<void>
set_default_route6 (const step &step, context &) noexcept
{
  auto fd = control_socket (AF_INET6);
  if (!fd)
    return failed ("socket", step.text (0));
  in6_rtmsg route {};
  route.rtmsg_flags = RTF_UP | RTF_GATEWAY;
  route.rtmsg_metric = 1;
  route.rtmsg_ifindex = interface_index (fd.get (), step.text (0));
  if (!parse (AF_INET6, step.text (1), &route.rtmsg_gateway)
      || ::ioctl (fd.get (), SIOCADDRT, &route) < 0)
    return failed ("ioctl", step.text (1));
  return {};
}

}
