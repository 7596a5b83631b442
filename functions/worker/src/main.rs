//! The worker as a Lambda: wiring only.

use berth_aws::{Clients, Prober, Resources, Signer, Store, config};
use berth_domain::Clock;
use berth_domain::operation::StepInput;
use berth_domain::settings::Settings;
use berth_worker::{Context, run};
use lambda_runtime::{Error, LambdaEvent, service_fn, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = config::from_env_vars().await;
    let clients = Clients::trying_once(&config);
    let clock = Clock::real();
    let settings = Settings::from_env_vars()?;
    let signer = Signer {
        role: std::env::var("BERTH_WORKER_ROLE").map_err(|error| format!("BERTH_WORKER_ROLE: {error}"))?,
        credentials: config.credentials_provider().ok_or("the SDK's configuration has no credentials")?,
        region: settings.region.clone(),
    };
    let context = &Context {
        store: Store::new(clients.dynamodb.clone(), &settings, clock.clone()),
        prober: Prober::new(config::https(), signer, clock.clone()),
        aws: Resources::new(clients),
        settings,
        clock,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<StepInput>| async move {
        Box::pin(run(context, event.payload)).await
    }))
    .await
}
