//! The whole system in one process: the API behind its authorizer, the worker as a function of Step Functions, and
//! DynamoDB and the stand-in of AWS behind one AWS endpoint. `cargo local` and the tests run exactly this.

use std::path::Path;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use axum::Router;
use berth_app::App;
use berth_authorizer::Authorizer;
use berth_aws::{Clients, Machine, Prober, Resources, Signer, Store};
use berth_domain::access::AccessRule;
use berth_domain::ids::IdGenerator;
use berth_domain::limits::Limits;
use berth_domain::settings::Settings;
use berth_domain::spec::Throttle;
use berth_domain::{Clock, Error};
use dynoxide::errors::DynoxideError;
use http::HeaderValue;
use jiff::Timestamp;

use super::disk::{Disk, sqlite_trouble};
use super::events::{self, Delivery};
use super::lambda_functions::{self, Concurrency, WORKER};
use crate::authorizer;
use crate::endpoint::Endpoint;
use crate::endpoint::sdk;
use crate::stand_in::account::Account;
use crate::stand_in::dynamo::Dynamo;
use crate::stand_in::ec2;
use crate::stand_in::net::Net;
use crate::stand_in::profile::Profile;
use crate::stand_in::quotas::Quotas;
use crate::stand_in::rates::Rates;
use crate::stand_in::{ACCOUNT, Cloud, REGION, ecs};
use crate::step_functions::asl::Definition;
use crate::step_functions::{self, Executions, States};
use crate::stored::Keep;

/// The state machine as it is deployed.
pub const MACHINE: &str = include_str!("../../../../statemachine/environment.asl.json");
const MACHINE_NAME: &str = "berth-environment";
const TABLE: &str = "berth";
/// The defaults of infra/template.yaml.
const THROTTLE: Throttle = Throttle { requests_per_second: 100, burst: 200 };
/// How many resources without a record one audit may remove; the template's default.
pub const MAX_ORPHANS_REMOVED: usize = 10;

/// What an embedded system needs.
pub struct Parts {
    /// Its time.
    pub clock: Clock,
    /// The cloud's latencies.
    pub profile: Profile,
    /// Draws the cloud's ids and latencies.
    pub seed: u64,
    /// The cloud's network.
    pub net: Net,
    /// Whether the cloud limits calls as AWS does.
    pub rates: Rates,
    /// How much the cloud's account may have.
    pub quotas: Quotas,
    /// Where its state is stored across restarts; `None`: nowhere.
    pub disk: Option<Disk>,
    /// The commands of the tasks.
    pub programs: ecs::Programs,
    /// The public URL of a stage, with `{api}` and `{stage}`.
    pub stage_url: String,
    /// Who may reach the environments.
    pub access: AccessRule,
    /// Sends the prober's requests; `None`: they go to the endpoint in process.
    pub prober: Option<SharedHttpConnector>,
    /// Checks the callers' tokens.
    pub authorizer: Authorizer,
    /// What requests may ask for.
    pub limits: Limits,
    /// The origin of web pages that may call the API from a browser.
    pub allowed_origin: Option<HeaderValue>,
    /// Generates ids.
    pub ids: IdGenerator,
    /// For how many days deleted environments are kept.
    pub retention_days: u32,
    /// How events about ended executions are delivered.
    pub delivery: Delivery,
}

/// A running system; cheap to clone.
#[derive(Clone)]
pub struct Embedded {
    /// Its time.
    pub clock: Clock,
    /// The stand-in cloud.
    pub cloud: Cloud,
    /// The AWS endpoint.
    pub endpoint: Endpoint,
    /// Step Functions.
    pub states: States,
    /// The records.
    pub store: Store,
    /// SDK clients that reach the endpoint in process.
    pub clients: Clients,
    /// The deployment's configuration.
    pub settings: Settings,
    /// The use cases as the janitor runs them; a timer runs them too.
    pub janitor: App,
    /// The complete API.
    pub router: Router,
}

impl Embedded {
    /// Starts the system on the current tokio runtime, and resumes the operations that were under way when it stopped.
    ///
    /// # Errors
    /// One line that says what cannot be opened or read.
    pub async fn start(parts: Parts) -> Result<Self, String> {
        let Parts {
            clock,
            profile,
            seed,
            net,
            rates,
            quotas,
            disk,
            programs,
            stage_url,
            access,
            prober,
            authorizer,
            limits,
            allowed_origin,
            ids,
            retention_days,
            delivery,
        } = parts;
        let dynamo = match &disk {
            Some(disk) => Dynamo::file(&disk.table_file().to_string_lossy(), clock.clone()),
            None => Dynamo::memory(clock.clone()),
        };
        let dynamo = dynamo.map_err(|error| match &disk {
            Some(disk) => dynamo_trouble(&disk.table_file(), &error),
            None => format!("the table cannot be created in memory: {error}"),
        })?;
        let (account, executions) = match &disk {
            Some(disk) => stored(disk)?,
            None => (None, None),
        };
        let write = |disk: &Disk| -> Keep {
            let disk = disk.clone();
            Box::new(move |rows| disk.write(rows))
        };
        let cloud = Cloud::start(crate::stand_in::Options {
            clock: clock.clone(),
            profile,
            seed,
            net,
            rates,
            quotas,
            state: account,
            keep: disk.as_ref().map(write),
            programs,
        });
        let (on_change, ended) = events::rule();
        let states = States::new(step_functions::Options {
            on_change: Some(on_change),
            seed,
            machines: vec![step_functions::StateMachine { name: MACHINE_NAME.to_owned(), definition: definition()? }],
            kept: executions,
            keep: disk.as_ref().map(write),
            ..step_functions::Options::new(clock.clone())
        });
        tokio::spawn(dynamo.clone().run_expiry(clock.clone()));
        let endpoint = Endpoint::new(cloud.clone(), dynamo, states.clone());
        let connector = sdk::connector(&endpoint);
        let key = cloud.read(|account| account.keys.worker.clone());
        let credentials = sdk::credentials(&key);
        let config = berth_aws::config::through(connector.clone(), credentials.clone(), REGION);
        let clients = Clients::retrying(&config);
        let settings = Settings {
            deployment: TABLE.to_owned(),
            lifetime: None,
            cluster: "default".to_owned(),
            subnets: ec2::BERTH_SUBNETS.map(str::to_owned).to_vec(),
            security_groups: vec![ec2::SECURITY_GROUP.to_owned()],
            limits,
            retention_days,
            max_orphans_removed: MAX_ORPHANS_REMOVED,
            stage_url,
            region: REGION.to_owned(),
            access,
            throttle: THROTTLE,
        };
        let store = Store::new(clients.dynamodb.clone(), &settings, clock.clone());
        store.table_ensure().await.map_err(|error| format!("cannot create the table: {}", error.cause()))?;
        let machine_arn = format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINE_NAME}");
        let machine = Machine::new(clients.sfn.clone(), machine_arn);
        let aws = Resources::new(Clients::trying_once(&config));
        let signer = Signer { role: key.principal, credentials, region: REGION.to_owned() };
        let worker = berth_worker::Context {
            store: store.clone(),
            aws: aws.clone(),
            prober: Prober::new(prober.unwrap_or(connector), signer, clock.clone()),
            settings: settings.clone(),
            clock: clock.clone(),
        };
        let concurrency = Concurrency::new(quotas.concurrent_calls);
        let calls = concurrency.clone();
        states.serve(Arc::new(move |invocation| {
            Box::pin(lambda_functions::call_worker(worker.clone(), calls.clone(), invocation))
        }));
        let janitor = App { store: store.clone(), machine, aws, settings: settings.clone(), ids, clock: clock.clone() };
        let api = App { aws: Resources::new(clients.clone()), ..janitor.clone() };
        let router = authorizer::guard(berth_api::router(api), authorizer, allowed_origin, clock.clone());
        let embedded = Self { clock, cloud, endpoint, states, store, clients, settings, janitor, router };
        embedded
            .resume()
            .await
            .map_err(|error| format!("cannot resume the operations under way: {}", error.cause()))?;
        let (janitor, clock) = (embedded.janitor.clone(), embedded.clock.clone());
        tokio::spawn(ended.deliver(janitor.clone(), clock.clone(), concurrency.clone(), delivery, seed));
        tokio::spawn(lambda_functions::run_schedules(janitor, clock, concurrency));
        Ok(embedded)
    }

    /// Ensures that every operation under way has a running execution: an earlier process may have ended after it wrote
    /// the record, before it started the execution.
    async fn resume(&self) -> Result<(), Error> {
        let live = self.store.environments_due(Timestamp::MAX).await?.environments;
        for environment in live.iter().filter(|environment| environment.status().is_moving()) {
            // An environment that cannot be started now does not stop the others; the janitor tries again.
            if let Err(error) = self.janitor.ensure_execution(environment).await {
                tracing::error!(environment = %environment.id, cause = error.cause(), "cannot be started again");
            }
        }
        Ok(())
    }
}

/// What the folder has of the account and of the executions.
fn stored(disk: &Disk) -> Result<(Option<Account>, Option<Executions>), String> {
    let mut rows = disk.read()?;
    let executions = Executions::read_rows(&mut rows);
    let account = disk.explain(Account::read_rows(&mut rows))?;
    Ok((account, Some(disk.explain(executions)?)))
}

/// What is wrong with DynamoDB's file, and what to do.
fn dynamo_trouble(path: &Path, error: &DynoxideError) -> String {
    match error {
        DynoxideError::SqliteError(error) => sqlite_trouble(path, error),
        // dynoxide reports a file that is no database as encrypted.
        other => format!(
            "{} is damaged or from another program ({other}); start with another folder (--data DIR), or delete this one",
            path.display()
        ),
    }
}

/// What requests may ask for, unless options say otherwise: the system's own network, no public address, every task definition
/// without a role or with the execution role that the provided families have.
#[must_use]
pub fn default_limits() -> Limits {
    Limits {
        subnets: ec2::BERTH_SUBNETS.map(str::to_owned).to_vec(),
        security_groups: vec![ec2::SECURITY_GROUP.to_owned()],
        public_ip: false,
        families: vec!["*".to_owned()],
        task_roles: vec![ecs::EXECUTION_ROLE.to_owned()],
        untagged: true,
    }
}

/// The state machine with its placeholders filled in.
fn definition() -> Result<Definition, String> {
    Definition::parse(&MACHINE.replace("${WorkerFunction}", WORKER))
        .map_err(|error| format!("the state machine: {error}"))
}
