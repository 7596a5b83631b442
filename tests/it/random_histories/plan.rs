//! What is to happen in one history, drawn from its seed before it begins.

use std::time::Duration;

use berth_local::cloud::refusal::Refusal;
use berth_local::faults::Fault;
use tests::Dice;
use tests::faults::{denied, throttled};

/// The teams of a history.
pub const TEAMS: [&str; 2] = ["red", "blue"];
/// Images and how often they are drawn, of 20. `deaf` takes its time to fail.
const FAMILIES: [(&str, u64); 4] = [("hello", 14), ("crash", 3), ("absent", 2), ("deaf", 1)];
/// The calls that scripted faults are drawn for: what creates, finds and removes.
const OPERATIONS: [&str; 24] = [
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:DeleteListener",
    "ecs:CreateService",
    "ecs:DescribeServices",
    "ecs:DeleteService",
    "apigateway:CreateVpcLink",
    "apigateway:GetVpcLinks",
    "apigateway:GetVpcLink",
    "apigateway:DeleteVpcLink",
    "apigateway:CreateRestApi",
    "apigateway:GetRestApis",
    "apigateway:PutIntegration",
    "apigateway:CreateDeployment",
    "apigateway:CreateStage",
    "apigateway:DeleteRestApi",
    "dynamodb:TransactWriteItems",
];

/// Something that somebody does; environments are named by the order in which they are asked for.
#[derive(Clone, Debug)]
pub enum Act {
    /// A team asks for an environment.
    Create {
        /// Whose.
        team: &'static str,
        /// Of what.
        family: &'static str,
    },
    /// The same request once more, with the same key.
    Repeat(usize),
    /// The team has enough of it.
    Delete(usize),
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
    /// Which call meets what.
    pub faults: Vec<(&'static str, u64, Fault)>,
    /// Whether AWS takes its drawn time, or its usual one.
    pub varying: bool,
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

fn drawn_fault(dice: &mut Dice) -> Fault {
    let outage = || Refusal::new(503, "ServiceUnavailable", "The service is unavailable");
    match dice.below(12) {
        0..=2 => Fault::LoseReply,
        3..=4 => Fault::Reset,
        5..=6 => Fault::Refuse(throttled()),
        7 => Fault::RefuseAfter(outage()),
        8 => Fault::Slow(Duration::from_secs(dice.below(28))),
        9 => Fault::Refuse(outage()),
        10 => Fault::Refuse(denied()),
        _ => Fault::RefuseAfter(denied()),
    }
}

impl Plan {
    /// The history of `seed`.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let many = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4];
        let environments = *dice.pick(&many);
        let mut acts = Vec::new();
        for index in 0..environments {
            let born = Duration::from_secs(dice.below(120) * index as u64);
            let create = Act::Create { team: *dice.pick(&TEAMS), family: drawn_family(dice) };
            acts.push((born, create));
            for _ in 0..dice.below(4) {
                // Most things happen while something is under way, some long after.
                let later = if dice.happens(0.85) { dice.below(420_000) } else { dice.below(3_000_000) };
                let act = match dice.below(10) {
                    0..=4 => Act::Delete(index),
                    5 => Act::Repeat(index),
                    6 => Act::Foreign(index),
                    _ => Act::Abort(dice.bits()),
                };
                acts.push((born + Duration::from_millis(later + 1), act));
            }
        }
        acts.sort_by_key(|(at, _)| *at);
        // What is asked for first comes first, whatever its number was while drawing.
        let faults = (0..dice.below(7))
            .map(|_| {
                let operation = *dice.pick(&OPERATIONS);
                let nth = 1 + dice.below(if operation.contains("TransactWrite") { 80 } else { 4 });
                let fault = drawn_fault(dice);
                // The table denies nobody for good: that would be a deployment that never worked.
                let fault = if operation.starts_with("dynamodb") { Fault::LoseReply } else { fault };
                (operation, nth, fault)
            })
            .collect();
        Self { acts, faults, varying: dice.happens(0.7) }
    }
}
