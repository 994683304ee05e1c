//! HTTPS, with a certificate from files or one made at start.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::serve::Listener;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use tokio::{task::JoinSet, time};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
    },
    server::TlsStream,
};

/// How long a client may take for its handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many clients may be at it at a time. When there are so many, no more are accepted.
const MOST_HANDSHAKES: usize = 1000;

/// How long a certificate made at start is good for. Phones take none that is good for much more than a year.
const VALID_FOR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Clocks of phones are not exact.
const VALID_SINCE: Duration = Duration::from_secs(24 * 3600);

/// With the certificate and key in `files`, or else with ones that are made now.
pub(crate) fn config(files: Option<(&Path, &Path)>) -> Result<ServerConfig, String> {
    let (chain, key) = match files {
        Some((certificate, key)) => (read_chain(certificate)?, read_key(key)?),
        None => make().map_err(|error| format!("cannot make a certificate: {error}"))?,
    };
    ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).map_err(|error| {
        let (Some((certificate, key)), rustls::Error::InconsistentKeys(_)) = (files, &error) else {
            return format!("cannot serve with this certificate: {error}");
        };
        let (certificate, key) = (certificate.display(), key.display());
        format!("the private key in {key} does not belong to the certificate in {certificate}")
    })
}

/// Accepts connections and shakes hands with many at a time: one that is slow keeps nobody else waiting.
pub(crate) struct TlsListener<L: Listener> {
    inner: L,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<io::Result<Connection<L>>>,
}

type Connection<L> = (TlsStream<<L as Listener>::Io>, <L as Listener>::Addr);

impl<L: Listener> TlsListener<L> {
    pub(crate) fn new(inner: L, config: Arc<ServerConfig>) -> Self {
        Self { inner, acceptor: config.into(), handshakes: JoinSet::new() }
    }
}

impl<L: Listener<Addr: 'static>> Listener for TlsListener<L> {
    type Io = TlsStream<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, address) = self.inner.accept(), if self.handshakes.len() < MOST_HANDSHAKES => {
                    let handshake = time::timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(stream));
                    self.handshakes.spawn(async { Ok((handshake.await??, address)) });
                }
                Some(Ok(shaken)) = self.handshakes.join_next() => match shaken {
                    Ok(connection) => return connection,
                    // Most likely somebody who looks at the browser's warning.
                    Err(error) => tracing::debug!(%error, "no TLS handshake"),
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(chain) if chain.is_empty() => Err(unreadable("certificate", path, &pem::Error::NoItemsFound)),
        Ok(chain) => Ok(chain),
        Err(error) => Err(unreadable("certificate", path, &error)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable("private key", path, &error))
}

fn unreadable(what: &str, path: &Path, error: &pem::Error) -> String {
    let path = path.display();
    if let pem::Error::NoItemsFound = error {
        format!("there is no {what} in PEM format in {path}")
    } else {
        format!("cannot read the {what} in {path}: {error}")
    }
}

/// A certificate that is signed by nobody else, for every name by which a browser may open this machine.
fn make() -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), rcgen::Error> {
    let mut params = CertificateParams::new(names())?;
    params.distinguished_name.push(DnType::CommonName, "WebRTC signaling demo");
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    let now = SystemTime::now();
    params.not_before = (now - VALID_SINCE).into();
    params.not_after = (now + VALID_FOR - VALID_SINCE).into();
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((vec![certificate.into()], PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

fn names() -> Vec<String> {
    let host = gethostname::gethostname().into_string().ok().filter(|host| is_dns_name(host));
    let local = host.as_ref().filter(|host| !host.contains('.')).map(|host| format!("{host}.local"));
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses =
        interfaces.iter().filter(|interface| !interface.is_link_local()).map(if_addrs::Interface::ip);
    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    let mut addresses: Vec<IpAddr> = loopback.into_iter().chain(addresses).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let addresses = addresses.iter().map(IpAddr::to_string);
    ["localhost".to_owned()].into_iter().chain(host).chain(local).chain(addresses).collect()
}

fn is_dns_name(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests;
