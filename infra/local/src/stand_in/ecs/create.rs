//! CreateService: AWS's checks, in its order, and the checks of a plan (task definition, network, targets).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::definition::{self, TaskDefinition};
use super::input::{Tag, client, invalid, is_name, parse, tags, unsupported};
use super::service::{self, LoadBalancer, Network, Plan, Service, ServiceProperties, Status};
use super::{cluster, deploying, scheduler};
use crate::stand_in::account::Account;
use crate::stand_in::ec2;
use crate::stand_in::elb;
use crate::stand_in::refusal::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NetworkConfiguration {
    pub(super) awsvpc_configuration: Option<Network>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    cluster: Option<String>,
    service_name: String,
    task_definition: Option<String>,
    #[serde(default)]
    load_balancers: Vec<LoadBalancer>,
    desired_count: Option<u32>,
    client_token: Option<String>,
    launch_type: Option<String>,
    platform_version: Option<String>,
    #[serde(default)]
    deployment_configuration: deploying::Configuration,
    network_configuration: Option<NetworkConfiguration>,
    health_check_grace_period_seconds: Option<u32>,
    scheduling_strategy: Option<String>,
    deployment_controller: Option<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default, rename = "enableECSManagedTags")]
    enable_managed_tags: bool,
    propagate_tags: Option<String>,
    #[serde(default)]
    enable_execute_command: bool,
    availability_zone_rebalancing: Option<String>,
    role: Option<Value>,
    capacity_provider_strategy: Option<Value>,
    placement_constraints: Option<Value>,
    placement_strategy: Option<Value>,
    service_registries: Option<Value>,
    service_connect_configuration: Option<Value>,
    volume_configurations: Option<Value>,
    vpc_lattice_configurations: Option<Value>,
}

pub(super) fn create(account: &mut Account, request: &Value) -> Result<Value, Refusal> {
    let input: Input = parse("CreateService", request)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    check_supported(&input)?;
    if !is_name(&input.service_name) {
        return Err(invalid(
            "Invalid service name: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.",
        ));
    }
    let takes = |token: &str| (1..=36).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    if input.client_token.as_deref().is_some_and(|token| !takes(token)) {
        return Err(invalid("clientToken must be 1 to 36 ASCII characters in the range 33-126."));
    }
    let key = service::key(&cluster, &input.service_name);
    if same_again(account, &cluster, &key, &input, request)? {
        return Ok(json!({"service": service::shown(account, &key, true)}));
    }
    input.deployment_configuration.check("CreateService")?;
    let tags = tags(&input.tags)?;
    if input.health_check_grace_period_seconds.is_some() && input.load_balancers.is_empty() {
        return Err(invalid("Health check grace period is only valid for services configured to use load balancers"));
    }
    let asked = input.task_definition.ok_or_else(|| invalid("TaskDefinition cannot be blank."))?;
    let network = input.network_configuration.and_then(|network| network.awsvpc_configuration);
    let plan = plan(account, &asked, network, input.load_balancers)?;

    let properties = ServiceProperties {
        cluster,
        name: input.service_name,
        desired: input.desired_count.unwrap_or(0),
        configuration: input.deployment_configuration,
        grace_seconds: input.health_check_grace_period_seconds.or((!plan.load_balancers.is_empty()).then_some(0)),
        client_token: input.client_token,
        request: request.clone(),
        propagate_tags: input.propagate_tags,
        enable_execute_command: input.enable_execute_command,
        enable_managed_tags: input.enable_managed_tags,
        zone_rebalancing: input.availability_zone_rebalancing,
    };
    let service = Service::new(account, properties, plan);
    let former = account.ecs.services.insert(key.clone(), service);
    account.ecs.former.extend(former.map(|former| (key.clone(), former)));
    account.engine.created(&key);
    account.ecs.tags.insert(service::arn(&key), tags);
    scheduler::reconcile(account, &key);
    scheduler::look_soon(account, &key);
    Ok(json!({"service": service::shown(account, &key, true)}))
}

/// Whether the same service exists already. Refuses a different service of that name.
fn same_again(account: &Account, cluster: &str, key: &str, input: &Input, request: &Value) -> Result<bool, Refusal> {
    let not_idempotent = || invalid("Creation of service was not idempotent.");
    if let Some(existing) = account.ecs.services.get(key) {
        match existing.status {
            Status::Draining => return Err(invalid("Unable to Start a service that is still Draining.")),
            Status::Active => {
                let same = input.client_token.is_some()
                    && existing.client_token == input.client_token
                    && existing.request == *request;
                return if same { Ok(true) } else { Err(not_idempotent()) };
            }
            Status::Inactive => {}
        }
    }
    let taken = |service: &Service| {
        service.cluster == cluster && service.status == Status::Active && service.client_token == input.client_token
    };
    if input.client_token.is_some() && account.ecs.services.values().any(taken) {
        return Err(not_idempotent());
    }
    Ok(false)
}

fn check_supported(input: &Input) -> Result<(), Refusal> {
    unsupported(
        "CreateService",
        &[
            ("role", &input.role),
            ("capacityProviderStrategy", &input.capacity_provider_strategy),
            ("placementConstraints", &input.placement_constraints),
            ("placementStrategy", &input.placement_strategy),
            ("serviceRegistries", &input.service_registries),
            ("serviceConnectConfiguration", &input.service_connect_configuration),
            ("volumeConfigurations", &input.volume_configurations),
            ("vpcLatticeConfigurations", &input.vpc_lattice_configurations),
        ],
    )?;
    let controller = input.deployment_controller.as_ref().and_then(|controller| controller["type"].as_str());
    let only = [
        ("launchType", Some(input.launch_type.as_deref().unwrap_or("EC2")), "FARGATE"),
        ("schedulingStrategy", input.scheduling_strategy.as_deref(), "REPLICA"),
        ("deploymentController", controller, "ECS"),
    ];
    for (member, given, supported) in only {
        if let Some(given) = given.filter(|given| *given != supported) {
            return Err(invalid(format!("berth-local supports {member} {supported} only, not {given}.")));
        }
    }
    if let Some(version) = input.platform_version.as_deref().filter(|version| !["LATEST", "1.4.0"].contains(version)) {
        return Err(invalid(format!("The specified platform version is not supported: {version}.")));
    }
    Ok(())
}

/// The plan of a deployment, if AWS would accept it.
pub(super) fn plan(
    account: &Account,
    asked: &str,
    network: Option<Network>,
    load_balancers: Vec<LoadBalancer>,
) -> Result<Plan, Refusal> {
    let definition = definition::find(&account.ecs, asked).ok_or_else(|| client("TaskDefinition not found."))?;
    if definition.deregistered_at.is_some() {
        return Err(client("TaskDefinition is inactive"));
    }
    if definition.size.is_none() {
        return Err(invalid("Task definition does not support launch_type FARGATE."));
    }
    let network = network
        .ok_or_else(|| invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."))?;
    check_network(&network)?;
    if load_balancers.len() > 5 {
        return Err(invalid("load balancers can have at most 5 items."));
    }
    for load_balancer in &load_balancers {
        check_load_balancer(account, definition, load_balancer)?;
    }
    Ok(Plan { task_definition: definition.arn.clone(), network, load_balancers })
}

fn check_network(network: &Network) -> Result<(), Refusal> {
    if network.subnets.is_empty() {
        return Err(invalid("subnets can not be empty."));
    }
    if network.subnets.len() > 16 {
        return Err(invalid("subnets can have at most 16 items."));
    }
    if network.security_groups.len() > 5 {
        return Err(invalid("securityGroups can have at most 5 items."));
    }
    if let Some(unknown) = network.subnets.iter().find(|id| ec2::subnet(id).is_none()) {
        return Err(invalid(format!(
            "Error retrieving subnet information for [{unknown}]: The subnet ID '{unknown}' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
        )));
    }
    let vpcs: BTreeSet<&str> = network.subnets.iter().filter_map(|id| ec2::subnet(id)).map(|found| found.vpc).collect();
    if vpcs.len() > 1 {
        return Err(invalid("All subnets must belong to the same VPC."));
    }
    if let Some(unknown) = network.security_groups.iter().find(|id| ec2::security_group(id).is_none()) {
        return Err(invalid(format!(
            "Error retrieving security group information for [{unknown}]: The security group '{unknown}' does not exist (ErrorCode: InvalidGroup.NotFound)"
        )));
    }
    let elsewhere = network.security_groups.iter().filter_map(|id| ec2::security_group(id));
    if elsewhere.map(|group| group.vpc).any(|vpc| !vpcs.contains(vpc)) {
        return Err(invalid("Security groups and subnets must belong to the same VPC."));
    }
    Ok(())
}

fn check_load_balancer(account: &Account, definition: &TaskDefinition, given: &LoadBalancer) -> Result<(), Refusal> {
    let LoadBalancer { target_group_arn: arn, container_name: name, container_port: port } = given;
    let container = definition
        .container(name)
        .ok_or_else(|| invalid(format!("The container {name} does not exist in the task definition.")))?;
    // The listeners of the stand-in are TCP.
    if container.tcp_ports().all(|mapped| mapped != *port) {
        return Err(invalid(format!("The container {name} did not have a container port {port} defined.")));
    }
    match elb::target_group_is_served(account, arn) {
        None => return Err(invalid(format!("The specified target group does not exist: {arn}"))),
        Some(false) => {
            return Err(invalid(format!(
                "The target group with targetGroupArn {arn} does not have an associated load balancer."
            )));
        }
        Some(true) => {}
    }
    match elb::target_type(account, arn) {
        Some("ip") => Ok(()),
        kind => Err(invalid(format!(
            "The provided target group {arn} has target type {}, which is incompatible with the awsvpc network mode specified in the task definition.",
            kind.unwrap_or("unknown")
        ))),
    }
}
