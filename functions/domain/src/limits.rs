//! What a team may run, and where: the limits that the deployment sets for every request. The API checks them before anything is
//! recorded. The worker checks them again before it calls AWS, because the limits or a task definition's tags may have changed.
//!
//! IAM holds a part of the same rules, from the same parameters (`MakeLoadBalancers` and `MakeServices` in infra/template.yaml).

use wildmatch::WildMatch;

use crate::error::{Error, Field, NOT_ALLOWED};
use crate::ids::Team;
use crate::spec::Network;
use crate::task_definition::TaskDefinition;

/// Stands for every team in the tag of a task definition; a team's name has no `@`.
pub const ALL_TEAMS: &str = "@all";

/// What requests may ask for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The subnets, the deployment's own among them.
    pub subnets: Vec<String>,
    /// The security groups, the deployment's own among them.
    pub security_groups: Vec<String>,
    /// Whether tasks may have a public address.
    pub public_ip: bool,
    /// The families of task definitions, with `*` for any text.
    pub families: Vec<String>,
    /// The roles that task definitions may name, as task role or execution role: their ARNs.
    pub task_roles: Vec<String>,
    /// Whether a task definition without the tag `berth:team` may be run.
    pub untagged: bool,
}

impl Limits {
    /// The places of `network` that the limits exclude.
    #[must_use]
    pub fn check_network(&self, network: &Network) -> Vec<Field> {
        let mut excluded = Vec::new();
        for (place, named, allowed, parameter) in [
            ("subnets", &network.subnets, &self.subnets, "AllowedSubnets"),
            ("security_groups", &network.security_groups, &self.security_groups, "AllowedSecurityGroups"),
        ] {
            let foreign = named.iter().enumerate().filter(|(_, id)| !allowed.contains(id));
            excluded.extend(foreign.map(|(index, id)| Field {
                pointer: format!("/network/{place}/{index}"),
                message: format!(
                    "{id} is not allowed in this deployment. Name only {}, or ask an operator to extend {parameter}.",
                    allowed.join(", ")
                ),
            }));
        }
        if network.assign_public_ip && !self.public_ip {
            excluded.push(Field {
                pointer: "/network/assign_public_ip".to_owned(),
                message: "Tasks get no public address in this deployment. Leave the field out, or ask an operator to change AllowPublicIp.".to_owned(),
            });
        }
        excluded
    }

    /// The reasons why `team` may not run `task_definition`. What another team's names beyond that (its roles) stays unsaid.
    #[must_use]
    pub fn check_task_definition(&self, team: &Team, task_definition: &TaskDefinition) -> Vec<Field> {
        let TaskDefinition { arn, family, teams, roles, .. } = task_definition;
        let tag = Team::TAG;
        let field = |message: String| Field { pointer: "/task_definition".to_owned(), message };
        if !self.families.iter().any(|pattern| WildMatch::new(pattern).matches(family)) {
            return vec![field(format!(
                "The family {family} is not allowed in this deployment. Name one that matches {}, or ask an operator to extend AllowedTaskDefinitionFamilies.",
                self.families.join(", ")
            ))];
        }
        match teams {
            None if self.untagged => {}
            None => {
                return vec![field(format!(
                    "{arn} has no tag {tag}, which names the teams that may run it. Tag it (`aws ecs tag-resource --resource-arn {arn} --tags key={tag},value={team}`), or ask its owner to."
                ))];
            }
            Some(teams) if teams.split_whitespace().any(|named| named == ALL_TEAMS || named == team.to_string()) => {}
            Some(_) => {
                return vec![field(format!(
                    "{arn} is not for team {team}: its tag {tag} does not name it. Name a task definition of your team, or ask the owner of this one to add {team} to the tag, after a space."
                ))];
            }
        }
        let allowed = match self.task_roles.as_slice() {
            [] => "without roles".to_owned(),
            roles => format!("whose roles are among {}", roles.join(", ")),
        };
        let foreign = roles.iter().filter(|role| !self.task_roles.contains(role));
        foreign
            .map(|role| {
                field(format!(
                    "{arn} names the role {role}, which is not allowed in this deployment. Name a revision {allowed}, or ask an operator to extend TaskRoleArns."
                ))
            })
            .collect()
    }
}

/// Refuses what the limits exclude.
///
/// # Errors
/// `Unprocessable` with every place, unless `excluded` is empty.
pub fn refuse(excluded: Vec<Field>) -> Result<(), Error> {
    if excluded.is_empty() {
        return Ok(());
    }
    let message = excluded.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join(" ");
    Err(Error::Unprocessable { code: NOT_ALLOWED, message, fields: excluded })
}
