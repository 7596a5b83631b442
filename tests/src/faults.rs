//! Walking a fault through a story: which AWS calls it makes, and one world for each of them in which that call, and no
//! other, meets the fault.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_local::endpoint::services::service_of;
use berth_local::faults::{Fault, Faults};
use berth_local::stand_in::service::AwsService;
use http::Method;
use serde_json::Value;

use crate::{EnvironmentView, Observer, World};

/// The calls of the worker that the walk is about: those to the three services that hold resources.
const SERVICES: [&str; 3] = ["elasticloadbalancing:", "ecs:", "apigateway:"];

/// The first of these calls after a request is the API's own, which the SDK retries and whose failure is answered before anything
/// is recorded. The others are the worker's.
const OF_THE_API: &str = "ecs:DescribeTaskDefinition";

/// How often the observer of a walk asks the API.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// One operation of one environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// From a request to `ready`.
    Provision,
    /// From a request for a service that does not come up to `failed`.
    Failure,
    /// From `ready` to `deleted`.
    Delete,
    /// From a retry of `failed` to `ready`.
    Retry,
    /// From a retry of `cleanup_failed` to `deleted`.
    Cleanup,
}

impl Story {
    /// A world in which the story is about to begin, and the environment that it is about, if it is there already.
    pub async fn world(self) -> (World, Option<String>) {
        let world = World::new().await;
        let id = match self {
            Self::Provision => None,
            Self::Failure => {
                world.register("crash", "berth/exits:3").await;
                None
            }
            Self::Delete => {
                let id = world.create("story", "hello").await;
                assert_eq!(world.settled(&id).await["status"], "ready");
                Some(id)
            }
            Self::Retry => {
                world.deny("apigateway:CreateRestApi");
                let id = world.create("story", "hello").await;
                assert_eq!(world.settled(&id).await["status"], "failed");
                Some(id)
            }
            Self::Cleanup => {
                let id = world.create("story", "hello").await;
                assert_eq!(world.settled(&id).await["status"], "ready");
                world.deny("apigateway:DeleteRestApi");
                world.delete(&id).await;
                assert_eq!(world.settled(&id).await["status"], "cleanup_failed");
                Some(id)
            }
        };
        (world, id)
    }

    /// The story begins; the environment that it is about.
    pub async fn begin(self, world: &World, id: Option<String>) -> String {
        match (self, id) {
            (Self::Delete, Some(id)) => {
                world.delete(&id).await;
                id
            }
            (Self::Retry | Self::Cleanup, Some(id)) => {
                let path = format!("/environments/{id}/retry");
                world.call("demo", Method::POST, &path, &Value::Null).await.expect(202);
                id
            }
            (Self::Failure, _) => world.create("story", "crash").await,
            _ => world.create("story", "hello").await,
        }
    }

    /// How the story ends when nothing goes wrong.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Provision | Self::Retry => "ready",
            Self::Failure => "failed",
            Self::Delete | Self::Cleanup => "deleted",
        }
    }

    /// The calls to ELBv2, ECS and API Gateway in this story, each with its number: the first, second … call of that
    /// operation. Left out: polling (the third and later call of one operation that only reads), and the method and integration
    /// of the second path, which are created as those of the first.
    pub async fn calls(self) -> Vec<(String, u64)> {
        let mut calls = self.journal().await;
        calls.retain(|(operation, nth)| {
            let relevant = SERVICES.iter().any(|service| operation.starts_with(service));
            let repeats = *nth > 2 && only_reads(operation);
            let again = *nth > 1 && operation.starts_with("apigateway:Put");
            let of_the_api = operation == OF_THE_API && *nth == 1 && matches!(self, Self::Provision | Self::Failure);
            relevant && !repeats && !again && !of_the_api
        });
        assert!(calls.len() > 8, "the story makes its calls: {calls:?}");
        calls
    }

    /// Those of the story's calls that change something.
    pub async fn changes(self) -> Vec<(String, u64)> {
        self.calls().await.into_iter().filter(|(operation, _)| !only_reads(operation)).collect()
    }

    /// Those of the story's calls that only read.
    pub async fn reads(self) -> Vec<(String, u64)> {
        self.calls().await.into_iter().filter(|(operation, _)| only_reads(operation)).collect()
    }

    /// The writes of the record in this story: every `stride`th, counted from the first.
    pub async fn writes(self, stride: usize) -> Vec<(String, u64)> {
        let mut calls = self.journal().await;
        calls.retain(|(operation, _)| operation == "dynamodb:TransactWriteItems");
        assert!(calls.len() > 8, "the story writes its record: {calls:?}");
        calls.into_iter().step_by(stride).collect()
    }

    /// Every call in this story, counted for each operation.
    async fn journal(self) -> Vec<(String, u64)> {
        let (world, id) = self.world().await;
        world.faults().record();
        let before = world.faults().journal().len();
        let id = self.begin(&world, id).await;
        assert_eq!(world.settled(&id).await["status"], self.end());
        let journal = world.faults().journal().split_off(before);
        let mut counts = BTreeMap::<String, u64>::new();
        let counted = journal.into_iter().map(|(operation, _)| {
            let count = counts.entry(operation.clone()).or_default();
            *count += 1;
            (operation, *count)
        });
        counted.collect()
    }

    /// Plays the story once for each of its calls, with its `fault` at that call. Each time:
    ///
    /// - The environment must end in one of `ends`.
    /// - Every invariant must hold, and the observer must have seen no violation.
    /// - Unless it ended `ready`, the user's next `DELETE` must leave nothing.
    ///
    /// # Panics
    /// With everything that failed.
    pub async fn walk(self, fault: impl Fn(&str) -> Fault, ends: &[&str]) {
        self.walk_over(self.calls().await, fault, ends).await;
    }

    /// The same for these `calls`.
    ///
    /// # Panics
    /// With everything that failed.
    pub async fn walk_over(self, calls: Vec<(String, u64)>, fault: impl Fn(&str) -> Fault, ends: &[&str]) {
        let mut wrong = Vec::new();
        for (operation, nth) in calls {
            let (world, id) = self.world().await;
            let observer = Observer::watch(&world, &["demo"], ASK_EVERY);
            world.fault(&operation, nth, fault(&operation));
            let id = self.begin(&world, id).await;
            let environment = world.settled(&id).await;
            let mut violations = Vec::new();
            if !world.faults().all_came() {
                violations.push("was not called".to_owned());
            }
            violations.extend(ended(&environment, ends));
            violations.extend(world.check(Some(&observer)).await);
            if environment["status"] != "ready" {
                violations.extend(world.deleted_with_nothing_left(&id).await);
            }
            wrong.extend(violations.into_iter().map(|what| format!("{operation} call {nth}: {what}")));
        }
        assert!(wrong.is_empty(), "{self:?}:\n{}", wrong.join("\n"));
    }
}

/// Whether a call of `operation` changes nothing.
fn only_reads(operation: &str) -> bool {
    [":Describe", ":Get", ":List", ":Filter"].iter().any(|verb| operation.contains(verb))
}

/// What is wrong with where `environment` ended, if it should have ended in one of `ends`.
#[must_use]
pub fn ended(environment: &Value, ends: &[&str]) -> Option<String> {
    let EnvironmentView { status, failure, leftovers, .. } = EnvironmentView::of(environment);
    (!ends.contains(&status.as_str())).then(|| format!("ended {status}: {failure:?} {leftovers:?}"))
}

/// A denial, which no retry can help.
#[must_use]
pub fn denied(operation: &str) -> Fault {
    Fault::Refuse(service(operation).denied(action(operation)))
}

/// A denial of a call that has had its effect.
#[must_use]
pub fn denied_after(operation: &str) -> Fault {
    Fault::RefuseAfter(service(operation).denied(action(operation)))
}

/// A throttle, as the service of `operation` does it.
#[must_use]
pub fn throttled(operation: &str) -> Fault {
    Fault::Refuse(service(operation).throttled())
}

/// An outage that passes, in the words of the service of `operation`.
#[must_use]
pub fn unavailable(operation: &str) -> Fault {
    Fault::Refuse(service(operation).unavailable())
}

fn service(operation: &str) -> &'static AwsService {
    service_of(operation).expect("an operation of a service that is played")
}

fn action(operation: &str) -> &str {
    operation.split_once(':').map_or(operation, |(_, action)| action)
}

impl World {
    /// The faults at the AWS endpoint.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.system.endpoint.faults()
    }

    /// On the `nth` call of `operation` from now on (1 is the next), `fault` comes. See [`Faults::script`].
    pub fn fault(&self, operation: &str, nth: u64, fault: Fault) {
        self.faults().script(operation, nth, fault);
    }

    /// The next call of `operation` is denied.
    pub fn deny(&self, operation: &str) {
        self.fault(operation, 1, denied(operation));
    }

    /// The next `times` calls of `operation` are throttled, as its service does.
    pub fn throttle(&self, operation: &str, times: u64) {
        for nth in 1..=times {
            self.fault(operation, nth, throttled(operation));
        }
    }

    /// Waits until `operation` is called; [`berth_local::faults::Faults::record`] must have been called before.
    ///
    /// # Panics
    /// When it is not called within an hour.
    pub async fn until_called(&self, operation: &str) {
        let began = self.system.clock.now();
        while self.faults().journal().iter().all(|(called, _)| called != operation) {
            assert!(self.system.clock.since(began) < Duration::from_secs(3600), "{operation} is never called");
            self.system.clock.sleep(Duration::from_secs(1)).await;
        }
    }

    /// The user's next action, whatever the status is, is a `DELETE`: it must end `deleted` with nothing left. What is
    /// wrong with that.
    pub async fn deleted_with_nothing_left(&self, id: &str) -> Vec<String> {
        self.delete(id).await;
        let environment = self.settled(id).await;
        let mut wrong: Vec<String> = ended(&environment, &["deleted"]).into_iter().collect();
        let inventory = self.inventory().await;
        if !inventory.is_empty() {
            wrong.push(format!("after the last DELETE there is still {inventory}"));
        }
        wrong.extend(self.check(None).await);
        wrong
    }
}
