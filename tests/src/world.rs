//! The whole system in process: the API behind its authorizer, the workflow over the real state machine, the cloud.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use berth_authorizer::Authorizer;
use berth_aws::sdk::dynamodb_types::AttributeValue;
use berth_domain::Clock;
use berth_domain::Team;
use berth_domain::access::{AccessKind, AccessRule};
use berth_domain::ids::IdGenerator;
use berth_domain::limits::Limits;
use berth_domain::token::Role;
use berth_local::cli::RETENTION_DAYS;
use berth_local::disk::Disk;
use berth_local::embedded::{self, Embedded, Parts};
use berth_local::events::Delivery;
use berth_local::issuer::Issuer;
use berth_local::stand_in::ecs::Programs;
use berth_local::stand_in::net::Net;
use berth_local::stand_in::profile::Profile;
use berth_local::stand_in::quotas::Quotas;
use berth_local::stand_in::rates::Rates;
use berth_local::step_functions::Invoke;
use http::{Method, Request};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{EnvironmentView, Reply};

/// Longer than any operation may take: what has not settled by then is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5 * 3600);

/// Where the issuer says that it is; nothing listens there.
const ENDPOINT: &str = "http://127.0.0.1:4566";

/// The whole system, with clients of any team.
pub struct World {
    /// The system.
    pub system: Embedded,
    issuer: Issuer,
    /// The tokens that were asked for, by team: signing takes longer than a whole simulated call.
    tokens: Mutex<BTreeMap<String, (Timestamp, String)>>,
    key: Vec<u8>,
    /// The worker itself, without what a test may have wrapped around its calls.
    pub(crate) worker: Invoke,
}

/// How a world differs from the usual one.
pub struct WorldOptions {
    /// Draws ids and latencies.
    pub seed: u64,
    /// The latencies, and whether reads lag.
    pub profile: Profile,
    /// Whether AWS's rates hold.
    pub rates: Rates,
    /// How much the account may have.
    pub quotas: Quotas,
    /// Where it survives a restart.
    pub disk: Option<Disk>,
    /// When its time begins.
    pub origin: Timestamp,
    /// How the events about ended executions arrive.
    pub delivery: Delivery,
    /// How the worker sends its proving requests; `None`: to the endpoint, in process.
    pub prober_through: Option<SharedHttpConnector>,
    /// How the authorizer reaches the issuer; `None`: its own routes.
    pub keys_through: Option<SharedHttpConnector>,
    /// What requests may ask for.
    pub limits: Limits,
    /// The web page that may call the API from its browser.
    pub allowed_origin: Option<http::HeaderValue>,
    /// Who may reach the environments.
    pub access: AccessRule,
    /// For how many days deleted environments are kept.
    pub retention_days: u32,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            profile: Profile::medians(),
            rates: Rates::Aws,
            quotas: Quotas::default(),
            disk: None,
            origin: Timestamp::constant(1_800_000_000, 0),
            delivery: Delivery::default(),
            prober_through: None,
            keys_through: None,
            limits: embedded::default_limits(),
            allowed_origin: None,
            access: AccessRule::new(AccessKind::Open, AccessKind::Open, Vec::new()).expect("a rule"),
            retention_days: RETENTION_DAYS,
        }
    }
}

impl World {
    /// A new world whose latencies are the medians.
    pub async fn new() -> Self {
        Self::with(WorldOptions::default()).await
    }

    /// A new world, or one that continues from its disk.
    pub async fn with(options: WorldOptions) -> Self {
        let clock = Clock::following_tokio(options.origin);
        let key = Issuer::new_key().expect("a key");
        let issuer = Issuer::new(&key, ENDPOINT).expect("an issuer");
        let authorizer = match options.keys_through {
            Some(connector) => Authorizer::new(issuer.settings().expect("settings"), connector, clock.clone()),
            None => issuer.authorizer(clock.clone()).expect("an authorizer"),
        };
        let system = Embedded::start(Parts {
            clock: clock.clone(),
            profile: options.profile,
            seed: options.seed,
            net: Net::memory(),
            rates: options.rates,
            quotas: options.quotas,
            disk: options.disk,
            programs: Programs::default(),
            stage_url: "http://{api}.execute-api.localhost/{stage}".to_owned(),
            access: options.access,
            prober: options.prober_through,
            authorizer,
            limits: options.limits,
            allowed_origin: options.allowed_origin,
            ids: IdGenerator::counted(clock, options.seed),
            retention_days: options.retention_days,
            delivery: options.delivery,
        })
        .await
        .expect("the system starts");
        let worker = system.states.served().expect("the system gives Step Functions its worker");
        Self { system, issuer, tokens: Mutex::default(), key, worker }
    }

    /// The teams that have asked for anything so far.
    #[must_use]
    pub fn teams(&self) -> Vec<Team> {
        self.tokens.lock().expect("no test panics in here").keys().map(|team| team.parse().expect("a team")).collect()
    }

    /// A token for `team`.
    #[must_use]
    pub fn token(&self, team: &str) -> String {
        let now = self.system.clock.now();
        let mut tokens = self.tokens.lock().expect("no test panics in here");
        let fresh = tokens.get(team).filter(|(from, _)| now.duration_since(*from) < SignedDuration::from_hours(11));
        if let Some((_, token)) = fresh {
            return token.clone();
        }
        let token = self.issuer.token(&team.parse().expect("a team"), "tester", Role::Member, now).expect("a token");
        tokens.insert(team.to_owned(), (now, token.clone()));
        token
    }

    /// A token for `subject` of `team`.
    #[must_use]
    pub fn token_of(&self, team: &str, subject: &str) -> String {
        let team = team.parse().expect("a team");
        self.issuer.token(&team, subject, Role::Member, self.system.clock.now()).expect("a token")
    }

    /// Sends a request of an operator, without a body.
    pub async fn call_as_operator(&self, method: Method, path: &str) -> Reply {
        let team = "platform".parse().expect("a team");
        let token = self.issuer.token(&team, "operator", Role::Operator, self.system.clock.now()).expect("a token");
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(String::new()).expect("a request")).await
    }

    /// Who issues this world's tokens.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// A token that the issuer's own key signs, whatever its claims are.
    #[must_use]
    pub fn signed(&self, header: &jsonwebtoken::Header, claims: &Value) -> String {
        let key = jsonwebtoken::EncodingKey::from_ec_der(&self.key);
        jsonwebtoken::encode(header, claims, &key).expect("a token")
    }

    /// Sends `request` to the API as it is.
    pub async fn send(&self, request: Request<String>) -> Reply {
        let response = self.system.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body, text }
    }

    /// Sends a request of `team`, with a body unless it is `Null`.
    pub async fn call(&self, team: &str, method: Method, path: &str, body: &Value) -> Reply {
        self.call_with(team, method, path, body, &[]).await
    }

    /// The same with headers.
    pub async fn call_with(
        &self,
        team: &str,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {}", self.token(team)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(request.body(body).expect("a request")).await
    }

    /// Team `demo` asks for an environment of `family`; its id.
    pub async fn create(&self, name: &str, family: &str) -> String {
        let body = json!({"name": name, "task_definition": family});
        let reply = self.call("demo", Method::POST, "/environments", &body).await.expect(202);
        reply.body["id"].as_str().expect("an id").to_owned()
    }

    /// Team `demo` looks at an environment.
    pub async fn get(&self, id: &str) -> Value {
        self.call("demo", Method::GET, &format!("/environments/{id}"), &Value::Null).await.expect(200).body
    }

    /// Team `demo` looks at an environment, and reads the members that [`EnvironmentView`] has.
    pub async fn view(&self, id: &str) -> EnvironmentView {
        EnvironmentView::of(&self.get(id).await)
    }

    /// Team `demo` asks for its deletion.
    pub async fn delete(&self, id: &str) -> Value {
        self.call("demo", Method::DELETE, &format!("/environments/{id}"), &Value::Null).await.expect(202).body
    }

    /// Changes the text of the record of team `demo`'s environment in the table, as another version of Berth might have written it.
    ///
    /// # Panics
    /// When `from` is not in it.
    pub async fn rewrite_record(&self, id: &str, from: &str, to: &str) {
        let (dynamodb, table) = (&self.system.clients.dynamodb, &self.system.settings.deployment);
        let key = |text: String| AttributeValue::S(text);
        let get = dynamodb.get_item().table_name(table).key("pk", key("TEAM#demo".to_owned()));
        let reply = get.key("sk", key(format!("ENV#{id}"))).send().await.expect("a reply");
        let mut item = reply.item.expect("an item");
        let record = item["record"].as_s().expect("a text");
        assert!(record.contains(from), "{from} is not in {record}");
        let record = record.replace(from, to);
        item.insert("record".to_owned(), key(record));
        dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.expect("a write");
    }

    /// Polls, as `retry_after_seconds` says, until no operation is under way; the environment then.
    ///
    /// # Panics
    /// When it is stuck.
    pub async fn settled(&self, id: &str) -> Value {
        let began = self.system.clock.now();
        loop {
            let environment = self.get(id).await;
            let Some(seconds) = EnvironmentView::of(&environment).retry_after_seconds else { return environment };
            assert!(self.system.clock.since(began) < PATIENCE, "stuck: {environment:#}");
            self.system.clock.sleep(Duration::from_secs(seconds)).await;
        }
    }

    /// Looks every second until the environment's status is `status`.
    ///
    /// # Panics
    /// When it settles as something else.
    pub async fn until_status(&self, id: &str, status: &str) -> Value {
        loop {
            let environment = self.get(id).await;
            if environment["status"] == status {
                return environment;
            }
            assert!(EnvironmentView::of(&environment).is_moving(), "it never was {status}: {environment:#}");
            self.system.clock.sleep(Duration::from_secs(1)).await;
        }
    }

    /// Polls until `step` is in `state`.
    ///
    /// # Panics
    /// When the environment settles before.
    pub async fn until_step(&self, id: &str, step: &str, state: &str) -> Value {
        loop {
            let environment = self.get(id).await;
            let view = EnvironmentView::of(&environment);
            if view.steps.iter().any(|shown| shown.name.as_str() == step && shown.state == state) {
                return environment;
            }
            assert!(view.is_moving(), "{step} was never {state}: {environment:#}");
            self.system.clock.sleep(Duration::from_millis(500)).await;
        }
    }

    /// Polls until an execution of the environment's operation has begun to work on it.
    ///
    /// # Panics
    /// When the environment settles before.
    pub async fn until_begun(&self, id: &str) {
        let (team, id) = ("demo".parse().expect("a team"), id.parse().expect("an id"));
        loop {
            let environment = self.system.store.environment_get(&team, &id).await.expect("a record");
            if environment.operation().execution_started_at.is_some() {
                return;
            }
            assert!(environment.status().is_moving(), "it never began: {environment:#?}");
            self.system.clock.sleep(Duration::from_secs(1)).await;
        }
    }

    /// Sends a request to the public URL of a ready environment; status and body.
    pub async fn reach(&self, environment: &Value, path: &str) -> (u16, Value) {
        self.request(&format!("{}{path}", environment["url"].as_str().expect("a url"))).await
    }

    /// Sends a GET request to a public URL; status and body.
    pub async fn request(&self, url: &str) -> (u16, Value) {
        let request = Request::get(url).body(Default::default()).expect("a request");
        let response = self.system.endpoint.request(request).await.expect("an answer");
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }
}
