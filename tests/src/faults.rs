//! Walking a fault through a story: which AWS calls it makes, and one world for each of them in which that call, and no
//! other, meets the fault.

use std::time::Duration;

use berth_local::cloud::refusal::Refusal;
use berth_local::faults::Fault;
use serde_json::Value;

use crate::{Observer, World};

/// The calls of the worker that the walk is about: those to the three services that hold resources.
const SERVICES: [&str; 3] = ["elasticloadbalancing:", "ecs:", "apigateway:"];

/// The API's own call, which the SDK retries and whose failure is answered before anything is recorded.
const OF_THE_API: &str = "ecs:DescribeTaskDefinition";

/// How often the observer of a walk asks the API.
const LOOKS: Duration = Duration::from_secs(15);

/// A refusal that no retry can help.
#[must_use]
pub fn denied() -> Refusal {
    Refusal::bad("AccessDeniedException", "User: worker is not authorized to perform this action")
}

/// A refusal that passes.
#[must_use]
pub fn throttled() -> Refusal {
    Refusal::bad("ThrottlingException", "Rate exceeded")
}

/// One operation of one environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// From a request to `ready`.
    Provision,
    /// From a request for a service that does not come up to `failed`.
    Failure,
    /// From `ready` to `deleted`.
    Delete,
    /// From `cleanup_failed` to `deleted`.
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
            Self::Cleanup => {
                let id = world.create("story", "hello").await;
                assert_eq!(world.settled(&id).await["status"], "ready");
                world.system.door.faults().script("apigateway:DeleteRestApi", 1, Fault::Refuse(denied()));
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
            (Self::Delete | Self::Cleanup, Some(id)) => {
                world.delete(&id).await;
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
            Self::Provision => "ready",
            Self::Failure => "failed",
            Self::Delete | Self::Cleanup => "deleted",
        }
    }

    /// The AWS calls that change something or look something up in this story, each with its number: the first, second
    /// … call of that operation. Left out: looks that only repeat (the third and later `Describe…` or `Get…` of one
    /// operation, which is polling).
    pub async fn calls(self) -> Vec<(String, u64)> {
        let (world, id) = self.world().await;
        world.system.door.faults().record();
        let before = world.system.door.faults().journal().len();
        let id = self.begin(&world, id).await;
        assert_eq!(world.settled(&id).await["status"], self.end());
        let journal = world.system.door.faults().journal().split_off(before);
        let mut counts = std::collections::BTreeMap::<String, u64>::new();
        let mut calls = Vec::new();
        for (operation, _) in journal {
            let count = counts.entry(operation.clone()).or_default();
            *count += 1;
            let relevant = SERVICES.iter().any(|service| operation.starts_with(service));
            let repeats = *count > 2 && (operation.contains(":Describe") || operation.contains(":Get"));
            if relevant && !repeats && operation != OF_THE_API {
                calls.push((operation, *count));
            }
        }
        assert!(calls.len() > 8, "the story makes its calls: {calls:?}");
        calls
    }

    /// Tells the story once for each of its calls, with `fault` at that call. It must end in one of `ends`, every
    /// invariant must hold, nobody may have seen anything that must not be; and unless it ended `ready`, the user's next
    /// `DELETE` must leave nothing. What fails is told all at once.
    ///
    /// # Panics
    /// With everything that failed.
    pub async fn walk(self, fault: Fault, ends: &[&str]) {
        let mut wrong = Vec::new();
        for (operation, nth) in self.calls().await {
            let (world, id) = self.world().await;
            let observer = Observer::watch(&world, &["demo"], LOOKS);
            world.system.door.faults().script(&operation, nth, fault.clone());
            let id = self.begin(&world, id).await;
            let environment = world.settled(&id).await;
            let mut here = Vec::new();
            if !world.system.door.faults().all_came() {
                here.push("was not called".to_owned());
            }
            here.extend(ended(&environment, ends));
            here.extend(world.check(Some(&observer)).await);
            if environment["status"] != "ready" {
                here.extend(world.deleted_with_nothing_left(&id).await);
            }
            wrong.extend(here.into_iter().map(|what| format!("{operation} call {nth}: {what}")));
        }
        assert!(wrong.is_empty(), "{self:?} with {fault:?}:\n{}", wrong.join("\n"));
    }
}

/// What is wrong with where `environment` ended, if it should have ended in one of `ends`.
#[must_use]
pub fn ended(environment: &Value, ends: &[&str]) -> Option<String> {
    let status = environment["status"].as_str().unwrap_or_default();
    let (failure, leftovers) = (&environment["failure"], &environment["leftovers"]);
    (!ends.contains(&status)).then(|| format!("ended {status}: {failure} {leftovers}"))
}

impl World {
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
