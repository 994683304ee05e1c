// A panic is the report.
#![allow(clippy::unwrap_used)]

use std::{fs, net::SocketAddr, path::PathBuf, process};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

use super::*;

#[tokio::test]
async fn the_certificate_is_the_one_in_the_files() {
    let files = Files::new("own");
    let root = files.write("cert.pem", "key.pem", "example.org");
    let address = echo(config(Some((&files.path("cert.pem"), &files.path("key.pem")))).unwrap()).await;
    say(address, root.clone(), "example.org").await.unwrap();
    say(address, root, "example.com").await.unwrap_err();
}

#[tokio::test]
async fn one_that_is_made_at_start_names_this_machine() {
    let (root, address) = echo_with_made().await;
    for name in ["localhost", "127.0.0.1", "::1"] {
        say(address, root.clone(), name).await.unwrap();
    }
    say(address, root, "example.org").await.unwrap_err();
}

#[tokio::test]
async fn who_does_not_shake_hands_keeps_nobody_waiting() {
    let (root, address) = echo_with_made().await;
    let _silent = TcpStream::connect(address).await.unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    time::timeout(HANDSHAKE_TIMEOUT / 2, say(address, root, "localhost")).await.unwrap().unwrap();
}

#[test]
fn files_that_do_not_serve_are_named() {
    let files = Files::new("wrong");
    files.write("cert.pem", "key.pem", "example.org");
    files.write("other.pem", "other-key.pem", "example.org");
    let fails = |certificate, key| {
        let error = config(Some((&files.path(certificate), &files.path(key)))).unwrap_err();
        error.replace(files.0.to_str().unwrap(), "")
    };
    assert!(fails("none.pem", "key.pem").starts_with("cannot read the certificate in /none.pem: "));
    assert!(fails("cert.pem", "none.pem").starts_with("cannot read the private key in /none.pem: "));
    assert_eq!(fails("key.pem", "key.pem"), "there is no certificate in PEM format in /key.pem");
    assert_eq!(fails("cert.pem", "cert.pem"), "there is no private key in PEM format in /cert.pem");
    assert_eq!(
        fails("cert.pem", "other-key.pem"),
        "the private key in /other-key.pem does not belong to the certificate in /cert.pem"
    );
}

async fn echo_with_made() -> (CertificateDer<'static>, SocketAddr) {
    let (chain, key) = make().unwrap();
    let root = chain[0].clone();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    (root, echo(config).await)
}

/// Says to each client what it has said.
async fn echo(config: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut listener = TlsListener::new(listener, Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await;
            let mut said = [0; 5];
            stream.read_exact(&mut said).await.unwrap();
            stream.write_all(&said).await.unwrap();
        }
    });
    address
}

/// Fails unless the server's certificate is `root` and holds for `name`.
async fn say(address: SocketAddr, root: CertificateDer<'static>, name: &'static str) -> io::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(b"hello").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"hello");
    Ok(())
}

/// A folder that is removed afterwards.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("signal-tls-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes a certificate for `host`.
    fn write(&self, certificate: &str, key: &str, host: &str) -> CertificateDer<'static> {
        let pair = KeyPair::generate().unwrap();
        let made = CertificateParams::new([host.to_owned()]).unwrap().self_signed(&pair).unwrap();
        fs::write(self.path(certificate), made.pem()).unwrap();
        fs::write(self.path(key), pair.serialize_pem()).unwrap();
        made.into()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
