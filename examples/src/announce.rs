//! What a server says on standard output when it listens.

use std::{
    io::{self, IsTerminal, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use qrcode::{QrCode, render::unicode::Dense1x2};

use crate::Arguments;

/// Black on white by number, so that a theme of the terminal does not turn the code round: not every phone reads it
/// then.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// Says where the server is: first for people and scripts on this machine, then for a phone beside it.
pub(crate) fn announce(address: SocketAddr, arguments: &Arguments) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let scheme = if arguments.uses_tls() { "https" } else { "http" };
    writeln!(out, "listening on {scheme}://{}", here(address))?;
    if let Some(elsewhere) = elsewhere(address) {
        let url = format!("{scheme}://{elsewhere}");
        if arguments.uses_tls() {
            writeln!(out, "On a phone in the same network open {url}")?;
            // Into a file or a log it would only be noise.
            if out.is_terminal() {
                write!(out, "{}", picture(&url))?;
            }
        } else {
            writeln!(
                out,
                "Other devices reach it at {url}, but there browsers give camera and microphone to pages over HTTPS \
                 only: start it with --tls."
            )?;
        }
    }
    if arguments.uses_tls() && arguments.tls_cert.is_none() {
        writeln!(
            out,
            "The certificate was made just now, so browsers warn of it: choose \"Advanced\" or \"Show details\" \
             there, and go on to the page."
        )?;
    }
    out.flush()
}

/// The address for a browser on this machine: one can listen on all addresses, but not open them.
fn here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The address for a browser on another machine, if it reaches us.
fn elsewhere(address: SocketAddr) -> Option<SocketAddr> {
    let ip = match address.ip() {
        ip if ip.is_loopback() => return None,
        ip if ip.is_unspecified() => way_out().or_else(any_interface)?,
        ip => ip,
    };
    Some(SocketAddr::new(ip, address.port()))
}

/// The address by which this machine would reach the internet: of several it is the one that neighbours know, rather
/// than that of a bridge to containers. Connecting a UDP socket only looks up the route; nothing is sent.
fn way_out() -> Option<IpAddr> {
    /// Of the range for documentation (RFC 5737): nobody's, so it takes the default route.
    const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((ELSEWHERE, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

fn any_interface() -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    let ips = interfaces.iter().filter(|interface| !interface.is_loopback()).map(if_addrs::Interface::ip);
    ips.into_iter().find(IpAddr::is_ipv4)
}

/// The address as a QR code, for a phone's camera.
fn picture(url: &str) -> String {
    let Ok(code) = QrCode::new(url) else { return String::new() };
    let image = code.render::<Dense1x2>().build();
    image.lines().map(|line| format!("{BLACK_ON_WHITE}{line}{PLAIN}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_that_stands_for_all_is_told_as_one_that_can_be_opened() {
        assert_eq!(here(socket("0.0.0.0:8443")), socket("127.0.0.1:8443"));
        assert_eq!(here(socket("[::]:8443")), socket("[::1]:8443"));
        assert_eq!(here(socket("192.0.2.7:80")), socket("192.0.2.7:80"));
    }

    #[test]
    fn a_phone_is_sent_to_an_address_that_it_reaches() {
        assert_eq!(elsewhere(socket("127.0.0.1:8080")), None);
        assert_eq!(elsewhere(socket("192.0.2.7:8443")), Some(socket("192.0.2.7:8443")));
        // What this machine has besides the loopback, if it has something.
        assert!(elsewhere(socket("0.0.0.0:8443")).is_none_or(|address| !address.ip().is_loopback()));
    }

    #[test]
    fn the_picture_is_a_square_for_the_terminal() {
        let picture = picture("https://192.0.2.7:8443");
        let lines: Vec<_> = picture.lines().collect();
        let width =
            |line: &str| line.chars().filter(|sign| " \u{2580}\u{2584}\u{2588}".contains(*sign)).count();
        assert!(lines.iter().all(|line| line.starts_with(BLACK_ON_WHITE) && width(line) == width(lines[0])));
        // Two rows of the code in a line.
        assert!(lines.len() * 2 == width(lines[0]) || lines.len() * 2 == width(lines[0]) + 1, "{picture}");
    }
}
