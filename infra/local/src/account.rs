//! `berth-local account`: the AWS account without Berth. A Berth that is deployed somewhere else (infra/ministack) builds its
//! environments here, and gets its tokens here. Nothing is kept.

use berth_domain::Clock;
use jiff::Timestamp;

use crate::cli;
use crate::cloud::net::Net;
use crate::cloud::profile::Profile;
use crate::cloud::quotas::Quotas;
use crate::cloud::rates::Rates;
use crate::cloud::{self, Cloud};
use crate::door::Door;
use crate::dynamo::Dynamo;
use crate::issuer::{self, Issuer};
use crate::states::{self, States};
use crate::{console, local, serve};

/// Serves the AWS endpoint and the issuer until Ctrl-C (or SIGTERM), then stops every task.
///
/// # Errors
/// One line that says what cannot be done.
pub async fn run(options: cli::Account) -> Result<(), String> {
    let listener = local::listen(options.aws_port, "--aws-port").await?;
    let port = local::port(&listener)?;
    let clock = Clock::scaled(options.speed);
    let cloud = Cloud::start(cloud::Options {
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
    let dynamo = Dynamo::memory().map_err(|error| format!("cannot open a table: {error}"))?;
    let door = Door::new(cloud.clone(), dynamo, States::new(states::Options::new(clock)));
    let issuer = Issuer::new(&Issuer::new_key()?, &format!("http://127.0.0.1:{port}"))?;
    let router = issuer::routes(issuer).merge(serve::router(door));
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
