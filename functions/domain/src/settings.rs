//! What the deployment decides for every environment: the defaults that a request may leave out.

use jiff::SignedDuration;

use crate::access::{AccessRule, Cidr};
use crate::lifetime::Lifetime;
use crate::limits::Limits;
use crate::spec::Throttle;

/// The deployment's configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment of Berth this is: the table's name. One AWS account may have several.
    pub deployment: String,
    /// The ECS cluster that services run in.
    pub cluster: String,
    /// The subnets of load balancers and tasks, one per availability zone.
    pub subnets: Vec<String>,
    /// The security groups of load balancers and tasks.
    pub security_groups: Vec<String>,
    /// What requests may ask for.
    pub limits: Limits,
    /// How long an environment lives whose request does not say; `None`: until it is deleted.
    pub lifetime: Option<Lifetime>,
    /// For how many days the records and histories of deleted environments are kept.
    pub retention_days: u32,
    /// How many resources without a record one audit may remove. When it finds more, it removes none.
    pub max_orphans_removed: usize,
    /// The public URL of a stage, with `{api}` and `{stage}` to fill in.
    pub stage_url: String,
    /// The AWS region.
    pub region: String,
    /// Who may reach the environments.
    pub access: AccessRule,
    /// The throttle of every environment's stage.
    pub throttle: Throttle,
}

impl Settings {
    /// The configuration of a Lambda: `BERTH_TABLE`, `BERTH_CLUSTER`, `BERTH_SUBNETS` and `BERTH_SECURITY_GROUPS`
    /// (comma-separated), `BERTH_STAGE_URL`, `BERTH_LIFETIME` (like `8h`; may be missing or empty), `BERTH_RETENTION_DAYS`,
    /// `BERTH_MAX_ORPHANS_REMOVED`, `BERTH_DEFAULT_ACCESS` and `BERTH_LOOSEST_ACCESS` (`iam`, `cidrs` or `open`),
    /// `BERTH_ALLOWED_CIDRS` (comma-separated; may be empty), `BERTH_STAGE_RATE` and `BERTH_STAGE_BURST`. `AWS_REGION` is
    /// Lambda's own. The limits are the lists `BERTH_ALLOWED_SUBNETS` and `BERTH_ALLOWED_SECURITY_GROUPS` (beside the
    /// deployment's own), `BERTH_ALLOWED_FAMILIES` and `BERTH_TASK_ROLES`, and `BERTH_ALLOW_PUBLIC_IP` and
    /// `BERTH_ALLOW_UNTAGGED` (`true` or `false`).
    ///
    /// # Errors
    /// One line that says which variable is missing or wrong.
    pub fn from_env_vars() -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
        let list = |name: &str| -> Result<Vec<String>, String> {
            let value = variable(name)?;
            Ok(value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect())
        };
        let word = |name: &str| variable(name)?.parse().map_err(|_| format!("{name} must be iam, cidrs or open"));
        let number =
            |name: &str| -> Result<u32, String> { variable(name)?.parse().map_err(|error| format!("{name}: {error}")) };
        let cidrs: Result<Vec<Cidr>, String> = list("BERTH_ALLOWED_CIDRS")?
            .iter()
            .map(|cidr| cidr.parse().map_err(|error| format!("BERTH_ALLOWED_CIDRS: {cidr} {error}")))
            .collect();
        let switch = |name: &str| -> Result<bool, String> {
            variable(name)?.parse().map_err(|_| format!("{name}: must be true or false"))
        };
        let (subnets, security_groups) = (list("BERTH_SUBNETS")?, list("BERTH_SECURITY_GROUPS")?);
        let limits = Limits {
            subnets: [subnets.clone(), list("BERTH_ALLOWED_SUBNETS")?].concat(),
            security_groups: [security_groups.clone(), list("BERTH_ALLOWED_SECURITY_GROUPS")?].concat(),
            public_ip: switch("BERTH_ALLOW_PUBLIC_IP")?,
            families: list("BERTH_ALLOWED_FAMILIES")?,
            task_roles: list("BERTH_TASK_ROLES")?,
            untagged: switch("BERTH_ALLOW_UNTAGGED")?,
        };
        let access = AccessRule::new(word("BERTH_DEFAULT_ACCESS")?, word("BERTH_LOOSEST_ACCESS")?, cidrs?)
            .map_err(|error| format!("BERTH_DEFAULT_ACCESS, BERTH_LOOSEST_ACCESS, BERTH_ALLOWED_CIDRS: {error}"))?;
        let lifetime = std::env::var("BERTH_LIFETIME").ok().filter(|text| !text.is_empty());
        Ok(Self {
            deployment: variable("BERTH_TABLE")?,
            cluster: variable("BERTH_CLUSTER")?,
            subnets,
            security_groups,
            limits,
            lifetime: lifetime
                .map(|text| text.parse().map_err(|error| format!("BERTH_LIFETIME {error}")))
                .transpose()?,
            retention_days: number("BERTH_RETENTION_DAYS")?,
            max_orphans_removed: number("BERTH_MAX_ORPHANS_REMOVED")? as usize,
            stage_url: variable("BERTH_STAGE_URL")?,
            region: variable("AWS_REGION")?,
            access,
            throttle: Throttle {
                requests_per_second: number("BERTH_STAGE_RATE")?,
                burst: number("BERTH_STAGE_BURST")?,
            },
        })
    }

    /// How long the records and histories of deleted environments are kept.
    #[must_use]
    pub fn retention(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.retention_days) * 24)
    }

    /// The URL of `stage` of the REST API `api`, without a slash at its end.
    #[must_use]
    pub fn url_of(&self, api: &str, stage: &str) -> String {
        self.stage_url.replace("{api}", api).replace("{stage}", stage)
    }
}
