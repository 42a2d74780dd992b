// SPDX-License-Identifier: GPL-3.0-or-later
// The network interface of a network namespace whose frames a program of the
// host carries to and fro.
#include "linux/steps.hh"

#include "base/unique_fd.hh"

#include <algorithm>
#include <arpa/inet.h>
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
  if (::dup2 (tap.get (), static_cast<int> (step.numbers[0])) < 0)
    return failed ("dup2", step.text (0));
  return {};
}

static bool
set_address (int socket, ifreq &request, unsigned long which,
             const char *text) noexcept
{
  auto &address = reinterpret_cast<sockaddr_in &> (request.ifr_addr);
  address.sin_family = AF_INET;
  return ::inet_pton (AF_INET, text, &address.sin_addr) == 1
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
  request.ifr_mtu = static_cast<int> (step.numbers[0]);
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
  auto &gateway = reinterpret_cast<sockaddr_in &> (route.rt_gateway);
  gateway.sin_family = AF_INET;
  route.rt_dst.sa_family = AF_INET;
  route.rt_genmask.sa_family = AF_INET;
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  if (::inet_pton (AF_INET, step.text (0), &gateway.sin_addr) != 1
      || ::ioctl (fd.get (), SIOCADDRT, &route) < 0)
    return failed ("ioctl", step.text (0));
  return {};
}

// ("localnet-route" INTERFACE): addresses of the loopback network, as far as
// no loopback interface has them, are routed through INTERFACE like others.
// They remain out of reach where the kernel's settings cannot be changed.
outcome<void>
route_localnet (const step &step, context &) noexcept
{
  char name[80] = "/proc/sys/net/ipv4/conf/";
  auto start = std::string_view {name}.size ();
  constexpr std::string_view leaf = "/route_localnet";
  if (start + step.texts[0].size () + leaf.size () >= sizeof name)
    return failed ("open", step.text (0), ENAMETOOLONG);
  auto end = std::ranges::copy (step.texts[0], name + start).out;
  *std::ranges::copy (leaf, end).out = '\0';
  unique_fd fd {::open (name, O_WRONLY | O_CLOEXEC)};
  if (fd)
    {
      [[maybe_unused]] auto written = ::write (fd.get (), "1", 1);
    }
  return {};
}

}
