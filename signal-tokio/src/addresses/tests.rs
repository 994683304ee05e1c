use http::HeaderValue;
use tokio::time;

use super::*;

fn addresses(limits: SocketLimits) -> Arc<Addresses> {
    Arc::new(Addresses::new(limits, Vec::new()))
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn status(refused: Result<Place, Refusal>) -> u16 {
    refused.unwrap_err().status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn an_address_has_so_many_sockets_at_a_time() {
    let addresses = addresses(SocketLimits { per_address: 2, ..SocketLimits::default() });
    let first = addresses.enter(address("192.0.2.1")).unwrap();
    let _second = addresses.enter(address("192.0.2.1")).unwrap();
    // The same one, as a socket for both families says it.
    assert_eq!(status(addresses.enter(address("::ffff:192.0.2.1"))), 429);
    let _other = addresses.enter(address("192.0.2.2")).unwrap();
    drop(first);
    let _third = addresses.enter(address("192.0.2.1")).unwrap();
    assert_eq!(status(addresses.enter(address("192.0.2.1"))), 429);
}

#[tokio::test(start_paused = true)]
async fn the_host_part_of_ipv6_is_no_other_address() {
    let addresses = addresses(SocketLimits { per_address: 100, ..SocketLimits::default() });
    let rotated = |host: u64| address(&format!("2001:db8:1:2:{:x}::{:x}", host >> 8, host & 0xff));
    let places: Vec<_> = (0..100).map(|host| addresses.enter(rotated(host)).unwrap()).collect();
    assert_eq!(status(addresses.enter(rotated(12345))), 429);
    let _neighbour = addresses.enter(address("2001:db8:1:3::1")).unwrap();
    drop(places);
    assert_eq!(addresses.lock().by.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn new_sockets_of_an_address_come_at_a_rate() {
    let addresses = addresses(SocketLimits { new_per_second: 10, burst: 20, ..SocketLimits::default() });
    let knock = || addresses.enter(address("192.0.2.1")).map(drop);
    (0..20).for_each(|_| knock().unwrap());
    let refusal = knock().unwrap_err();
    assert_eq!(refusal.status().as_u16(), 429);
    let wait = refusal.retry_after.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
    assert_eq!(refusal.into_response().headers()["retry-after"], "1");
    addresses.enter(address("192.0.2.2")).unwrap();
    time::advance(wait).await;
    knock().unwrap();
    assert!(knock().is_err());
    // What is saved up is never more than the burst.
    time::advance(Duration::from_secs(3600)).await;
    (0..20).for_each(|_| knock().unwrap());
    assert!(knock().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_server_has_so_many_sockets() {
    let addresses = addresses(SocketLimits { all: 2, ..SocketLimits::default() });
    let _unknown = addresses.enter(None).unwrap();
    let own = addresses.enter(address("::1")).unwrap();
    assert_eq!(status(addresses.enter(address("192.0.2.1"))), 503);
    drop(own);
    addresses.enter(address("192.0.2.1")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_loopback_interface_is_exempt_unless_configured() {
    let bounds = SocketLimits { per_address: 1, burst: 1, ..SocketLimits::default() };
    for text in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        let exempt = addresses(bounds.clone());
        let _places: Vec<_> = (0..10).map(|_| exempt.enter(address(text)).unwrap()).collect();
        let bounded = addresses(SocketLimits { loopback: true, ..bounds.clone() });
        let _place = bounded.enter(address(text)).unwrap();
        assert_eq!(status(bounded.enter(address(text))), 429);
    }
}

#[tokio::test(start_paused = true)]
async fn networks_are_forgotten() {
    let addresses = addresses(SocketLimits::default());
    for number in 0..20_000u32 {
        drop(addresses.enter(Some(IpAddr::from((0x0a00_0000 + number).to_be_bytes()))).unwrap());
        time::advance(Duration::from_micros(100)).await;
        assert!(addresses.pace.len() <= SWEPT);
    }
    assert!(addresses.lock().by.is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_more_networks_are_remembered_than_may_be() {
    let addresses = addresses(SocketLimits::default());
    let network = |number: u32| Some(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
    for number in 0..REMEMBERED as u32 {
        addresses.enter(network(number)).unwrap();
    }
    assert_eq!(status(addresses.enter(network(REMEMBERED as u32))), 503);
    time::advance(Duration::from_millis(10)).await;
    addresses.enter(network(REMEMBERED as u32)).unwrap();
    assert_eq!(addresses.pace.len(), 1);
}

/// Who the client is, by the headers of a request from `remote`; 10.0.0.0/8 and 2001:db8::/32 are trusted.
fn client(remote: &str, headers: &[&str]) -> String {
    let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap());
    let addresses = Addresses::new(SocketLimits::default(), trusted.to_vec());
    let mut map = HeaderMap::new();
    for header in headers {
        map.append("x-forwarded-for", HeaderValue::from_str(header).unwrap());
    }
    addresses.client(Some(SocketAddr::new(remote.parse().unwrap(), 1234)), &map).unwrap().to_string()
}

#[tokio::test]
async fn a_stranger_cannot_say_who_it_is() {
    assert_eq!(client("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
    assert_eq!(client("192.0.2.9", &["10.0.0.1"]), "192.0.2.9");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_the_client_is() {
    assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
    assert_eq!(client("2001:db8::1", &["[2001:db9::7]:4711"]), "2001:db9::7");
    assert_eq!(client("10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
}

#[tokio::test]
async fn what_stands_before_the_client_is_not_believed() {
    assert_eq!(client("10.0.0.1", &["203.0.113.5, 198.51.100.1"]), "198.51.100.1");
    assert_eq!(client("10.0.0.1", &["203.0.113.5, 198.51.100.1, 10.0.0.2,10.0.0.3"]), "198.51.100.1");
    assert_eq!(client("10.0.0.1", &["203.0.113.5", "198.51.100.1", "10.0.0.2"]), "198.51.100.1");
    // All of them are trusted: the one farthest away has made the request.
    assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
}

#[tokio::test]
async fn what_is_no_address_ends_the_search() {
    for rubbish in ["unknown", "", "198.51.100.1.", "1", "2001:db9::7]", "_hidden", "\u{fc}"] {
        assert_eq!(client("10.0.0.1", &[&format!("203.0.113.5, {rubbish}, 10.0.0.2")]), "10.0.0.2");
    }
}
