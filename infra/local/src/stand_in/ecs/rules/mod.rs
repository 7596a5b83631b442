//! What ECS refuses of a registration that fits the model: its rules, in its words (docs/aws.md#registering-a-task-definition).
//!
//! Here: the task as a whole, and the order. A container by itself is in `container`, the network in `network`, what
//! names something else of the definition in `references`, and what Fargate does not have in `fargate`.

mod container;
mod fargate;
mod network;
mod references;

use serde_json::Value;

use super::input::{client, is_name, says};
use crate::stand_in::refusal::Refusal;

/// Bytes of a whole definition.
const MAX_LENGTH: usize = 65_536;

/// A JSON object that fits the model: its members have the types that these methods read.
#[derive(Clone, Copy)]
struct Object<'a>(&'a Value);

impl<'a> Object<'a> {
    fn has(self, member: &str) -> bool {
        !self.0[member].is_null()
    }

    /// A member that is an object; one without members if it is not given.
    fn object(self, member: &str) -> Self {
        Self(&self.0[member])
    }

    fn objects(self, member: &str) -> impl Iterator<Item = Self> + Clone {
        self.0[member].as_array().into_iter().flatten().map(Self)
    }

    fn texts(self, member: &str) -> impl Iterator<Item = &'a str> {
        self.0[member].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// A text; an empty one if it is not given.
    fn text(self, member: &str) -> &'a str {
        self.0[member].as_str().unwrap_or_default()
    }

    fn number(self, member: &str) -> Option<i64> {
        self.0[member].as_i64()
    }

    fn is_on(self, member: &str) -> bool {
        self.0[member] == true
    }

    /// Whether the member asks for anything.
    fn says(self, member: &str) -> bool {
        says(&self.0[member])
    }
}

/// A registration.
#[derive(Clone, Copy)]
struct Registration<'a> {
    whole: Object<'a>,
    /// MiB of the task.
    memory: Option<u32>,
    /// CPU units of the task.
    cpu: Option<u32>,
}

impl<'a> Registration<'a> {
    fn containers(self) -> impl Iterator<Item = Object<'a>> + Clone {
        self.whole.objects("containerDefinitions")
    }

    fn container(self, name: &str) -> Option<Object<'a>> {
        self.containers().find(|container| container.text("name") == name)
    }

    fn is_awsvpc(self) -> bool {
        self.whole.text("networkMode") == "awsvpc"
    }

    fn requires(self, compatibility: &str) -> bool {
        self.whole.texts("requiresCompatibilities").any(|required| required == compatibility)
    }

    fn has_execution_role(self) -> bool {
        self.whole.says("executionRoleArn")
    }
}

/// CPU units and MiB if the definition can run on Fargate, whether it asks for Fargate or not.
pub(super) fn check(given: &Value) -> Result<Option<(u32, u32)>, Refusal> {
    let whole = Object(given);
    if !is_name(whole.text("family")) {
        return Err(client("Family contains invalid characters."));
    }
    let length = given.to_string().len();
    if length > MAX_LENGTH {
        return Err(client(format!("Actual length: '{length}'. Max allowed length is '{MAX_LENGTH}' bytes.")));
    }
    for role in ["taskRoleArn", "executionRoleArn"] {
        if whole.says(role) && !is_role(whole.text(role)) {
            return Err(client("Role is not valid"));
        }
    }
    if whole.says("inferenceAccelerators") {
        return Err(client("Unsupported field 'inferenceAccelerators'"));
    }
    let (cpu, memory) = (fargate::cpu_units(whole.text("cpu")), fargate::mebibytes(whole.text("memory")));
    for (member, read) in [("cpu", cpu), ("memory", memory)] {
        if whole.says(member) && read.is_none() {
            return Err(client(format!(
                "Invalid '{member}' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
            )));
        }
    }
    let registration = Registration { whole, memory, cpu };
    container::check_all(registration)?;
    network::check(registration)?;
    references::check(registration)?;
    check_sums(registration)?;
    if registration.requires("FARGATE") {
        return fargate::check(registration).map(Some);
    }
    if whole.has("ephemeralStorage") {
        return Err(client("Tasks using the EC2 launch type do not support EphemeralStorage"));
    }
    Ok(fargate::check(registration).ok())
}

/// Whether the text may be a role's name or ARN.
fn is_role(role: &str) -> bool {
    match role.strip_prefix("arn:") {
        None => !role.contains(':'),
        Some(rest) => {
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            matches!(parts.as_slice(), [_, "iam", "", account, path]
                if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) && path.starts_with("role/"))
        }
    }
}

/// What containers reserve together must fit into the task.
fn check_sums(registration: Registration<'_>) -> Result<(), Refusal> {
    for (member, task, of_task) in
        [("cpu", registration.cpu, "cpu"), ("memoryReservation", registration.memory, "memory")]
    {
        let sum: i64 = registration.containers().filter_map(|container| container.number(member)).sum();
        if task.is_some_and(|task| sum > i64::from(task)) {
            return Err(client(format!(
                "The sum of all container '{member}' values cannot be greater than the value of the task '{of_task}'."
            )));
        }
    }
    Ok(())
}
