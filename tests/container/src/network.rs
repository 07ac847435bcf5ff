//! The loopback device of a new network namespace: rtnetlink(7), because a machine may lack `ip`.

use crate::{Context as _, Failure};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

/// `lo` is the first device of every namespace.
const LOOPBACK: u32 = 1;
const INET: u8 = 2;
const REQUEST_ACK_CREATE: u16 = 0x1 | 0x4 | 0x400;
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;

/// Puts the addresses on the loopback device, and a default route over it: what is sent to any other address is lost,
/// as in a pod whose packets are dropped on their way.
pub fn configure(addresses: &[Ipv4Addr]) -> Result<(), Failure> {
    // The protocol 0 is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None);
    let socket = socket.step("netlink")?;
    let index = LOOPBACK.to_ne_bytes();
    let up = 1_u32.to_ne_bytes();
    // struct ifinfomsg: family, padding, type, index, flags, mask of flags.
    let link = [&[0; 4][..], &index, &up, &up].concat();
    ask(&socket, NEW_LINK, &link).step("the loopback device")?;
    for address in addresses {
        let octets = address.octets();
        // struct ifaddrmsg: family, prefix length, flags, scope, index; IFA_LOCAL, IFA_ADDRESS.
        let message = [&[INET, 32, 0, 0][..], &index, &attribute(2, octets), &attribute(1, octets)].concat();
        ask(&socket, NEW_ADDRESS, &message).step("an address")?;
    }
    // struct rtmsg: family, lengths of destination and source, TOS, table main, protocol boot, scope link, type
    // unicast, flags; RTA_OIF.
    let route = [&[INET, 0, 0, 0, 254, 3, 253, 1][..], &[0; 4], &attribute(4, index)].concat();
    ask(&socket, NEW_ROUTE, &route).step("the route")
}

/// struct rtattr: length, type, value.
fn attribute(kind: u16, value: [u8; 4]) -> Vec<u8> {
    [&8_u16.to_ne_bytes()[..], &kind.to_ne_bytes(), &value].concat()
}

/// Sends one message, and waits until it is acknowledged.
fn ask(socket: &OwnedFd, kind: u16, message: &[u8]) -> io::Result<()> {
    const HEADER: usize = 16;
    let length = u32::try_from(HEADER + message.len()).map_err(io::Error::other)?;
    // struct nlmsghdr: length, type, flags, sequence, port.
    let header =
        [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &REQUEST_ACK_CREATE.to_ne_bytes(), &[0; 8]].concat();
    sendto(socket, &[&header, message].concat(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 1024];
    recv(socket, &mut answer, RecvFlags::empty())?;
    // struct nlmsgerr: the negative error, or 0.
    match answer.get(HEADER..HEADER + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
