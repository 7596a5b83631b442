//! The janitor as a Lambda: wiring only.

use berth_app::App;
use berth_aws::{Clients, Machine, Resources, Store, config};
use berth_domain::Clock;
use berth_domain::ids::IdGenerator;
use berth_domain::settings::Settings;
use berth_janitor::{JanitorCall, run};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let level = &std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "INFO".to_owned());
    let clients = Clients::trying_once(&config::from_env_vars().await);
    let clock = Clock::real();
    let settings = Settings::from_env_vars()?;
    let app = &App {
        store: Store::new(clients.dynamodb.clone(), &settings, clock.clone()),
        machine: Machine::new(clients.sfn.clone(), std::env::var("BERTH_STATE_MACHINE")?),
        aws: Resources::new(clients),
        settings,
        ids: IdGenerator::random(clock.clone()),
        clock,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<JanitorCall>| async move {
        // Otherwise Lambda's log calls it by the Rust type of the error.
        let metrics = Box::pin(run(app, event.payload)).await.map_err(|error| Diagnostic {
            error_type: "JanitorFailed".to_owned(),
            error_message: error.cause().to_owned(),
        })?;
        // CloudWatch reads metrics from lines that are nothing but JSON.
        if let Some(line) = metrics.line(&app.settings.deployment, level, app.clock.now()) {
            println!("{line}");
        }
        Ok::<(), Diagnostic>(())
    }))
    .await
}
