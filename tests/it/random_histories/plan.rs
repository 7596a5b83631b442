//! What is to happen in one history, drawn from its seed before it begins.

use std::time::Duration;

use berth_local::events::Delivery;
use berth_local::faults::chance::{Chance, Odds};
use berth_local::stand_in::profile::Profile;
use tests::Dice;

/// The teams of a history.
pub const TEAMS: [&str; 2] = ["red", "blue"];
/// Images and how often they are drawn, of 20. `deaf` takes its time to fail.
const FAMILIES: [(&str, u64); 4] = [("hello", 14), ("crash", 3), ("absent", 2), ("deaf", 1)];
/// Something that somebody does; environments are named by the order in which they are asked for.
#[derive(Clone, Debug)]
pub enum Act {
    /// A team asks for an environment.
    Create {
        /// Whose.
        team: &'static str,
        /// Of what.
        family: &'static str,
        /// For how many minutes, if not until somebody deletes it.
        minutes: Option<u64>,
    },
    /// The same request once more, with the same key.
    Repeat(usize),
    /// The team has enough of it.
    Delete(usize),
    /// The team wants another try.
    Retry(usize),
    /// The team wants it for longer.
    Extend(usize),
    /// The other team looks at it.
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

fn drawn_family(dice: &mut Dice) -> &'static str {
    let mut drawn = dice.below(20);
    for (family, weight) in FAMILIES {
        if drawn < weight {
            return family;
        }
        drawn -= weight;
    }
    "hello"
}

/// What AWS is like: mostly as it is to everybody, sometimes calm, sometimes at its worst.
fn drawn_chance(dice: &mut Dice) -> Chance {
    let usual = Chance::usual();
    match dice.below(10) {
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
        let dice = &mut Dice::new(seed);
        let environments = *dice.pick(&[1, 1, 1, 1, 1, 2, 2, 2, 3, 4]);
        let mut acts = Vec::new();
        for index in 0..environments {
            let born = Duration::from_secs(dice.below(120) * index as u64);
            let minutes = dice.happens(0.2).then(|| 1 + dice.below(20));
            let team = dice.pick::<&'static str>(&TEAMS);
            acts.push((born, Act::Create { team, family: drawn_family(dice), minutes }));
            for _ in 0..dice.below(4) {
                // Most things happen while something is under way, some long after.
                let later = if dice.happens(0.85) { dice.below(420_000) } else { dice.below(3_000_000) };
                let act = match dice.below(14) {
                    0..=4 => Act::Delete(index),
                    5..=6 => Act::Retry(index),
                    7 => Act::Extend(index),
                    8 => Act::Repeat(index),
                    9 => Act::Foreign(index),
                    _ => Act::Abort(dice.bits()),
                };
                acts.push((born + Duration::from_millis(later + 1), act));
            }
        }
        acts.sort_by_key(|(at, _)| *at);
        let delivery = Delivery {
            lost: *dice.pick(&[0.0, 0.0, 0.3, 1.0]),
            twice: *dice.pick(&[0.0, 0.3]),
            longest: Duration::from_secs(*dice.pick(&[1, 30, 200])),
        };
        let chance = drawn_chance(dice);
        let profile = if dice.happens(0.7) { Profile::varying() } else { Profile::medians() };
        Self { acts, chance, delivery, profile }
    }
}
