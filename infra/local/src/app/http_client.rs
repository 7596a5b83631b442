//! A client for plain HTTP/1.1 on this machine: one connection a call, and a time limit. It follows no redirect.

use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri, header};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The time limit of a whole call.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends `request`, whose URI is complete (`http://localhost:8080/healthz`), and reads the whole answer.
///
/// # Errors
/// One line that says why there is no answer, without the address.
pub(super) async fn send(request: Request<String>) -> Result<Response<Bytes>, String> {
    match tokio::time::timeout(LIMIT, exchange(request)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
    }
}

async fn exchange(request: Request<String>) -> Result<Response<Bytes>, String> {
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().ok_or("the URL names no host")?.clone();
    let path = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    parts.uri = Uri::from(path);
    parts.headers.insert(header::HOST, authority.as_str().try_into().map_err(line)?);
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await.map_err(line)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(line)?;
    tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(parts, body)).await.map_err(line)?;
    let (parts, body) = response.into_parts();
    Ok(Response::from_parts(parts, body.collect().await.map_err(line)?.to_bytes()))
}

fn line(error: impl std::fmt::Display) -> String {
    error.to_string()
}
