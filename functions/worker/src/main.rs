//! The worker as a Lambda: wiring only.

use berth_aws::{Clients, Prober, Resources, Store, config};
use berth_domain::Clock;
use berth_domain::operation::StepInput;
use berth_domain::settings::Settings;
use berth_worker::{Context, run};
use lambda_runtime::{Error, LambdaEvent, service_fn, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::trying_once(&config::from_env_vars().await);
    let clock = Clock::real();
    let settings = Settings::from_env_vars()?;
    let context = &Context {
        store: Store::new(clients.dynamodb.clone(), &settings, clock.clone()),
        prober: Prober::new(config::https(), clock.clone()),
        aws: Resources::new(clients),
        settings,
        clock,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<StepInput>| async move {
        Box::pin(run(context, event.payload)).await
    }))
    .await
}
