//! A certificate for 127.0.0.1 that only this run trusts, and a listener that speaks TLS with it.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// The machine's own roots: a function in AWS reads them all, so one here does too.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The certificate, and the file that makes clients trust it.
pub struct Tls {
    server: Arc<ServerConfig>,
    roots: NamedTempFile,
}

impl Tls {
    /// A new certificate.
    pub fn new() -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| format!("no certificate: {error}");
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).map_err(|error| text(&error))?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(|error| text(&error))?;
        let server =
            ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| text(&error))?
                .with_no_client_auth()
                .with_single_cert(vec![cert.der().clone()], key)
                .map_err(|error| text(&error))?;
        let mut roots = NamedTempFile::new().map_err(|error| text(&error))?;
        let system = std::fs::read(SYSTEM_ROOTS).unwrap_or_default();
        roots.write_all(&system).and_then(|()| roots.write_all(cert.pem().as_bytes())).map_err(|error| text(&error))?;
        Ok(Self { server: Arc::new(server), roots })
    }

    /// The file with the roots that a client is to trust.
    pub fn roots(&self) -> &std::path::Path {
        self.roots.path()
    }

    /// Wraps a listener.
    pub fn listener(&self, tcp: TcpListener) -> Listener {
        Listener { tcp, acceptor: TlsAcceptor::from(Arc::clone(&self.server)) }
    }
}

/// Accepts TLS connections, for `axum::serve`.
pub struct Listener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            // Whoever fails to connect, or to shake hands, is no one that is measured.
            let Ok((stream, address)) = self.tcp.accept().await else { continue };
            // Otherwise a reply's last part waits for an acknowledgement.
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
