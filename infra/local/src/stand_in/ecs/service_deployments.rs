//! ListServiceDeployments and DescribeServiceDeployments: the deployments that DescribeServices shows, under separate ARNs. Clients
//! that wait for a deployment (Terraform, ecspresso) follow it here.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Page, epoch, invalid, last, maybe_epoch, parse, without_nulls};
use super::service::{self, Counts, Deployment, Rollout, Service};
use super::{Ecs, cluster};
use crate::stand_in::account::Account;
use crate::stand_in::identity;
use crate::stand_in::refusal::Refusal;

/// The ARN of a deployment or of its revision; both end in the digits of the deployment's id.
fn arn(kind: &str, service: &Service, deployment: &Deployment) -> String {
    identity::arn("ecs", &format!("{kind}/{}/{}", service.key(), last(&deployment.id)))
}

/// A deployment that the circuit breaker has stopped is over; the rollback is a separate deployment.
fn status(deployment: &Deployment) -> &'static str {
    match deployment.rollout {
        Rollout::InProgress => "IN_PROGRESS",
        Rollout::Completed => "SUCCESSFUL",
        Rollout::Failed => "STOPPED",
    }
}

fn brief(service: &Service, deployment: &Deployment) -> Value {
    let finished = (deployment.rollout != Rollout::InProgress).then_some(deployment.updated_at);
    without_nulls(json!({
        "serviceDeploymentArn": arn("service-deployment", service, deployment),
        "serviceArn": service::arn(&service.key()),
        "clusterArn": cluster::arn(&service.cluster),
        "createdAt": epoch(deployment.created_at),
        "startedAt": epoch(deployment.created_at),
        "finishedAt": maybe_epoch(finished),
        "targetServiceRevisionArn": arn("service-revision", service, deployment),
        "status": status(deployment),
        "statusReason": (deployment.rollout == Rollout::Failed).then_some(&deployment.rollout_reason),
    }))
}

fn revision(ecs: &Ecs, service: &Service, deployment: &Deployment, requested: u32) -> Value {
    let counts = Counts::of(ecs, &service.key(), Some(&deployment.id));
    json!({
        "arn": arn("service-revision", service, deployment),
        "requestedTaskCount": requested,
        "runningTaskCount": counts.running,
        "pendingTaskCount": counts.pending,
    })
}

fn whole(ecs: &Ecs, service: &Service, deployment: &Deployment) -> Value {
    let mut shown = brief(service, deployment);
    if let Some(members) = shown.as_object_mut() {
        members.remove("targetServiceRevisionArn");
        let others = service.deployments.iter().filter(|other| other.created_at < deployment.created_at);
        let is_primary = service.primary().is_some_and(|primary| primary.id == deployment.id);
        let requested = if is_primary { service.desired } else { 0 };
        members.insert("targetServiceRevision".to_owned(), revision(ecs, service, deployment, requested));
        let sources: Vec<Value> = others.map(|other| revision(ecs, service, other, 0)).collect();
        members.insert("sourceServiceRevisions".to_owned(), json!(sources));
        members.insert("updatedAt".to_owned(), json!(epoch(deployment.updated_at)));
        members.insert("deploymentConfiguration".to_owned(), service.configuration.shown());
    }
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    service: String,
    cluster: Option<String>,
    #[serde(default)]
    status: Vec<String>,
    #[serde(default)]
    created_at: Span,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// A span of time in seconds since 1970.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    before: Option<f64>,
    after: Option<f64>,
}

impl Span {
    fn has(&self, at: Timestamp) -> bool {
        self.before.is_none_or(|before| epoch(at) < before) && self.after.is_none_or(|after| epoch(at) > after)
    }
}

pub(super) fn list(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: List = parse("ListServiceDeployments", input)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    let key = service::key(&cluster, last(&input.service));
    let service = account.ecs.services.get(&key);
    let service = service.ok_or_else(|| Refusal::bad("ServiceNotFoundException", "Service not found."))?;
    let asked = |deployment: &&Deployment| {
        input.created_at.has(deployment.created_at)
            && (input.status.is_empty() || input.status.iter().any(|asked| asked == status(deployment)))
    };
    let all: Vec<Value> = service.deployments.iter().filter(asked).map(|one| brief(service, one)).collect();
    Page { max_results: input.max_results, next_token: input.next_token }.of("serviceDeployments", &all, 100)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Describe {
    service_deployment_arns: Vec<String>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: Describe = parse("DescribeServiceDeployments", input)?;
    if !(1..=20).contains(&input.service_deployment_arns.len()) {
        return Err(invalid("serviceDeploymentArns must have 1 to 20 items."));
    }
    let ecs = &account.ecs;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for asked in input.service_deployment_arns {
        let mut all =
            ecs.services.values().flat_map(|service| service.deployments.iter().map(move |one| (service, one)));
        match all.find(|(service, deployment)| arn("service-deployment", service, deployment) == asked) {
            Some((service, deployment)) => found.push(whole(ecs, service, deployment)),
            None => failures.push(json!({"arn": asked, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceDeployments": found, "failures": failures}))
}
