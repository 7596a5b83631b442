//! The HTTP server of every listener: HTTP/1.1 with time limits for head and body, so that a client which stops sending does not
//! keep its connection. What is served is in `app` and `endpoint`.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{BoxError, Extension, Router};
use http::header;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::Sleep;

/// For the head of a request, also for the first of a new connection and the next of an old one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// For the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a body that was not read is received before the answer, in bytes, and for how long: a client that still sends
/// would not see the answer.
const MAX_DRAINED: usize = 16 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// After a connection that could not be accepted: usually, the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Accepts connections to `router` until the future is dropped. Handlers get the peer as `ConnectInfo<SocketAddr>`.
pub async fn serve(listener: TcpListener, router: Router) -> Infallible {
    let router = router.layer(middleware::from_fn(in_time));
    loop {
        match listener.accept().await {
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            Ok((stream, peer)) => {
                let service = TowerToHyperService::new(router.clone().layer(Extension(ConnectInfo(peer))));
                let mut server = http1::Builder::new();
                server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
                // An error is the client's: it went away, sent no HTTP, or was too slow.
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        }
    }
}

/// Limits the time of the body, and receives what was not read of it.
async fn in_time(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(header::EXPECT);
    let body = Arc::new(Mutex::new(body));
    let limited = InTime { body: Arc::clone(&body), end: Box::pin(tokio::time::sleep(BODY_TIMEOUT)) };
    let response = next.run(Request::from_parts(parts, Body::new(limited))).await;
    // A client that waits for permission to send gets the answer instead.
    if waits {
        return response;
    }
    let rest = Rest(body);
    // Without an end within these limits, the connection is closed.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, http_body_util::Limited::new(rest, MAX_DRAINED).collect()).await;
    response
}

/// A body that ends with an error when its time is over.
struct InTime {
    body: Arc<Mutex<Body>>,
    end: Pin<Box<Sleep>>,
}

impl hyper::body::Body for InTime {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(
                format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()).into()
            )));
        }
        poll(&self.body, context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

/// What was not read of a body.
struct Rest(Arc<Mutex<Body>>);

impl hyper::body::Body for Rest {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        poll(&self.0, context)
    }
}

fn poll(body: &Mutex<Body>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
    let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
    Pin::new(&mut *body).poll_frame(context).map_err(Into::into)
}
