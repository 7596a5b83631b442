//! Names and tags in AWS, derived from the environment so that a lost reply can be looked up.

use crate::environment::Environment;
use crate::ids::{EnvironmentId, Team};

/// The tag that says which environment a resource belongs to.
pub const ENVIRONMENT_TAG: &str = "berth:environment";
/// The tag that says which operation made it.
pub const OPERATION_TAG: &str = "berth:operation";
/// The tag that says which deployment of Berth made it: another one's resources in the same account are not ours.
pub const DEPLOYMENT_TAG: &str = "berth:deployment";
/// The stage variable that names the VPC link. A literal id in the integration would leave a dangling reference when
/// the method is deleted (docs/aws.md#a-link-that-is-in-use); through a variable it does not, and switching links is a
/// stage update.
pub const LINK_VARIABLE: &str = "vpcLinkId";
/// The port of the listener. One listener a load balancer in the `dedicated` topology, so it can be the same for all.
pub const LISTENER_PORT: u16 = 80;

/// The name in AWS of everything that belongs to one environment: `berth-` and 26 letters and digits make 32 characters, the
/// longest load-balancer and target-group name there is (docs/aws.md#names); it never begins with `internal-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceName(String);

impl ResourceName {
    /// The name of everything that belongs to the environment `id`.
    #[must_use]
    pub fn of(id: &EnvironmentId) -> Self {
        Self(format!("berth-{}", id.bare()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name` has the form of a [`ResourceName`].
    #[must_use]
    pub fn is_ours(name: &str) -> bool {
        name.strip_prefix("berth-").is_some_and(|bare| bare.len() == 26)
    }
}

/// The tags of everything that belongs to one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags([(&'static str, String); 5]);

impl Tags {
    /// The tags of everything that belongs to `environment`.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        Self([
            ("Name", environment.name.clone()),
            (ENVIRONMENT_TAG, environment.id.to_string()),
            (DEPLOYMENT_TAG, environment.spec.deployment.clone()),
            (Team::TAG, environment.team.to_string()),
            (OPERATION_TAG, environment.operation().id.to_string()),
        ])
    }

    /// Each key with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_str()))
    }
}
