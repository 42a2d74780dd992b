// SPDX-License-Identifier: GPL-3.0-or-later
// Sockets of all families.
#include "escape.hh"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static void
attempt_socket (const char *what, long family, long type, long protocol)
{
  int fd = static_cast<int> (
      ::syscall (SYS_socket, family, type, protocol));
  attempt (std::string {"socket, "} + what, fd);
  ::close (fd);
}

static void
attempt_families ()
{
  attempt_socket ("vsock", AF_VSOCK, SOCK_STREAM, 0);
  attempt_socket ("crypto", AF_ALG, SOCK_SEQPACKET, 0);
  attempt_socket ("packet", AF_PACKET, SOCK_RAW, 0);
  attempt_socket ("XDP", AF_XDP, SOCK_RAW, 0);
  attempt_socket ("Bluetooth", AF_BLUETOOTH, SOCK_RAW, 1);
  attempt_socket ("TIPC", AF_TIPC, SOCK_STREAM, 0);
  attempt_socket ("CAN", AF_CAN, SOCK_RAW, 1);
  attempt_socket ("RxRPC", AF_RXRPC, SOCK_DGRAM, AF_INET);
  attempt_socket ("key management", AF_KEY, SOCK_RAW, 2);
  attempt_socket ("SMC", AF_SMC, SOCK_STREAM, 0);
  attempt_socket ("no such family", 1000, SOCK_STREAM, 0);
  int ends[2];
  attempt ("socket pair, TIPC", ::socketpair (AF_TIPC, SOCK_STREAM, 0, ends));
}

static void
attempt_protocols ()
{
  attempt_socket ("raw", AF_INET, SOCK_RAW, IPPROTO_ICMP);
  attempt_socket ("raw with flags", AF_INET, SOCK_RAW | SOCK_CLOEXEC,
                  IPPROTO_RAW);
  attempt_socket ("raw IPv6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  attempt_socket ("packet by IPv4", AF_INET, SOCK_PACKET, 0);
  attempt_socket ("SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  attempt_socket ("MPTCP", AF_INET, SOCK_STREAM, 262);
  attempt_socket ("ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
  attempt_socket ("netlink, transformations", AF_NETLINK, SOCK_RAW,
                  NETLINK_XFRM);
  attempt_socket ("netlink, packet filter", AF_NETLINK, SOCK_RAW,
                  NETLINK_NETFILTER);
  attempt_socket ("netlink, generic", AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
  attempt_socket ("netlink, diagnosis", AF_NETLINK, SOCK_DGRAM,
                  NETLINK_SOCK_DIAG);
  attempt_socket ("netlink, events", AF_NETLINK, SOCK_DGRAM,
                  NETLINK_KOBJECT_UEVENT);
}

void
attempt_sockets ()
{
  attempt_families ();
  attempt_protocols ();
}
