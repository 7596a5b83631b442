//! Serving: the API and the AWS endpoint on loopback ports, until Ctrl-C.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use berth_domain::Clock;
use berth_domain::access::AccessRule;
use berth_domain::ids::IdGenerator;
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::cli::{self, Serve};
use super::disk::Disk;
use super::embedded::{Embedded, Parts};
use super::events::Delivery;
use super::{console, http_client};
use crate::endpoint::serve;
use crate::endpoint::trust::{self, Ports};
use crate::http_server;
use crate::issuer::{self, Issuer};
use crate::stand_in::ecs::Programs;
use crate::stand_in::net::Net;
use crate::stand_in::profile::Profile;
use crate::stand_in::quotas::Quotas;
use crate::stand_in::rates::Rates;
use crate::stored::Row;

/// Serves until Ctrl-C (or SIGTERM), then stops every task.
///
/// # Errors
/// One line that says what failed, and what to do.
pub async fn run(options: Serve) -> Result<(), String> {
    let server = start(&options).await?;
    welcome(&server, &options);
    let shown = console::show(server.embedded.clone());
    let end = async {
        tokio::select! {
            () = shown => Ok(()),
            result = stop_signal() => result,
        }
    };
    server.serve_until(end).await
}

/// The whole system with its three ports; it answers within [`Server::serve_until`].
pub(crate) struct Server {
    /// The API's port.
    pub api_port: u16,
    /// The AWS endpoint's port.
    pub aws_port: u16,
    api: TcpListener,
    aws: TcpListener,
    execute_api: TcpListener,
    issuer: Issuer,
    embedded: Embedded,
}

/// Listens on all ports and starts the system.
///
/// # Errors
/// One line that says what failed, and what to do.
pub(crate) async fn start(options: &Serve) -> Result<Server, String> {
    let aws = listen(options.aws_port, "--aws-port").await?;
    let api = listen(options.port, "--port").await?;
    let execute_api = listen(options.execute_api_port(), "--execute-api-port").await?;
    let (api_port, aws_port, execute_api_port) = (port(&api)?, port(&aws)?, port(&execute_api)?);
    let disk = if options.ephemeral { None } else { Some(Disk::open(&options.data)?) };
    let issuer = Issuer::new(&key(disk.as_ref())?, &format!("http://127.0.0.1:{aws_port}"))?;
    let clock = Clock::scaled(options.speed);
    let programs = programs(&options.tasks)?;
    let embedded = Embedded::start(Parts {
        clock: clock.clone(),
        profile: if options.seed.is_some() { Profile::varying() } else { Profile::medians() },
        seed: options.seed.unwrap_or_else(|| Timestamp::now().as_millisecond().unsigned_abs()),
        net: Net::loopback(),
        rates: Rates::default(),
        quotas: Quotas::default(),
        disk,
        programs,
        stage_url: stage_url(execute_api_port),
        prober: Some(berth_aws::config::http()),
        authorizer: issuer.authorizer(clock.clone())?,
        limits: options.limits.limits(),
        allowed_origin: options.allowed_origin.clone(),
        access: AccessRule::new(options.default_access, options.loosest_access, options.allowed_cidrs.clone())
            .map_err(|error| format!("--default-access, --loosest-access, --allowed-cidr: {error}"))?,
        ids: IdGenerator::random(clock),
        retention_days: options.retention_days,
        delivery: Delivery::default(),
    })
    .await?;
    Ok(Server { api_port, aws_port, api, aws, execute_api, issuer, embedded })
}

impl Server {
    /// Serves until `end` is done, then stops every task.
    ///
    /// # Errors
    /// The error of `end`.
    pub async fn serve_until(self, end: impl Future<Output = Result<(), String>>) -> Result<(), String> {
        let Self { api_port, aws_port, api, aws, execute_api, issuer, embedded } = self;
        let aws_api = issuer::routes(issuer).merge(serve::aws_api(embedded.endpoint.clone()));
        let aws_api = trust::guard(aws_api, Ports { aws: aws_port, api: Some(api_port) });
        let result = tokio::select! {
            never = http_server::serve(api, embedded.router.clone()) => match never {},
            never = http_server::serve(aws, aws_api) => match never {},
            never = http_server::serve(execute_api, serve::execute_api(embedded.endpoint.clone())) => match never {},
            result = end => result,
        };
        embedded.cloud.runner().stop_all().await;
        result
    }
}

/// The command of each family.
///
/// # Errors
/// One line, when a family is named twice.
pub(crate) fn programs(tasks: &[(String, String)]) -> Result<Programs, String> {
    let commands: BTreeMap<String, String> = tasks.iter().cloned().collect();
    if commands.len() < tasks.len() {
        return Err("--task names a family twice; give each family one command".to_owned());
    }
    let own = std::env::current_exe().map_err(|error| format!("berth-local does not find its own program: {error}"))?;
    Ok(Programs { commands, keeper: vec![own.to_string_lossy().into_owned(), cli::KEEPER.to_owned()] })
}

/// The URL of a stage on the port for clients, with `{api}` and `{stage}`.
pub(crate) fn stage_url(execute_api_port: u16) -> String {
    format!("http://127.0.0.1:{execute_api_port}/restapis/{{api}}/{{stage}}/_user_request_")
}

/// Prints a token that the running berth-local issues.
///
/// # Errors
/// One line that says what to do.
pub async fn token(asked: &cli::Token) -> Result<(), String> {
    console::say(&token_get(asked).await?);
    Ok(())
}

/// A token that the running berth-local issues.
///
/// # Errors
/// One line that says what to do.
pub(crate) async fn token_get(asked: &cli::Token) -> Result<String, String> {
    let cli::Token { team, operator, aws_port } = asked;
    let not_there = |error: &dyn std::fmt::Display| {
        format!(
            "no berth-local answers on 127.0.0.1:{aws_port} ({error}); start one with `cargo local`, or name its port with --aws-port"
        )
    };
    let role = if *operator { "operator" } else { "member" };
    let url = format!("http://127.0.0.1:{aws_port}/_berth/token?team={team}&role={role}");
    let request = http::Request::get(url).body(String::new()).map_err(|error| error.to_string())?;
    let response = http_client::send(request).await.map_err(|error| not_there(&error))?;
    let answer: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
    answer["access_token"].as_str().map(str::to_owned).ok_or_else(|| not_there(&"another server uses this port"))
}

/// The kind of the row that has the key that signs tokens.
const ISSUER: &str = "issuer";

/// The key that signs tokens. It is stored with the data, so that tokens stay valid after a restart.
fn key(disk: Option<&Disk>) -> Result<Vec<u8>, String> {
    let Some(disk) = disk else { return Issuer::new_key() };
    if let Some(key) = disk.read_one(ISSUER)? {
        return Ok(key);
    }
    let key = Issuer::new_key()?;
    disk.write(Row::of(ISSUER, "", &key).into_iter().collect());
    Ok(key)
}

pub(crate) async fn listen(port: u16, option: &str) -> Result<TcpListener, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        format!("cannot listen on 127.0.0.1:{port}: {error}; choose another port with {option} (0 takes any free one)")
    })
}

pub(crate) fn port(listener: &TcpListener) -> Result<u16, String> {
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

fn welcome(server: &Server, options: &Serve) {
    let Server { api_port, aws_port, .. } = *server;
    let key = server.embedded.cloud.read(|account| account.keys.developer.clone());
    let kept = if options.ephemeral {
        "nothing is stored".to_owned()
    } else {
        format!("stored in {}", options.data.display())
    };
    let ports = if (api_port, aws_port) == (cli::PORT, cli::AWS_PORT) {
        String::new()
    } else {
        format!(" --port {api_port} --aws-port {aws_port}")
    };
    let token_port = if aws_port == cli::AWS_PORT { String::new() } else { format!(" --aws-port {aws_port}") };
    let text = format!(
        "Berth is up: API http://127.0.0.1:{api_port}, AWS endpoint http://127.0.0.1:{aws_port}, {}x AWS's speed, {kept}. Ctrl-C stops it.

In another terminal:
  cargo local demo{ports}           # creates an environment, follows it, requests its service, deletes it
or by hand:
  TOKEN=$(cargo -q local token --team demo{token_port})
  curl -sX POST localhost:{api_port}/environments -H \"Authorization: Bearer $TOKEN\" -d '{{\"name\":\"first\",\"task_definition\":\"hello\"}}'
  curl -s localhost:{api_port}/environments -H \"Authorization: Bearer $TOKEN\"           # until status is ready; then curl its url
  curl -sX DELETE localhost:{api_port}/environments/ID -H \"Authorization: Bearer $TOKEN\"
  AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x aws --region us-east-1 --endpoint-url http://127.0.0.1:{aws_port} elbv2 describe-load-balancers

  To request an environment with access iam, as its `access.example` says (default {}, loosest {}):
  export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}
",
        options.speed, options.default_access, options.loosest_access, key.id, key.secret
    );
    console::say(&text);
}

pub(crate) async fn stop_signal() -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.map_err(|error| error.to_string()),
        _ = terminate.recv() => Ok(()),
    }
}
