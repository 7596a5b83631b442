//! A task definition, as far as the deployment's limits (`limits`) and a request (`request`) are checked against it. How ECS is
//! asked for it is in `functions/aws/src/resources/task_definition.rs`.

/// A task definition, as far as a request is checked against it.
#[derive(Clone, Debug)]
pub struct TaskDefinition {
    /// Its ARN with the revision.
    pub arn: String,
    /// Its family.
    pub family: String,
    /// The revision's tag `berth:team`: the teams that may run it, separated by spaces.
    pub teams: Option<String>,
    /// Its task role and its execution role, as far as it has them: their ARNs.
    pub roles: Vec<String>,
    /// Whether it is ACTIVE.
    pub active: bool,
    /// Whether it can run on Fargate: network mode `awsvpc`, FARGATE among its compatibilities.
    pub fargate: bool,
    /// Its containers: name, and the TCP ports that it maps. Nothing else can stand behind a TCP listener
    /// (docs/aws.md#task-definitions).
    pub containers: Vec<(String, Vec<u16>)>,
}
