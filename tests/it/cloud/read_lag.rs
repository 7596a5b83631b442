//! Reads lag behind writes: what was just created is not found and not listed for a moment.

use std::time::Duration;

use berth_aws::sdk::ecs_types::{AwsVpcConfiguration, NetworkConfiguration};
use berth_local::stand_in::ec2::{BERTH_SUBNETS, SECURITY_GROUP, VPC};
use berth_local::stand_in::profile::Profile;
use tests::{Account, AccountOptions, World, WorldOptions};

use super::elb::{code, forward};

/// An account whose reads lag by the median: 1 s. A reply comes 0.2 s after its effect, so the next call is looked at
/// 0.4 s after the last one's effect.
fn lagging() -> Account {
    Account::with(AccountOptions { profile: Profile::medians().with_lag(true), ..AccountOptions::default() })
}

async fn a_second(account: &Account) {
    account.clock.sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn elb_does_not_find_for_a_moment_what_it_has_created_but_creates_it_only_once() {
    let account = lagging();
    let elb = &account.clients.elb;
    let create = || elb.create_load_balancer().name("web").r#type("network".into()).subnets(BERTH_SUBNETS[0]).send();
    let balancer = create().await.unwrap().load_balancers()[0].load_balancer_arn().unwrap().to_owned();
    let describe = || elb.describe_load_balancers().load_balancer_arns(&balancer).send();
    let attributes = || elb.describe_load_balancer_attributes().load_balancer_arn(&balancer).send();
    assert_eq!(code(describe().await), "LoadBalancerNotFound");
    assert_eq!(code(attributes().await), "LoadBalancerNotFound");
    a_second(&account).await;
    describe().await.expect("it is seen by now");
    attributes().await.expect("it is seen by now");

    let create_group = || {
        let create = elb.create_target_group().name("web").protocol("TCP".into()).port(80);
        create.target_type("ip".into()).vpc_id(VPC).send()
    };
    let group = create_group().await.unwrap().target_groups()[0].target_group_arn().unwrap().to_owned();
    assert_eq!(code(elb.describe_target_groups().names("web").send().await), "TargetGroupNotFound");
    let again = create_group().await.unwrap();
    assert_eq!(again.target_groups()[0].target_group_arn(), Some(&*group), "a creation sees what reads do not");

    // A write that names what was just created finds it.
    let create = elb.create_target_group().name("new").protocol("TCP".into()).port(80).target_type("ip".into());
    let group = create.vpc_id(VPC).send().await.unwrap().target_groups()[0].target_group_arn().unwrap().to_owned();
    let create = elb.create_listener().load_balancer_arn(&balancer).protocol("TCP".into()).port(80);
    let listener = create.default_actions(forward(&group)).send().await.unwrap();
    let listener = listener.listeners()[0].listener_arn().unwrap();
    assert_eq!(code(elb.describe_listeners().listener_arns(listener).send().await), "ListenerNotFound");
    let listed = elb.describe_listeners().load_balancer_arn(&balancer).send().await.unwrap();
    assert_eq!(listed.listeners().len(), 0);
    a_second(&account).await;
    let listed = elb.describe_listeners().load_balancer_arn(&balancer).send().await.unwrap();
    assert_eq!(listed.listeners()[0].listener_arn(), Some(listener));
}

#[tokio::test(start_paused = true)]
async fn api_gateways_lists_and_gets_lag() {
    let account = lagging();
    let gateway = &account.clients.apigateway;
    let arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/x/0123456789abcdef";
    let link = gateway.create_vpc_link().name("x").target_arns(arn).send().await.unwrap().id.unwrap();
    assert_eq!(gateway.get_vpc_links().send().await.unwrap().items().len(), 0);
    assert_eq!(code(gateway.get_vpc_link().vpc_link_id(&link).send().await), "NotFoundException");
    a_second(&account).await;
    assert_eq!(gateway.get_vpc_links().send().await.unwrap().items()[0].id(), Some(&*link));
    gateway.get_vpc_link().vpc_link_id(&link).send().await.expect("it is seen by now");

    let api = gateway.create_rest_api().name("x").send().await.unwrap();
    let (api, root) = (api.id.unwrap(), api.root_resource_id.unwrap());
    assert_eq!(gateway.get_rest_apis().send().await.unwrap().items().len(), 0);
    let put = gateway.put_method().rest_api_id(&api).resource_id(root).http_method("GET").authorization_type("NONE");
    put.send().await.expect("a write sees it");
    a_second(&account).await;
    assert_eq!(gateway.get_rest_apis().send().await.unwrap().items().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_service_is_missing_or_the_one_before_it_for_a_moment_and_its_token_still_gives_it_again() {
    let account = lagging();
    let ecs = &account.clients.ecs;
    let vpc = AwsVpcConfiguration::builder().subnets(BERTH_SUBNETS[0]).security_groups(SECURITY_GROUP).build().unwrap();
    let network = NetworkConfiguration::builder().awsvpc_configuration(vpc).build();
    let create = || {
        let create = ecs.create_service().service_name("api").task_definition("hello").client_token("once");
        create.launch_type("FARGATE".into()).network_configuration(network.clone()).send()
    };
    let arn = create().await.unwrap().service.unwrap().service_arn;
    let described = ecs.describe_services().services("api").send().await.unwrap();
    assert_eq!(described.failures()[0].reason(), Some("MISSING"));
    assert_eq!(create().await.unwrap().service.unwrap().service_arn, arn);
    a_second(&account).await;
    let described = ecs.describe_services().services("api").send().await.unwrap();
    assert_eq!(described.services()[0].service_arn, arn);

    // Another one of that name is read as the one before it, for a moment.
    ecs.delete_service().service("api").send().await.unwrap();
    account.clock.sleep(Duration::from_secs(60)).await;
    create().await.unwrap();
    for status in ["INACTIVE", "ACTIVE"] {
        let described = ecs.describe_services().services("api").send().await.unwrap();
        assert_eq!(described.services()[0].status(), Some(status));
        a_second(&account).await;
    }
}

#[tokio::test(start_paused = true)]
async fn reads_lag_where_latencies_vary_and_not_where_they_are_the_medians() {
    for (profile, most) in [(Profile::medians(), 0), (Profile::varying(), 20)] {
        let account = Account::with(AccountOptions { profile, ..AccountOptions::default() });
        let mut longest = 0;
        for number in 0..10 {
            let name = format!("web-{number}");
            let elb = &account.clients.elb;
            let create = elb.create_load_balancer().name(&name).r#type("network".into()).subnets(BERTH_SUBNETS[0]);
            create.send().await.unwrap();
            let began = account.clock.now();
            while elb.describe_load_balancers().names(&name).send().await.is_err() {
                longest = longest.max(account.clock.since(began).as_secs());
            }
        }
        assert!(longest <= most && (longest > 0) == (most > 0), "{longest} s");
    }
}

#[tokio::test(start_paused = true)]
async fn environments_come_and_go_though_reads_lag() {
    for seed in 0..6 {
        let world = World::with(WorldOptions { seed, profile: Profile::varying(), ..WorldOptions::default() }).await;
        let id = world.create("lagged", "hello").await;
        assert_eq!(world.settled(&id).await["status"], "ready", "seed {seed}");
        assert!(world.inventory().await.is_each(1), "seed {seed}");
        world.delete(&id).await;
        assert_eq!(world.settled(&id).await["status"], "deleted", "seed {seed}");
        assert!(world.inventory().await.is_empty(), "seed {seed}");
    }
}
