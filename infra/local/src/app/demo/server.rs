//! Finds the berth-local that runs at the demo's ports, and has the options of the one that the demo starts if none does.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use berth_domain::access::AccessKind;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::app::cli::{AWS_PORT, Demo, LimitOptions, PORT, RETENTION_DAYS, Serve};
use crate::app::http_client;

/// How many times as fast as AWS the demo's own berth-local is: an environment takes about 9 s.
pub(super) const SPEED: f64 = 50.0;

/// Where a berth-local answers.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    /// The API's port.
    pub api: u16,
    /// The AWS endpoint's port.
    pub aws: u16,
}

/// The result of looking at the two ports.
pub(super) enum Found {
    /// A berth-local answers there.
    Running(Ports),
    /// No berth-local answers there, for this reason.
    None(String),
}

/// Looks for a berth-local at the ports of `options`.
///
/// # Errors
/// One line, if another program listens at a port that the user names. At the default ports this is no error: other programs
/// use these as well.
pub(super) async fn find_server(options: &Demo) -> Result<Found, String> {
    let ports = Ports { api: options.port.unwrap_or(PORT), aws: options.aws_port.unwrap_or(AWS_PORT) };
    let (api, aws) = tokio::join!(
        probe_port(ports.api, "/openapi.json", |body| body["info"]["title"] == "Berth"),
        probe_port(ports.aws, "/_berth/.well-known/openid-configuration", |body| body["token_endpoint"].is_string()),
    );
    let what = |port: u16, part: &str, listener: &Listener| match listener {
        Listener::Absent => format!("nothing listens on port {port}"),
        Listener::Berth => format!("a berth-local's {part} answers on port {port}"),
        Listener::Other => format!("the program on port {port} is not a berth-local's {part}"),
    };
    let what = format!("{}, and {}", what(ports.api, "API", &api), what(ports.aws, "AWS endpoint", &aws));
    let named = options.port.is_some() || options.aws_port.is_some();
    match (api, aws) {
        (Listener::Berth, Listener::Berth) => Ok(Found::Running(ports)),
        (Listener::Absent, Listener::Absent) => {
            Ok(Found::None(format!("nothing listens on ports {} and {}", ports.api, ports.aws)))
        }
        _ if named => Err(format!(
            "{what}; name both ports of a running berth-local with --port and --aws-port, or leave both out"
        )),
        _ => Ok(Found::None(what)),
    }
}

/// The options of the berth-local that the demo starts: nothing on disk, and free ports. At the default ports a second demo
/// would find it, and lose it when the first demo ends.
pub(super) fn own_options() -> Serve {
    Serve {
        port: 0,
        aws_port: 0,
        execute_api_port: None,
        speed: SPEED,
        data: PathBuf::new(),
        ephemeral: true,
        seed: None,
        tasks: Vec::new(),
        limits: LimitOptions::default(),
        retention_days: RETENTION_DAYS,
        allowed_origin: None,
        default_access: AccessKind::Open,
        loosest_access: AccessKind::Open,
        allowed_cidrs: Vec::new(),
    }
}

enum Listener {
    Absent,
    Berth,
    Other,
}

async fn probe_port(port: u16, path: &str, is_berth: impl Fn(&Value) -> bool) -> Listener {
    if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        return Listener::Absent;
    }
    let Ok(request) = Request::get(format!("http://127.0.0.1:{port}{path}")).body(String::new()) else {
        return Listener::Other;
    };
    let json = |body: &Bytes| serde_json::from_slice(body).unwrap_or_default();
    match http_client::send(request).await {
        Ok(answer) if answer.status() == StatusCode::OK && is_berth(&json(answer.body())) => Listener::Berth,
        Ok(_) | Err(_) => Listener::Other,
    }
}
