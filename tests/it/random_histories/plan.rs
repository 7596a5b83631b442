//! What is to happen in one history, drawn from its seed before it begins.

use std::time::Duration;

use berth_domain::access::AccessKind;
use berth_local::events::Delivery;
use berth_local::faults::chance::{Chance, Odds};
use berth_local::stand_in::profile::Profile;
use fastrand::Rng;

/// The teams of a history.
pub const TEAMS: [&str; 2] = ["red", "blue"];
/// Images and how often they are drawn, of 20. `deaf` takes its time to fail.
const FAMILIES: [(&str, u64); 4] = [("hello", 14), ("crash", 3), ("absent", 2), ("deaf", 1)];

/// Something that a user or an operator does; environments are named by the order in which they are requested.
#[derive(Clone, Debug)]
pub enum Act {
    /// A team requests an environment.
    Create {
        /// The team.
        team: &'static str,
        /// The family of its task definition.
        family: &'static str,
        /// Its lifetime in minutes; `None`: until it is deleted.
        minutes: Option<u64>,
        /// Who may reach it.
        access: AccessKind,
    },
    /// The team sends the same request again, with the same key.
    Repeat(usize),
    /// The team deletes it.
    Delete(usize),
    /// The team requests a retry.
    Retry(usize),
    /// The team extends its lifetime.
    Extend(usize),
    /// The other team requests it.
    Foreign(usize),
    /// An operator aborts an execution, if one runs; the number says which.
    Abort(u64),
}

/// One history.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What happens when, by time.
    pub acts: Vec<(Duration, Act)>,
    /// What AWS does to the workers' calls.
    pub chance: Chance,
    /// What becomes of the events about ended executions.
    pub delivery: Delivery,
    /// Whether AWS takes its drawn time and its reads lag, or all is as usual.
    pub profile: Profile,
}

fn pick<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(..choices.len())]
}

fn drawn_family(rng: &mut Rng) -> &'static str {
    let mut drawn = rng.u64(..20);
    for (family, weight) in FAMILIES {
        if drawn < weight {
            return family;
        }
        drawn -= weight;
    }
    "hello"
}

/// The faults of AWS: usually the ordinary ones, sometimes none but vanishing workers, sometimes the worst.
fn drawn_chance(rng: &mut Rng) -> Chance {
    let usual = Chance::usual();
    match rng.u64(..10) {
        0 => Chance { functions_only: true, ..Chance::default() },
        1..=4 => usual,
        5..=7 => Chance {
            resources: Odds {
                killed: 0.01,
                killed_before: 0.01,
                exits: 0.01,
                comes_up_failed: 0.05,
                ..usual.resources
            },
            records: Odds { killed: 0.002, killed_before: 0.002, exits: 0.002, ..usual.records },
            ..usual
        },
        8 => Chance { resources: Odds { denied: 0.01, lost: 0.05, ..usual.resources }, ..usual },
        _ => Chance {
            resources: Odds {
                throttled: 0.1,
                unavailable: 0.05,
                unavailable_after: 0.05,
                reset: 0.05,
                lost: 0.05,
                conflict: 0.1,
                killed: 0.02,
                denied: 0.005,
                ..usual.resources
            },
            records: Odds { lost: 0.02, killed: 0.01, exits: 0.01, ..usual.records },
            ..usual
        },
    }
}

impl Plan {
    /// The history of `seed`.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let environments = pick(rng, &[1, 1, 1, 1, 1, 2, 2, 2, 3, 4]);
        let mut acts = Vec::new();
        for index in 0..environments {
            let born = Duration::from_secs(rng.u64(..120) * index as u64);
            let minutes = (rng.f64() < 0.2).then(|| 1 + rng.u64(..20));
            let team = pick(rng, &TEAMS);
            let access = pick(rng, &[AccessKind::Open, AccessKind::Open, AccessKind::Iam, AccessKind::Cidrs]);
            acts.push((born, Act::Create { team, family: drawn_family(rng), minutes, access }));
            for _ in 0..rng.u64(..4) {
                // Most things happen while something is under way, some long after.
                let later = if rng.f64() < 0.85 { rng.u64(..420_000) } else { rng.u64(..3_000_000) };
                let act = match rng.u64(..14) {
                    0..=4 => Act::Delete(index),
                    5..=6 => Act::Retry(index),
                    7 => Act::Extend(index),
                    8 => Act::Repeat(index),
                    9 => Act::Foreign(index),
                    _ => Act::Abort(rng.u64(..)),
                };
                acts.push((born + Duration::from_millis(later + 1), act));
            }
        }
        acts.sort_by_key(|(at, _)| *at);
        let delivery = Delivery {
            lost: pick(rng, &[0.0, 0.0, 0.3, 1.0]),
            twice: pick(rng, &[0.0, 0.3]),
            longest: Duration::from_secs(pick(rng, &[1, 30, 200])),
        };
        let chance = drawn_chance(rng);
        let profile = if rng.f64() < 0.7 { Profile::varying() } else { Profile::medians() };
        Self { acts, chance, delivery, profile }
    }
}
