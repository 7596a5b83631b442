//! The authorizer as a Lambda: wiring only.

use berth_authorizer::{Authorizer, Settings, TokenRequest};
use berth_aws::config;
use berth_domain::Clock;
use lambda_runtime::{Error, LambdaEvent, service_fn, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let authorizer = &Authorizer::new(Settings::from_env_vars()?, config::https(), Clock::real());
    // While the Lambda starts is the cheapest moment: no caller waits yet.
    authorizer.warm().await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<TokenRequest>| async move {
        Box::pin(authorizer.run(&event.payload)).await
    }))
    .await
}
