//! Clusters. `default` exists from the start; a call that names no cluster means it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::{Page, Tag, invalid, is_name, last, parse, shown_tags, tags, unsupported, without_nulls};
use super::task::Status;
use super::{Ecs, service};
use crate::stand_in::account::Account;
use crate::stand_in::identity;
use crate::stand_in::refusal::Refusal;

/// A cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cluster {
    /// Deleted clusters stay describable.
    pub active: bool,
    settings: Option<Value>,
    configuration: Option<Value>,
}

impl Cluster {
    pub(super) fn active() -> Self {
        Self { active: true, ..Self::default() }
    }
}

/// The name of the active cluster that `given` (a name, an ARN or nothing) means.
pub(super) fn named(ecs: &Ecs, given: Option<&str>) -> Result<String, Refusal> {
    let name = last(given.unwrap_or("default"));
    match ecs.clusters.get(name) {
        Some(cluster) if cluster.active => Ok(name.to_owned()),
        Some(_) => Err(Refusal::bad("ClusterNotFoundException", "The referenced cluster was inactive.")),
        None => Err(Refusal::bad("ClusterNotFoundException", "Cluster not found.")),
    }
}

pub(super) fn arn(name: &str) -> String {
    identity::arn("ecs", &format!("cluster/{name}"))
}

fn shown(account: &Account, name: &str, with_tags: bool) -> Value {
    let Some(cluster) = account.ecs.clusters.get(name) else { return Value::Null };
    let tasks = |wanted: fn(Status) -> bool| {
        account.ecs.tasks.values().filter(|task| task.cluster == name && wanted(task.status)).count()
    };
    let arn = arn(name);
    without_nulls(json!({
        "clusterName": name,
        "status": if cluster.active { "ACTIVE" } else { "INACTIVE" },
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": tasks(|status| status == Status::Running),
        "pendingTasksCount": tasks(|status| status < Status::Running),
        "activeServicesCount": account.ecs.services.values()
            .filter(|service| service.cluster == name && service.status == service::Status::Active).count(),
        "statistics": [],
        "settings": cluster.settings.clone().unwrap_or_else(|| json!([{"name": "containerInsights", "value": "disabled"}])),
        "configuration": cluster.configuration,
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
        "tags": if with_tags { shown_tags(account.ecs.tags.get(&arn)) } else { json!([]) },
        "clusterArn": arn,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    cluster_name: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    settings: Option<Value>,
    configuration: Option<Value>,
    capacity_providers: Option<Value>,
    default_capacity_provider_strategy: Option<Value>,
    service_connect_defaults: Option<Value>,
}

pub(super) fn create(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let input: Create = parse("CreateCluster", input)?;
    unsupported(
        "CreateCluster",
        &[
            ("capacityProviders", &input.capacity_providers),
            ("defaultCapacityProviderStrategy", &input.default_capacity_provider_strategy),
            ("serviceConnectDefaults", &input.service_connect_defaults),
        ],
    )?;
    let name = input.cluster_name.unwrap_or_else(|| "default".to_owned());
    if !is_name(&name) {
        return Err(invalid(
            "Invalid cluster name: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.",
        ));
    }
    let tags = tags(&input.tags)?;
    // Creating an active cluster again returns it unchanged.
    if !account.ecs.clusters.get(&name).is_some_and(|cluster| cluster.active) {
        let cluster = Cluster { active: true, settings: input.settings, configuration: input.configuration };
        account.ecs.clusters.insert(name.clone(), cluster);
        account.ecs.tags.insert(arn(&name), tags);
    }
    Ok(json!({"cluster": shown(account, &name, true)}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Describe {
    #[serde(default)]
    clusters: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: Describe = parse("DescribeClusters", input)?;
    let asked = if input.clusters.is_empty() { vec!["default".to_owned()] } else { input.clusters };
    let with_tags = input.include.iter().any(|include| include == "TAGS");
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for cluster in asked {
        let name = last(&cluster);
        if account.ecs.clusters.contains_key(name) {
            clusters.push(shown(account, name, with_tags));
        } else {
            failures.push(json!({"arn": arn(name), "reason": "MISSING"}));
        }
    }
    Ok(json!({"clusters": clusters, "failures": failures}))
}

pub(super) fn list(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let page: Page = parse("ListClusters", input)?;
    let arns: Vec<String> =
        account.ecs.clusters.iter().filter(|(_, cluster)| cluster.active).map(|(name, _)| arn(name)).collect();
    page.of("clusterArns", &arns, 100)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    cluster: String,
}

pub(super) fn delete(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let input: Delete = parse("DeleteCluster", input)?;
    let name = named(&account.ecs, Some(&input.cluster))?;
    let in_use = |service: &service::Service| service.cluster == name && service.status != service::Status::Inactive;
    if account.ecs.services.values().any(in_use) {
        return Err(Refusal::bad(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ));
    }
    if account.ecs.tasks.values().any(|task| task.cluster == name && task.status != Status::Stopped) {
        return Err(Refusal::bad(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        ));
    }
    if let Some(cluster) = account.ecs.clusters.get_mut(&name) {
        cluster.active = false;
    }
    Ok(json!({"cluster": shown(account, &name, true)}))
}
