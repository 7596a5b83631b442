//! What must hold of every environment once no operation is under way, whatever went wrong before. What must hold on the
//! way there is in [`crate::observer`].

use std::collections::BTreeMap;

use berth_aws::store::Record;
use berth_domain::access::AccessKind;
use berth_domain::{Environment, ResourceKind, Status};
use http::Method;
use serde_json::Value;

use crate::tagged::Found;
use crate::{EnvironmentView, LeftoverView, Observer, World, clients};

impl World {
    /// Everything that does not hold, all at once; empty when all is well. Nothing may be moving. What `observer` saw on
    /// the way is part of it.
    pub async fn check(&self, observer: Option<&Observer>) -> Vec<String> {
        let mut wrong = observer.map(Observer::violations).unwrap_or_default();
        let found = self.tagged().await;
        let records = self.records().await;
        owners(&found, &records, &mut wrong);
        for record in records.values() {
            let mut of_this = Vec::new();
            self.check_one(record, &found, &mut of_this).await;
            wrong.extend(of_this.into_iter().map(|what| format!("{} {:?}: {what}", record.id, record.name)));
        }
        wrong
    }

    /// Every environment of every team, by id.
    pub async fn records(&self) -> BTreeMap<String, Environment> {
        let mut records = BTreeMap::new();
        for team in self.teams() {
            let page = self.system.store.environment_list(&team, None, None, 1_000).await.expect("the environments");
            let readable = page.records.into_iter().filter_map(Record::readable);
            records.extend(readable.map(|record| (record.id.to_string(), record)));
        }
        records
    }

    async fn check_one(&self, record: &Environment, found: &[Found], wrong: &mut Vec<String>) {
        let path = format!("/environments/{}", record.id);
        let view = self.call(&record.team.to_string(), Method::GET, &path, &Value::Null).await.expect(200).body;
        let view = EnvironmentView::of(&view);
        if view.status != record.status() {
            wrong.push(format!("is {} in the record and {} in the API", record.status(), view.status));
        }
        if view.url.is_some() != (record.status() == Status::Ready) {
            wrong.push(format!("{} with url {:?}", record.status(), view.url));
        }
        match record.status() {
            Status::Queued | Status::Provisioning | Status::Deleting => {
                wrong.push(format!("still {} (operation {})", record.status(), record.operation().id));
            }
            Status::Ready => {
                if let Some(url) = &view.url {
                    let answer = clients::invited(&self.system, &view).await;
                    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
                    if answer.status() != 200 || body["method"] != "GET" {
                        wrong.push(format!("ready, but its url answers {}: {body}", answer.status()));
                    }
                    let stranger = clients::plain(&self.system, url, clients::STRANGER).await.status();
                    if stranger != 403 && view.access.kind != AccessKind::Open {
                        wrong.push(format!("{:?}, but its url answers a stranger {stranger}", view.access));
                    }
                }
                for (kind, resource) in record.ledger().left() {
                    if !found.iter().any(|one| one.kind == kind && Some(&one.id) == resource.id.as_ref()) {
                        wrong.push(format!("ready without its {}: {resource:?}", kind.as_str()));
                    }
                }
                if record.ledger().left().count() != ResourceKind::ALL.len() {
                    let (left, all) = (record.ledger().left().count(), ResourceKind::ALL.len());
                    wrong.push(format!("ready with {left} of {all} resources"));
                }
                if !record.missing().is_empty() {
                    wrong.push(format!("ready, and said to miss {:?}", record.missing()));
                }
            }
            Status::Failed | Status::Deleted => {
                for (kind, resource) in record.ledger().left() {
                    wrong.push(format!(
                        "{} with a {} that was not verified absent: {resource:?}",
                        record.status(),
                        kind.as_str()
                    ));
                }
                let receipt = view.resources;
                if receipt.len() != record.ledger().all().count() || receipt.iter().any(|one| one.absent_at.is_none()) {
                    wrong.push(format!("{} with the receipt {receipt:?}", record.status()));
                }
                let named = record.failure().as_ref().is_some_and(|failure| !failure.code.is_empty());
                if record.status() == Status::Failed && !named {
                    wrong.push("failed for no reason".to_owned());
                }
            }
            Status::CleanupFailed => {
                if view.leftovers.is_empty() {
                    wrong.push("cleanup_failed, and nothing is left over".to_owned());
                }
                // The stage goes with its REST API, whose undo says why.
                let unexplained = |one: &&LeftoverView| {
                    one.why.as_deref().unwrap_or_default().is_empty() && one.resource != ResourceKind::Stage
                };
                for leftover in view.leftovers.iter().filter(unexplained) {
                    wrong.push(format!("left over for no reason: {leftover:?}"));
                }
            }
        }
        self.check_events(record, wrong).await;
    }

    /// Everything that happened to an environment, oldest first, page by page.
    pub async fn events(&self, team: &str, id: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/environments/{id}/events?limit=100{cursor}");
            let page = self.call(team, Method::GET, &path, &Value::Null).await.expect(200).body;
            events.extend(page["events"].as_array().expect("events").iter().cloned());
            if page["more"] != true {
                return events;
            }
            cursor = format!("&cursor={}", page["next_cursor"].as_str().expect("a cursor"));
        }
    }

    async fn check_events(&self, record: &Environment, wrong: &mut Vec<String>) {
        let events = self.events(&record.team.to_string(), &record.id.to_string()).await;
        let mut last: Option<Status> = None;
        for event in events.iter().filter(|event| event["type"] == "status") {
            let Ok(status) = event["status"].as_str().unwrap_or_default().parse::<Status>() else {
                wrong.push(format!("an event with an unknown status: {event}"));
                continue;
            };
            let follows = last.map_or(status == Status::Queued, |last| last.may_become(status));
            if !follows {
                wrong.push(format!("the history goes from {last:?} to {status}"));
            }
            last = Some(status);
        }
        if last != Some(record.status()) {
            wrong.push(format!("{} although the history ends with {last:?}", record.status()));
        }
        let moments: Vec<&str> = events.iter().filter_map(|event| event["at"].as_str()).collect();
        let times: Vec<jiff::Timestamp> = moments.iter().filter_map(|at| at.parse().ok()).collect();
        if times.len() != events.len() || !times.is_sorted() {
            wrong.push("the history is not in the order of time".to_owned());
        }
        let steps = serde_json::to_value(record.steps()).expect("steps");
        for step in steps.as_array().into_iter().flatten().filter(|step| step["state"] != "pending") {
            let shown = events.iter().rfind(|event| event["type"] == "step" && event["step"] == step["name"]);
            let agrees = shown.is_some_and(|shown| shown["state"] == step["state"] && shown["why"] == step["why"]);
            if !agrees {
                wrong.push(format!("the step is {step}, the history says {shown:?}"));
            }
        }
        if record.failure().is_some() && events.iter().all(|event| event["type"] != "failed") {
            wrong.push("failed without an event that says so".to_owned());
        }
    }
}

/// Nothing without an owner that lists it, never two of one thing.
fn owners(found: &[Found], records: &BTreeMap<String, Environment>, wrong: &mut Vec<String>) {
    let mut counts: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
    for one in found {
        let Some(environment) = &one.environment else {
            wrong.push(format!("{} {} has no tag of an environment", one.kind.as_str(), one.id));
            continue;
        };
        counts.entry((environment.clone(), one.kind.as_str())).or_default().push(&one.id);
        let Some(record) = records.get(environment) else {
            wrong.push(format!("{} {} belongs to {environment}, which is no record", one.kind.as_str(), one.id));
            continue;
        };
        // Announced, and its id never learnt: the record says that there may be one.
        let listed =
            record.ledger().get(one.kind).is_some_and(|entry| entry.id.is_none() || entry.id.as_ref() == Some(&one.id));
        if !listed {
            let entry = record.ledger().all().find(|(kind, _)| *kind == one.kind);
            let (kind, id, status) = (one.kind.as_str(), &one.id, record.status());
            wrong.push(format!("{kind} {id} is there; its {status} owner {environment} has {entry:?}"));
        }
    }
    for ((environment, kind), ids) in counts.iter().filter(|(_, ids)| ids.len() > 1) {
        wrong.push(format!("{environment} has {} of a {kind}: {ids:?}", ids.len()));
    }
}
