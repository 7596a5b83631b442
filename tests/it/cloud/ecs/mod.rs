//! ECS through the SDK, and task programs through the network: what its tests share.

mod changes;
mod commands;
mod definitions;
mod refusals;
mod registration;
mod services;

use std::fmt::Debug;
use std::time::Duration;

use berth_aws::sdk::ProvideErrorMetadata;
use berth_aws::sdk::ecs_types::{
    AwsVpcConfiguration, ContainerDefinition, DeploymentCircuitBreaker, DeploymentConfiguration, KeyValuePair,
    LaunchType, LoadBalancer, NetworkConfiguration, PortMapping, Service, Tag, Task,
};
use berth_aws::sdk::elb_types::Action;
use berth_domain::Clock;
use berth_local::stand_in::account;
use berth_local::stand_in::ec2::{BERTH_SUBNETS, OTHER_VPC, SECURITY_GROUP, SUBNETS, VPC};
use berth_local::stand_in::net::Net;
use berth_local::stand_in::profile::Profile;
use berth_local::stand_in::quotas::Quotas;
use berth_local::stand_in::rates::Rates;
use berth_local::stand_in::{Cloud, Options, ecs};
use serde_json::{Value, json};
use tests::{Account, Stash};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

/// The code and message of a refusal.
fn refusal<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, E>) -> (String, String) {
    let error = result.expect_err("a refusal");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

fn message<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, E>) -> String {
    refusal(result).1
}

fn network(subnet: &str, group: &str) -> NetworkConfiguration {
    let vpc = AwsVpcConfiguration::builder().subnets(subnet).security_groups(group).build().unwrap();
    NetworkConfiguration::builder().awsvpc_configuration(vpc).build()
}

fn breaker(rollback: bool) -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(rollback).build();
    DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build()
}

fn load_balancer(target_group: &str, container: &str, port: i32) -> LoadBalancer {
    LoadBalancer::builder().target_group_arn(target_group).container_name(container).container_port(port).build()
}

/// What the tests do with one account.
struct Ecs(Account);

type Create = berth_aws::sdk::CreateService;

impl Ecs {
    fn new() -> Self {
        Self(Account::new())
    }

    async fn wait(&self, seconds: u64) {
        self.0.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// CreateService as most tests want it: one task in the first subnet.
    fn create(&self, name: &str, definition: &str) -> Create {
        let create = self.0.clients.ecs.create_service().service_name(name).task_definition(definition);
        create
            .desired_count(1)
            .launch_type(LaunchType::Fargate)
            .network_configuration(network(BERTH_SUBNETS[0], SECURITY_GROUP))
    }

    async fn delete(&self, name: &str) {
        self.0.clients.ecs.delete_service().service(name).force(true).send().await.unwrap();
    }

    async fn service(&self, name: &str) -> Service {
        let reply = self.0.clients.ecs.describe_services().services(name).send().await.unwrap();
        reply.services()[0].clone()
    }

    async fn status(&self, name: &str) -> String {
        self.service(name).await.status().unwrap().to_owned()
    }

    async fn tasks(&self, service: &str, desired: &str) -> Vec<Task> {
        let list = self.0.clients.ecs.list_tasks().service_name(service).desired_status(desired.into());
        let arns = list.send().await.unwrap().task_arns().to_vec();
        if arns.is_empty() {
            return Vec::new();
        }
        let reply = self.0.clients.ecs.describe_tasks().set_tasks(Some(arns)).send().await.unwrap();
        reply.tasks().to_vec()
    }

    async fn register(&self, family: &str, image: &str) -> String {
        let port = PortMapping::builder().container_port(8000).build();
        let variables = [("BERTH_GREETING", "hi"), ("SECRET", "hidden")];
        let variables = variables.map(|(name, value)| KeyValuePair::builder().name(name).value(value).build());
        let container = ContainerDefinition::builder().name("web").image(image).port_mappings(port);
        let container = container.set_environment(Some(variables.to_vec())).build();
        let register = self.0.clients.ecs.register_task_definition().family(family).container_definitions(container);
        let register = register.network_mode("awsvpc".into()).requires_compatibilities("FARGATE".into());
        let reply = register.cpu(".25 vCPU").memory("0.5 GB").send().await.unwrap();
        reply.task_definition().unwrap().task_definition_arn().unwrap().to_owned()
    }

    async fn target_group(&self, name: &str, kind: &str) -> String {
        let create = self.0.clients.elb.create_target_group().name(name).protocol("TCP".into()).port(8000);
        let create = create.vpc_id(VPC).target_type(kind.into()).health_check_interval_seconds(10);
        create.send().await.unwrap().target_groups()[0].target_group_arn().unwrap().to_owned()
    }

    async fn load_balancer(&self) -> String {
        let create = self.0.clients.elb.create_load_balancer().name("nlb").r#type("network".into());
        let reply = create.subnets(BERTH_SUBNETS[0]).security_groups(SECURITY_GROUP).send().await.unwrap();
        reply.load_balancers()[0].load_balancer_arn().unwrap().to_owned()
    }

    async fn listen(&self, load_balancer: &str, port: i32, target_group: &str) {
        let create = self.0.clients.elb.create_listener().load_balancer_arn(load_balancer).port(port);
        let forward = Action::builder().r#type("forward".into()).target_group_arn(target_group).build();
        create.protocol("TCP".into()).default_actions(forward).send().await.unwrap();
    }

    /// A target group behind a listener.
    async fn served(&self) -> String {
        let (balancer, group) = (self.load_balancer().await, self.target_group("group", "ip").await);
        self.listen(&balancer, 80, &group).await;
        group
    }

    async fn health(&self, group: &str) -> Vec<String> {
        let reply = self.0.clients.elb.describe_target_health().target_group_arn(group).send().await.unwrap();
        let states = reply.target_health_descriptions().iter();
        states.map(|target| target.target_health().unwrap().state().unwrap().as_str().to_owned()).collect()
    }
}

fn address(task: &Task) -> String {
    task.containers()[0].network_interfaces()[0].private_ipv4_address().unwrap().to_owned()
}

fn rollout(service: &Service) -> String {
    service.deployments()[0].rollout_state().unwrap().as_str().to_owned()
}

fn told(service: &Service, text: &str) -> bool {
    service.events().iter().any(|event| event.message().unwrap().contains(text))
}

/// Asks what listens at an address; the body of its answer.
async fn ask(net: &Net, ip: &str, request: &str) -> String {
    let Ok(mut connection) = net.connect(&(ip.to_owned(), 8000)).await else { return String::new() };
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}
