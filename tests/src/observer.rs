//! Reads all the time: while the records are written it compares each with what it read before (not more often than `GLANCE`
//! says), and regularly it asks the API. It collects violations; the test asks for them at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_aws::store::Record;
use berth_domain::names::ENVIRONMENT_TAG;
use berth_domain::{Environment, OperationId, Status, Step, Team};
use berth_local::embedded::Embedded;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::{EnvironmentView, World, clients};

/// How often the records are read while they change, as a share of how often the API is asked. What happens in between is
/// in the history, which `invariants` checks.
const GLANCE: f64 = 1.0 / 12.0;

/// The reader; it stops when it is dropped.
pub struct Observer {
    wrong: Arc<Mutex<Vec<String>>>,
    tasks: Vec<JoinHandle<()>>,
}

/// What was seen of an environment in the API.
struct Shown {
    version: u64,
    progress: u64,
    operation: Begun,
    ended: BTreeSet<Step>,
}

/// What progress counts from: the operation, and whether it goes back.
type Begun = (OperationId, bool);

fn begun(record: &Environment) -> Begun {
    (record.operation().id.clone(), record.status() == Status::Deleting)
}

impl Observer {
    /// Watches all environments of `teams` in the records, and asks the API for them this often.
    #[must_use]
    pub fn watch(world: &World, teams: &[&str], every: Duration) -> Self {
        let wrong: Arc<Mutex<Vec<String>>> = Arc::default();
        let teams: Vec<(Team, String)> =
            teams.iter().map(|team| (team.parse().expect("a team"), world.token(team))).collect();
        let glance = every.mul_f64(GLANCE);
        let records = watch_records(world.system.clone(), teams.clone(), glance, Arc::clone(&wrong));
        let shown = watch_api(world.system.clone(), teams, every, Arc::clone(&wrong));
        Self { wrong, tasks: vec![tokio::spawn(records), tokio::spawn(shown)] }
    }

    /// What should never have been seen.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.wrong.lock().expect("no test panics in here").clone()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Whether `to` can be reached from `from` in any number of steps: a look may miss what lies between. What a retry begins is
/// another attempt, so within one nothing follows `failed` but `deleted`: otherwise everything could follow everything.
fn may_lead_to(from: Status, to: Status, retried: bool) -> bool {
    let mut reached = vec![from];
    let mut next = 0;
    while let Some(status) = reached.get(next).copied() {
        for follower in Status::ALL.iter().copied() {
            let by_retry = status == Status::Failed && follower == Status::Queued;
            if status.may_become(follower) && (retried || !by_retry) && !reached.contains(&follower) {
                reached.push(follower);
            }
        }
        next += 1;
    }
    reached.contains(&to)
}

async fn watch_records(system: Embedded, teams: Vec<(Team, String)>, glance: Duration, wrong: Arc<Mutex<Vec<String>>>) {
    let mut seen: BTreeMap<String, Environment> = BTreeMap::new();
    let mut looked: Option<Timestamp> = None;
    loop {
        system.endpoint.records_changed().await;
        twins(&system, &wrong);
        if looked.is_some_and(|moment| system.clock.since(moment) < glance) {
            continue;
        }
        looked = Some(system.clock.now());
        for (team, token) in &teams {
            // A read that fails is skipped; the next one follows.
            let Ok(page) = system.store.environment_list(team, None, None, 1_000).await else { continue };
            for record in page.records.into_iter().filter_map(Record::readable) {
                let id = record.id.to_string();
                let mut say = |what: String| {
                    wrong.lock().expect("no test panics in here").push(format!("{id} was seen: {what}"));
                };
                if let Some(before) = seen.get(&id)
                    && record.version() != before.version()
                {
                    compare(before, &record, &mut say);
                }
                let already = seen.get(&id).is_some_and(|before| before.status() == Status::Ready);
                if record.status() == Status::Ready
                    && !already
                    && let Some(answer) = unanswered(&system, token, &id).await
                {
                    say(format!("ready, while its url answered {answer}"));
                }
                seen.insert(id, record);
            }
        }
    }
}

/// What an environment's URL answers instead of 200 although the API says, before and after, that it is ready.
async fn unanswered(system: &Embedded, token: &str, id: &str) -> Option<StatusCode> {
    let view = ask(system, token, id).await.filter(|view| view.status == Status::Ready)?;
    view.url.as_ref()?;
    let answer = clients::invited(system, &view).await.status();
    if answer == StatusCode::OK {
        return None;
    }
    ask(system, token, id).await.filter(|later| later.status == Status::Ready).map(|_| answer)
}

fn compare(before: &Environment, after: &Environment, say: &mut impl FnMut(String)) {
    if after.attempt() < before.attempt() {
        say(format!("attempt {} after {}", after.attempt(), before.attempt()));
    }
    if !may_lead_to(before.status(), after.status(), after.attempt() > before.attempt()) {
        say(format!("{} after {}", after.status(), before.status()));
    }
    if after.version() < before.version() {
        say(format!("version {} after {}", after.version(), before.version()));
    }
    if after.updated_at() < before.updated_at() {
        say(format!("updated at {} after {}", after.updated_at(), before.updated_at()));
    }
    // The first failure stays, until another try clears it.
    if before.failure().is_some() && after.failure() != before.failure() && after.attempt() == before.attempt() {
        say(format!("another failure than before: {:?} after {:?}", after.failure(), before.failure()));
    }
    for (kind, entry) in before.ledger().all().filter(|(_, entry)| entry.id.is_some()) {
        if after.ledger().all().all(|(other, now)| other != kind || now.id != entry.id) {
            say(format!("the ledger forgot {} {:?}", kind.as_str(), entry.id));
        }
    }
}

/// Never two of a kind that every creation adds one of, at any moment: by tag, in the stand-in itself.
fn twins(system: &Embedded, wrong: &Mutex<Vec<String>>) {
    let twice = system.cloud.read(|account| {
        let links = account.apigateway.vpc_links.values().map(|link| ("VPC links", &link.tags));
        let apis = account.apigateway.apis.values().map(|api| ("REST APIs", &api.tags));
        let mut owned = BTreeSet::new();
        let mut twins = Vec::new();
        for (kind, tags) in links.chain(apis) {
            let Some(owner) = tags.get(ENVIRONMENT_TAG) else { continue };
            if !owned.insert((kind, owner)) {
                twins.push(format!("{owner} was seen with two {kind}"));
            }
        }
        twins
    });
    let mut wrong = wrong.lock().expect("no test panics in here");
    for twin in twice {
        if !wrong.contains(&twin) {
            wrong.push(twin);
        }
    }
}

async fn watch_api(system: Embedded, teams: Vec<(Team, String)>, every: Duration, wrong: Arc<Mutex<Vec<String>>>) {
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    loop {
        system.clock.sleep(every).await;
        for (team, token) in &teams {
            let Ok(page) = system.store.environment_list(team, None, None, 1_000).await else { continue };
            for record in page.records.into_iter().filter_map(Record::readable) {
                let id = record.id.to_string();
                if shown
                    .get(&id)
                    .is_some_and(|before| before.version == record.version() && !record.status().is_moving())
                {
                    continue;
                }
                let Some(view) = ask(&system, token, &id).await else { continue };
                let say = |what: String| {
                    wrong.lock().expect("no test panics in here").push(format!("{id} was shown: {what}"));
                };
                let status = view.status;
                if (status == Status::Ready) != view.url.is_some() {
                    say(format!("{status} with url {:?}", view.url));
                }
                // If the operation was recovered between the two looks, either of them may have been shown.
                let Ok(later) = system.store.environment_get(team, &record.id).await else { continue };
                if begun(&later) != begun(&record) {
                    continue;
                }
                let progress = view.progress;
                let operation = begun(&record);
                let ended = ended_steps(&view);
                if let Some(before) = shown.get(&id)
                    && before.operation == operation
                    && status == record.status()
                    && progress < before.progress
                    && before.ended.is_subset(&ended)
                {
                    say(format!("{status} {progress} % after {} %", before.progress));
                }
                shown.insert(id, Shown { version: record.version(), progress, operation, ended });
            }
        }
    }
}

/// The steps that have ended. One that is looked at again and has to wait has not: there, progress may go back.
fn ended_steps(view: &EnvironmentView) -> BTreeSet<Step> {
    view.steps.iter().filter(|step| step.state == "done" || step.state == "failed").map(|step| step.name).collect()
}

async fn ask(system: &Embedded, token: &str, id: &str) -> Option<EnvironmentView> {
    let request = Request::get(format!("/environments/{id}")).header("authorization", format!("Bearer {token}"));
    let response = system.router.clone().oneshot(request.body(String::new()).ok()?).await.ok()?;
    if response.status() != 200 {
        return None;
    }
    let bytes = response.into_body().collect().await.ok()?.to_bytes();
    Some(EnvironmentView::of(&serde_json::from_slice(&bytes).ok()?))
}
