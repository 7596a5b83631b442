//! Target groups and the health of their targets.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    ProtocolEnum, Tag, TargetGroupAttribute, TargetHealthStateEnum, TargetTypeEnum,
};
use berth_domain::Error;
use berth_domain::names::{ResourceName, Tags};
use berth_domain::spec::Spec;

use super::{Deletion, Resources};
use crate::error::{code, convert, message};

/// How long a target that leaves keeps its connections. AWS's default of 300 s makes every delete five minutes longer;
/// environments of this kind have no long requests to wait for.
pub const DEREGISTRATION_DELAY: Duration = Duration::from_secs(30);

/// How the load balancer sees one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// Its address.
    pub address: String,
    /// Whether it is healthy.
    pub healthy: bool,
    /// The state and reason in ELB's words.
    pub why: String,
}

impl Resources {
    /// The target group called `name`, if it is there.
    ///
    /// # Errors
    /// What ELB answers beyond "not found".
    pub async fn target_group_find(&self, name: &ResourceName) -> Result<Option<String>, Error> {
        match self.clients.elb.describe_target_groups().names(name.as_str()).send().await {
            Ok(reply) => {
                Ok(reply.target_groups().first().and_then(|group| group.target_group_arn()).map(str::to_owned))
            }
            Err(error) if code(&error) == Some("TargetGroupNotFound") => Ok(None),
            Err(error) => Err(convert("DescribeTargetGroups", error)),
        }
    }

    /// Creates a target group in `vpc` for the container of `spec`. ELB answers the existing one when it has the same settings.
    ///
    /// # Errors
    /// What ELB refuses.
    pub async fn target_group_create(
        &self,
        name: &ResourceName,
        tags: &Tags,
        vpc: &str,
        spec: &Spec,
    ) -> Result<String, Error> {
        let reply = self
            .clients
            .elb
            .create_target_group()
            .name(name.as_str())
            .protocol(ProtocolEnum::Tcp)
            .port(i32::from(spec.container.port))
            .vpc_id(vpc)
            .target_type(TargetTypeEnum::Ip)
            .health_check_protocol(ProtocolEnum::Http)
            .health_check_path(&spec.health_check.path)
            .health_check_interval_seconds(10)
            .healthy_threshold_count(2)
            .unhealthy_threshold_count(3)
            .set_tags(Some(elb_tags(tags)))
            .send()
            .await
            .map_err(|error| convert("CreateTargetGroup", error))?;
        reply
            .target_groups()
            .first()
            .and_then(|group| group.target_group_arn())
            .map(str::to_owned)
            .ok_or_else(|| Error::internal("CreateTargetGroup answered no target group"))
    }

    /// Sets how long leaving targets keep their connections, and that every zone's node reaches the targets of all zones:
    /// one task is in one zone, and the VPC link may come through another. Setting it again changes nothing.
    ///
    /// # Errors
    /// What ELB refuses.
    pub async fn target_group_configure(&self, arn: &str) -> Result<(), Error> {
        let delay = TargetGroupAttribute::builder()
            .key("deregistration_delay.timeout_seconds")
            .value(DEREGISTRATION_DELAY.as_secs().to_string())
            .build();
        let cross_zone = TargetGroupAttribute::builder().key("load_balancing.cross_zone.enabled").value("true").build();
        self.clients
            .elb
            .modify_target_group_attributes()
            .target_group_arn(arn)
            .attributes(delay)
            .attributes(cross_zone)
            .send()
            .await
            .map(drop)
            .map_err(|error| convert("ModifyTargetGroupAttributes", error))
    }

    /// How the load balancer sees the targets.
    ///
    /// # Errors
    /// What ELB answers.
    pub async fn target_health(&self, arn: &str) -> Result<Vec<TargetHealth>, Error> {
        let reply = self
            .clients
            .elb
            .describe_target_health()
            .target_group_arn(arn)
            .send()
            .await
            .map_err(|error| convert("DescribeTargetHealth", error))?;
        let targets = reply.target_health_descriptions().iter().map(|target| {
            let address = target.target().map_or_else(String::new, |description| {
                format!("{}:{}", description.id().unwrap_or_default(), description.port().unwrap_or_default())
            });
            let health = target.target_health();
            let state = health.and_then(|health| health.state());
            let words = [
                state.map(TargetHealthStateEnum::as_str),
                health.and_then(|health| health.reason()).map(|reason| reason.as_str()),
                health.and_then(|health| health.description()),
            ];
            TargetHealth {
                address,
                healthy: state == Some(&TargetHealthStateEnum::Healthy),
                why: words.into_iter().flatten().collect::<Vec<_>>().join(": "),
            }
        });
        Ok(targets.collect())
    }

    /// Deletes the target group. A listener that forwards to it holds it.
    ///
    /// # Errors
    /// What ELB refuses beyond "in use".
    pub async fn target_group_delete(&self, arn: &str) -> Result<Deletion, Error> {
        match self.clients.elb.delete_target_group().target_group_arn(arn).send().await {
            Ok(_) => Ok(Deletion::Accepted),
            Err(error) if code(&error) == Some("TargetGroupNotFound") => Ok(Deletion::Accepted),
            Err(error) if code(&error) == Some("ResourceInUse") => Ok(Deletion::InUse(message(&error).to_owned())),
            Err(error) => Err(convert("DeleteTargetGroup", error)),
        }
    }
}

/// `tags` as ELB takes them.
pub(super) fn elb_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
