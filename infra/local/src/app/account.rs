//! `berth-local account`: the AWS account without Berth. A Berth that is deployed elsewhere (infra/ministack) builds
//! its environments here, gets its tokens here, and names the keys that its roles sign with. Nothing is stored.

use axum::routing::put;
use axum::{Json, Router};
use berth_domain::Clock;
use http::StatusCode;
use jiff::Timestamp;

use super::cli;
use super::{console, local};
use crate::endpoint::Endpoint;
use crate::endpoint::serve;
use crate::endpoint::trust::{self, Ports};
use crate::http_server;
use crate::issuer::{self, Issuer};
use crate::stand_in::access_keys::AccessKey;
use crate::stand_in::dynamo::Dynamo;
use crate::stand_in::net::Net;
use crate::stand_in::profile::Profile;
use crate::stand_in::quotas::Quotas;
use crate::stand_in::rates::Rates;
use crate::stand_in::{self, Cloud};
use crate::step_functions::{self, States};

/// Serves the AWS endpoint and the issuer until Ctrl-C (or SIGTERM), then stops every task.
///
/// # Errors
/// One line that says what failed, and what to do.
pub async fn run(options: cli::Account) -> Result<(), String> {
    let listener = local::listen(options.aws_port, "--aws-port").await?;
    let execute_api = local::listen(options.execute_api_port(), "--execute-api-port").await?;
    let (port, execute_api_port) = (local::port(&listener)?, local::port(&execute_api)?);
    let clock = Clock::scaled(options.speed);
    let cloud = Cloud::start(stand_in::Options {
        clock: clock.clone(),
        profile: Profile::medians(),
        seed: Timestamp::now().as_millisecond().unsigned_abs(),
        net: Net::loopback(),
        rates: Rates::default(),
        quotas: Quotas::default(),
        state: None,
        keep: None,
        programs: local::programs(&options.tasks)?,
    });
    let dynamo = Dynamo::memory(clock.clone()).map_err(|error| format!("cannot open a database: {error}"))?;
    let endpoint = Endpoint::new(cloud.clone(), dynamo, States::new(step_functions::Options::new(clock)));
    let issuer = Issuer::new(&Issuer::new_key()?, &format!("http://127.0.0.1:{port}"))?;
    let aws_api = issuer::routes(issuer).merge(keys(cloud.clone())).merge(serve::aws_api(endpoint.clone()));
    let aws_api = trust::guard(aws_api, Ports { aws: port, api: None });
    let key = cloud.read(|account| account.keys.developer.clone());
    console::say(&format!(
        "An AWS account is up: AWS endpoint http://127.0.0.1:{port}, stages {}, {}x AWS's speed. Ctrl-C stops it.\n\
         To request environments with access iam: export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}\n",
        local::stage_url(execute_api_port),
        options.speed,
        key.id,
        key.secret
    ));
    let result = tokio::select! {
        never = http_server::serve(listener, aws_api) => match never {},
        never = http_server::serve(execute_api, serve::execute_api(endpoint)) => match never {},
        result = local::stop_signal() => result,
    };
    cloud.runner().stop_all().await;
    result
}

/// `PUT /_berth/access-keys`: a key of a principal of the account, for requests to environments with access `iam`.
fn keys(cloud: Cloud) -> Router {
    let add = async move |Json(key): Json<AccessKey>| {
        cloud.change(|account| {
            account.keys.others.retain(|other| other.id != key.id);
            account.keys.others.push(key);
        });
        StatusCode::NO_CONTENT
    };
    Router::new().route("/_berth/access-keys", put(add))
}
