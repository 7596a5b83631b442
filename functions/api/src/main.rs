//! The API as a Lambda: wiring only.

use berth_api::{cors, finish, router};
use berth_app::App;
use berth_aws::{Clients, Machine, Resources, Store, config};
use berth_domain::Clock;
use berth_domain::ids::IdGenerator;
use berth_domain::settings::Settings;
use lambda_http::{Error, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    // Otherwise lambda_http puts the stage in front of every path, and no route fits.
    if std::env::var_os("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH").is_none() {
        return Err("set AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH=true for this function".into());
    }
    let clients = Clients::retrying(&config::from_env_vars().await);
    let clock = Clock::real();
    let settings = Settings::from_env_vars()?;
    let allowed_origin = cors::origin_from_env_vars()?;
    let app = App {
        store: Store::new(clients.dynamodb.clone(), &settings, clock.clone()),
        machine: Machine::new(clients.sfn.clone(), std::env::var("BERTH_STATE_MACHINE")?),
        aws: Resources::new(clients),
        settings,
        ids: IdGenerator::random(clock.clone()),
        clock,
    };
    lambda_http::run(finish(router(app), allowed_origin)).await
}
