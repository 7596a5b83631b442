//! Plays a drawn history, waits until no operation is under way, checks the invariants, lets every user take the next
//! step, and checks that nothing is left.

use std::time::Duration;

use berth_domain::access::AccessKind;
use berth_domain::{Environment, Status};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{Observer, Reply, World, WorldOptions};

use super::plan::{Act, Plan, TEAMS};

/// How often the observer asks the API: seldom, because each answer checks a signature; the records it watches always.
const ASK_EVERY: Duration = Duration::from_secs(120);
/// For so long AWS goes on as it is after the last request; then it is calm, so that all can settle.
const LATER: Duration = Duration::from_secs(900);
/// A lifetime that ends within this time ends before all is looked at.
const SOON: SignedDuration = SignedDuration::from_mins(5);
/// Longer than any operation may take.
const PATIENCE: Duration = Duration::from_secs(12 * 3600);

/// What came of a history.
pub struct History {
    /// What does not hold.
    pub wrong: Vec<String>,
    /// What was to happen, and what happened.
    pub log: Vec<String>,
}

impl History {
    /// A history that a panic ended.
    pub fn panicked(text: String) -> Self {
        Self { wrong: vec![format!("panicked: {text}")], log: Vec::new() }
    }
}

/// An environment that a team requested.
struct Asked {
    team: &'static str,
    body: Value,
    key: String,
    id: Option<String>,
}

/// Plays `seed`.
pub async fn play(seed: u64) -> History {
    let plan = Plan::draw(seed);
    let world = World::with(WorldOptions {
        seed,
        profile: plan.profile.clone(),
        delivery: plan.delivery,
        ..Default::default()
    })
    .await;
    for (family, image) in [("crash", "berth/exits:3"), ("absent", "unpullable/image:1"), ("deaf", "berth/deaf")] {
        let used = |(_, act): &(Duration, Act)| matches!(act, Act::Create { family: asked, .. } if *asked == family);
        if plan.acts.iter().any(used) {
            world.register(family, image).await;
        }
    }
    let observer = Observer::watch(&world, &TEAMS, ASK_EVERY);
    let mut history = Playing { world, asked: Vec::new(), wrong: Vec::new(), log: Vec::new() };
    history.log.push(format!("  {:?}; {:?}", plan.chance, plan.delivery));
    history.world.faults().chance(seed, plan.chance);
    history.acts(&plan).await;
    history.busy(LATER).await;
    history.world.faults().calm();
    history.settle().await;
    history.wrong.extend(history.world.check(Some(&observer)).await);
    history.next_actions().await;
    history.settle().await;
    history.wrong.extend(history.world.check(Some(&observer)).await);
    history.nothing_left().await;
    history.log.extend(history.world.faults().log().into_iter().map(|fault| format!("    {fault}")));
    History { wrong: history.wrong, log: history.log }
}

struct Playing {
    world: World,
    asked: Vec<Asked>,
    wrong: Vec<String>,
    log: Vec<String>,
}

impl Playing {
    async fn acts(&mut self, plan: &Plan) {
        let began = self.world.system.clock.now();
        for (at, act) in &plan.acts {
            let left = at.saturating_sub(self.world.system.clock.since(began));
            self.world.system.clock.sleep(left).await;
            let what = self.act(act).await;
            self.log.push(format!("  {:>8.1} s {act:?}: {what}", at.as_secs_f64()));
        }
    }

    async fn act(&mut self, act: &Act) -> String {
        match act {
            Act::Create { team, family, minutes, access } => {
                let number = self.asked.len();
                let mut body = json!({"name": format!("env-{number}"), "task_definition": family});
                if let Some(minutes) = minutes {
                    body["ttl"] = json!(format!("{minutes}m"));
                }
                body["access"] = match access {
                    AccessKind::Cidrs => json!({"kind": access, "cidrs": ["203.0.113.0/24"]}),
                    AccessKind::Iam | AccessKind::Open => json!({"kind": access}),
                };
                let key = format!("key-{number}");
                let reply = self.post(team, &body, &key).await;
                let id = reply.body["id"].as_str().map(str::to_owned);
                self.allowed("POST", &reply, &[202]);
                let answered = format!("{} {:?}", reply.status, id);
                self.asked.push(Asked { team, body, key, id });
                answered
            }
            Act::Repeat(index) => {
                let Some(asked) = self.asked.get(*index) else { return "nothing yet".to_owned() };
                let reply = self.post(asked.team, &asked.body.clone(), &asked.key.clone()).await;
                self.allowed("the same POST", &reply, &[202]);
                if reply.body["id"].as_str() != self.asked[*index].id.as_deref() {
                    self.wrong.push(format!("the same POST was answered with {}", reply.text));
                }
                reply.status.to_string()
            }
            Act::Delete(index) => {
                let Some((team, path)) = self.path(*index) else { return "nothing yet".to_owned() };
                let reply = self.world.call(team, Method::DELETE, &path, &Value::Null).await;
                self.allowed("DELETE", &reply, &[202]);
                format!("{} {}", reply.status, reply.body["status"])
            }
            Act::Retry(index) => {
                let Some((team, path)) = self.path(*index) else { return "nothing yet".to_owned() };
                let reply = self.world.call(team, Method::POST, &format!("{path}/retry"), &Value::Null).await;
                self.allowed("retry", &reply, &[202, 409]);
                format!("{} {}", reply.status, reply.body["status"])
            }
            Act::Extend(index) => {
                let Some((team, path)) = self.path(*index) else { return "nothing yet".to_owned() };
                let body = json!({"ttl": "30m"});
                let reply = self.world.call(team, Method::POST, &format!("{path}/extend"), &body).await;
                self.allowed("extend", &reply, &[200, 409]);
                format!("{} {}", reply.status, reply.body["expires_at"])
            }
            Act::Foreign(index) => {
                let Some((team, path)) = self.path(*index) else { return "nothing yet".to_owned() };
                let other = TEAMS.into_iter().find(|other| *other != team).unwrap_or(TEAMS[0]);
                let reply = self.world.call(other, Method::GET, &path, &Value::Null).await;
                self.allowed("another team's GET", &reply, &[404]);
                reply.status.to_string()
            }
            Act::Abort(which) => {
                let running = self.world.executions_running().await;
                let Some(execution) = running.get((*which % running.len().max(1) as u64) as usize) else {
                    return "nothing runs".to_owned();
                };
                self.world.abort(execution).await;
                execution.rsplit(':').next().unwrap_or_default().to_owned()
            }
        }
    }

    async fn post(&self, team: &str, body: &Value, key: &str) -> Reply {
        self.world.call_with(team, Method::POST, "/environments", body, &[("idempotency-key", key)]).await
    }

    fn path(&self, index: usize) -> Option<(&'static str, String)> {
        let asked = self.asked.get(index)?;
        Some((asked.team, format!("/environments/{}", asked.id.as_ref()?)))
    }

    fn allowed(&mut self, what: &str, reply: &Reply, statuses: &[u16]) {
        if !statuses.contains(&reply.status) {
            self.wrong.push(format!("{what} was answered {}: {}", reply.status, reply.text));
        }
    }

    /// Waits until nothing moves, but no longer than `most`; whether nothing moves.
    async fn busy(&self, most: Duration) -> bool {
        let clock = self.world.system.clock.clone();
        let began = clock.now();
        loop {
            let records = self.world.records().await;
            // A lifetime that ends while all is looked at would be taken for a record that moves on its own.
            let soon = clock.now() + SOON;
            let ends =
                |record: &Environment| !record.delete_requested() && record.expires_at().is_some_and(|at| at < soon);
            let moves = |record: &Environment| {
                record.status().is_moving() || record.next_attempt_at().is_some() || ends(record)
            };
            if !records.values().any(moves) {
                return true;
            }
            if clock.since(began) > most {
                return false;
            }
            clock.sleep(Duration::from_secs(60)).await;
        }
    }

    /// Waits until nothing moves, and nothing is going to by itself but the end of a lifetime.
    async fn settle(&mut self) {
        if !self.busy(PATIENCE).await {
            self.wrong.push("it never became quiet".to_owned());
        }
    }

    /// Every user takes the next step: what failed is tried again or deleted, everything else is deleted.
    async fn next_actions(&mut self) {
        for record in self.world.records().await.values() {
            let team = record.team.to_string();
            let id = record.id.to_string();
            self.log.push(format!("  {id} {} {:?}", record.status(), record.failure().as_ref().map(|why| &why.code)));
            let path = format!("/environments/{id}");
            let tried_again = record.version().is_multiple_of(2);
            if matches!(record.status(), Status::Failed | Status::CleanupFailed) && tried_again {
                let reply = self.world.call(&team, Method::POST, &format!("{path}/retry"), &Value::Null).await;
                let gone = reply.status == 409 && self.world.records().await[&id].status() == Status::Deleted;
                // Its lifetime may have ended since the record was read.
                self.allowed("the last retry", &reply, if gone { &[409] } else { &[202] });
                self.settle().await;
            }
            let reply = self.world.call(&team, Method::DELETE, &path, &Value::Null).await;
            self.allowed("the last DELETE", &reply, &[202]);
        }
    }

    /// At last everything is deleted, and the account is empty.
    async fn nothing_left(&mut self) {
        for record in self.world.records().await.values() {
            if record.status().as_str() != "deleted" {
                self.wrong.push(format!("{} ended {} after the last DELETE", record.id, record.status()));
            }
            let team = record.team.to_string();
            let events = self.world.events(&team, &record.id.to_string()).await;
            let last = events.last().and_then(|event| event["at"].as_str()?.parse::<Timestamp>().ok());
            self.log.push(format!("  {} has {} events, the last at {last:?}", record.id, events.len()));
        }
        let left = self.world.tagged().await;
        if !left.is_empty() {
            self.wrong.push(format!("left in the account: {left:?}"));
        }
    }
}
