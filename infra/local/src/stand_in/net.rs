//! The private network of the stand-in: names and ports as AWS gives them, mapped to loopback TCP sockets, or to pipes
//! in memory where time is virtual (real sockets would let tokio's paused clock run away).

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A host name or private address, and a port, as AWS knows them.
pub type Address = (String, u16);

/// The network; cheap to clone.
#[derive(Clone)]
pub struct Net {
    memory: bool,
    backends: Arc<Mutex<BTreeMap<Address, Backend>>>,
    listeners: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Backend {
    /// The listener's number; 0 for a process that was published.
    listener: u64,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Tcp(SocketAddr),
    Memory(mpsc::UnboundedSender<DuplexStream>),
}

impl Net {
    /// Every listener is a TCP listener on a free loopback port.
    #[must_use]
    pub fn loopback() -> Self {
        Self { memory: false, backends: Arc::default(), listeners: Arc::default() }
    }

    /// Every listener is a queue of pipes.
    #[must_use]
    pub fn memory() -> Self {
        Self { memory: true, backends: Arc::default(), listeners: Arc::default() }
    }

    /// Listens at `address`; the listener leaves the network when it is dropped.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn listen(&self, address: Address) -> io::Result<Listener> {
        let number = self.listeners.fetch_add(1, Ordering::Relaxed) + 1;
        let (way, source) = if self.memory {
            let (sender, receiver) = mpsc::unbounded_channel();
            (Way::Memory(sender), Source::Memory(receiver))
        } else {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            (Way::Tcp(listener.local_addr()?), Source::Tcp(listener))
        };
        self.backends().insert(address.clone(), Backend { listener: number, way });
        Ok(Listener { source, net: self.clone(), address, number })
    }

    /// Publishes a process that listens at `real` under `address`.
    pub fn publish(&self, address: Address, real: SocketAddr) {
        self.backends().insert(address, Backend { listener: 0, way: Way::Tcp(real) });
    }

    /// Removes `address` from the network.
    pub fn withdraw(&self, address: &Address) {
        self.backends().remove(address);
    }

    /// The loopback address behind `address`, if it is one.
    #[must_use]
    pub fn real(&self, address: &Address) -> Option<SocketAddr> {
        match self.backends().get(address)?.way {
            Way::Tcp(real) => Some(real),
            Way::Memory(_) => None,
        }
    }

    /// Connects to `address`.
    ///
    /// # Errors
    /// `ConnectionRefused` when there is no listener at the address.
    pub async fn connect(&self, address: &Address) -> io::Result<Stream> {
        let way = self.backends().get(address).map(|backend| backend.way.clone());
        match way {
            Some(Way::Tcp(real)) => Ok(Stream::Tcp(TcpStream::connect(real).await?)),
            Some(Way::Memory(sender)) => {
                let (ours, theirs) = tokio::io::duplex(64 * 1024);
                sender.send(theirs).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
                Ok(Stream::Memory(ours))
            }
            None => Err(io::Error::from(io::ErrorKind::ConnectionRefused)),
        }
    }

    fn backends(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, Backend>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections at one address.
pub struct Listener {
    source: Source,
    net: Net,
    address: Address,
    number: u64,
}

enum Source {
    Tcp(TcpListener),
    Memory(mpsc::UnboundedReceiver<DuplexStream>),
}

impl Listener {
    /// The next connection.
    ///
    /// # Errors
    /// When the listener can no longer accept.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        match &mut self.source {
            Source::Tcp(listener) => Ok(Stream::Tcp(listener.accept().await?.0)),
            Source::Memory(receiver) => {
                receiver.recv().await.map(Stream::Memory).ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut backends = self.net.backends();
        // Another listener may have been opened at this address meanwhile: it stays.
        if backends.get(&self.address).is_some_and(|backend| backend.listener == self.number) {
            backends.remove(&self.address);
        }
    }
}

/// One connection.
pub enum Stream {
    /// Over loopback.
    Tcp(TcpStream),
    /// Through a pipe in memory.
    Memory(DuplexStream),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Memory(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Memory(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Memory(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
