//! The sample server: what a task runs when no command is given for its family. It answers every request with a
//! description of the request.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};

use super::runner::Launch;
use crate::stand_in::Cloud;
use crate::stand_in::net::Listener;

#[derive(Clone)]
struct Seen {
    task: String,
    /// Only the variables that are meant for it: those that begin with `BERTH_`.
    environment: BTreeMap<String, String>,
}

/// Listens at every port of the task; ends when the returned tasks are aborted.
pub(super) async fn start(cloud: &Cloud, launch: &Launch) -> io::Result<Vec<JoinHandle<()>>> {
    let environment = launch.environment.iter().filter(|(name, _)| name.starts_with("BERTH_")).cloned().collect();
    let seen = Seen { task: launch.task.clone(), environment };
    let mut listeners = Vec::new();
    for port in &launch.ports {
        listeners.push(cloud.net().listen((launch.ip.clone(), *port)).await?);
    }
    Ok(listeners.into_iter().map(|listener| tokio::spawn(serve(listener, seen.clone()))).collect())
}

async fn serve(mut listener: Listener, seen: Seen) {
    // Dropped with this future, which ends all connections.
    let mut connections = JoinSet::new();
    while let Ok(stream) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let seen = seen.clone();
        connections.spawn(async move {
            let answer = service_fn(move |request| answer(seen.clone(), request));
            let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection to the sample server broke off");
            }
        });
    }
}

async fn answer(seen: Seen, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, mut body) = request.into_parts();
    let mut body_length = 0;
    while let Some(Ok(frame)) = body.frame().await {
        body_length += frame.data_ref().map_or(0, Bytes::len);
    }
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let all = headers.entry(name.as_str()).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&value);
    }
    let reply = json!({
        "message": "hello from Berth's sample service",
        "task": seen.task,
        "method": parts.method.as_str(),
        "path": parts.uri.path_and_query().map_or("/", |path| path.as_str()),
        "headers": headers,
        "body_length": body_length,
        "environment": seen.environment,
    });
    let mut response = Response::new(Full::from(reply.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}
