//! `berth-local account`: the AWS account without Berth. A Berth that is deployed elsewhere (infra/ministack) builds
//! its environments here, and gets its tokens here. Nothing is stored.

use berth_domain::Clock;
use jiff::Timestamp;

use super::cli;
use super::{console, local};
use crate::endpoint::Endpoint;
use crate::endpoint::serve;
use crate::issuer::{self, Issuer};
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
    let port = local::port(&listener)?;
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
    let router = issuer::routes(issuer).merge(serve::router(endpoint));
    console::say(&format!(
        "An AWS account is up: AWS endpoint http://127.0.0.1:{port}, {}x AWS's speed. Ctrl-C stops it.\n",
        options.speed
    ));
    let result = tokio::select! {
        result = async { axum::serve(listener, router).await } => result.map_err(|error| format!("serving ended: {error}")),
        result = local::stop_signal() => result,
    };
    cloud.runner().stop_all().await;
    result
}
