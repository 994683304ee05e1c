//! Which pages may open a socket.

use http::{Uri, header, request::Parts};

use crate::Refusal;

/// The pages whose sockets are let in, by their origin (RFC 6454).
///
/// A page can open a WebSocket to any server, in the name of its visitor; the browser tells the server in `Origin` which
/// page it is, and stops nothing (RFC 6455, section 10.2). Clients that are no browsers send no `Origin`, and can send
/// any: this protects visitors of foreign pages, and is no login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    same: bool,
    without: bool,
    any: bool,
    listed: Vec<String>,
}

impl Default for Origins {
    fn default() -> Self {
        Self::same()
    }
}

impl Origins {
    /// Pages of the host and port that the request was sent to, and clients without `Origin`. The default.
    #[must_use]
    pub fn same() -> Self {
        Self { same: true, without: true, any: false, listed: Vec::new() }
    }

    /// No pages yet, but clients without `Origin`.
    #[must_use]
    pub fn none() -> Self {
        Self { same: false, ..Self::same() }
    }

    /// Pages of every origin: for servers that know their clients by a token which other pages cannot have.
    #[must_use]
    pub fn any() -> Self {
        Self { any: true, ..Self::same() }
    }

    /// And pages of these origins, such as `https://example.org` or `http://localhost:8080`. They are compared exactly,
    /// scheme and port included; [`Builder::build`](crate::Builder::build) refuses what is no origin.
    #[must_use]
    pub fn and<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.listed.extend(origins.into_iter().map(Into::into));
        self
    }

    /// But no client without `Origin`: browsers only.
    #[must_use]
    pub fn pages_only(mut self) -> Self {
        self.without = false;
        self
    }

    /// Whether a request comes from where sockets are let in.
    ///
    /// [`Signaling::admit`](crate::Signaling::admit) asks this; whoever has an upgrade handler of their own and lets
    /// clients in by a cookie does so, too.
    ///
    /// # Errors
    ///
    /// [`Refusal::unauthorized`] when it does not; also when there are two `Origin`, or none that can be read.
    pub fn check(&self, request: &Parts) -> Result<(), Refusal> {
        let mut origins = request.headers.get_all(header::ORIGIN).iter();
        let (first, second) = (origins.next(), origins.next());
        let is_let_in = match (first.map(|origin| origin.to_str()), second) {
            (_, Some(_)) | (Some(Err(_)), None) => false,
            (None, None) => self.without,
            (Some(Ok(origin)), None) => self.any || self.has(origin, request),
        };
        if is_let_in { Ok(()) } else { Err(Refusal::unauthorized("Pages of this origin are not let in.")) }
    }

    fn has(&self, origin: &str, request: &Parts) -> bool {
        let Some(page) = parse(origin) else { return false };
        let own = if self.same { own_origin(&page.0, request) } else { None };
        let listed = self.listed.iter().filter_map(|listed| parse(listed));
        own.into_iter().chain(listed).any(|origin| origin == page)
    }

    /// The first that is listed and no origin.
    pub(crate) fn invalid(&self) -> Option<&str> {
        self.listed.iter().map(String::as_str).find(|origin| parse(origin).is_none())
    }
}

/// Scheme and host in small letters, and the port if there is one.
type Origin = (String, String, Option<u16>);

/// Reads `scheme://host[:port]` (RFC 6454, section 6.2).
fn parse(origin: &str) -> Option<Origin> {
    let (scheme, host) = origin.split_once("://")?;
    let uri: Uri = format!("{scheme}://{host}").parse().ok()?;
    let authority = uri.authority()?;
    // Nothing comes before or after host and port, be it a name of a user or a path.
    let is_bare = authority.as_str() == host && !host.contains('@');
    let port = authority.port_u16().or_else(|| default_port(scheme));
    is_bare.then(|| (scheme.to_ascii_lowercase(), authority.host().to_ascii_lowercase(), port))
}

/// That of pages of this server. The scheme by which a request has come is not known behind a proxy that speaks TLS: that
/// of the page is taken.
fn own_origin(scheme: &str, request: &Parts) -> Option<Origin> {
    let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or(request.uri.authority().map(|authority| authority.as_str()))?;
    parse(&format!("{scheme}://{host}"))
}

fn default_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else {
        scheme.eq_ignore_ascii_case("http").then_some(80)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn request(host: &str, origins: &[&str]) -> Parts {
        let request = Request::get("/signal").header("host", host);
        let request = origins.iter().fold(request, |request, origin| request.header("origin", *origin));
        request.body(()).unwrap().into_parts().0
    }

    fn lets_in(origins: &Origins, host: &str, origin: &str) -> bool {
        origins.check(&request(host, &[origin])).is_ok()
    }

    #[test]
    fn pages_of_the_same_host_and_port() {
        for (host, origin) in [
            ("a.example", "https://a.example"),
            ("a.example", "http://a.example"),
            ("a.example:443", "https://a.example"),
            ("a.example", "https://a.example:443"),
            ("A.Example", "HTTPS://a.exAmple"),
            ("a.example:8080", "http://a.example:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert!(lets_in(&Origins::same(), host, origin), "{origin} at {host}");
            assert!(!lets_in(&Origins::none(), host, origin), "{origin} at {host}");
            assert!(lets_in(&Origins::any(), "b.example", origin), "{origin}");
        }
        for (host, origin) in [
            ("a.example", "https://b.example"),
            ("a.example", "https://a.example:8443"),
            ("a.example:80", "https://a.example"),
            ("a.example", "https://a.example.evil"),
            ("a.example", "https://a.example@evil"),
            ("evil", "https://a.example@evil"),
            ("a.example", "https://a.example/"),
            ("a.example", "https://a.example, https://a.example"),
            ("a.example", "null"),
            ("a.example", ""),
            ("a.example", "a.example"),
            ("a.example", "file://"),
        ] {
            assert!(!lets_in(&Origins::same(), host, origin), "{origin} at {host}");
        }
    }

    #[test]
    fn pages_of_listed_origins_exactly() {
        let origins = Origins::none().and(["https://a.example", "http://localhost:8080", "capacitor://app"]);
        for origin in
            ["https://a.example", "https://a.example:443", "http://localhost:8080", "capacitor://app"]
        {
            assert!(lets_in(&origins, "signal.example", origin), "{origin}");
        }
        for origin in [
            "http://a.example",
            "https://b.a.example",
            "https://a.example:444",
            "http://localhost",
            "null",
            "",
        ] {
            assert!(!lets_in(&origins, "signal.example", origin), "{origin}");
        }
        assert!(lets_in(&Origins::same().and(["https://b.example"]), "a.example", "https://a.example"));
    }

    #[test]
    fn clients_without_an_origin() {
        let without = request("a.example", &[]);
        assert!(Origins::same().check(&without).is_ok() && Origins::none().check(&without).is_ok());
        assert!(Origins::same().pages_only().check(&without).is_err());
        assert!(lets_in(&Origins::same().pages_only(), "a.example", "https://a.example"));
    }

    #[test]
    fn one_origin_and_no_more() {
        let twice = request("a.example", &["https://a.example", "https://a.example"]);
        for origins in [Origins::same(), Origins::any(), Origins::none().and(["https://a.example"])] {
            assert!(origins.check(&twice).is_err());
        }
        let unreadable = Request::get("/").header("host", "a.example").header("origin", &b"\xff"[..]);
        assert!(Origins::any().check(&unreadable.body(()).unwrap().into_parts().0).is_err());
    }
}
