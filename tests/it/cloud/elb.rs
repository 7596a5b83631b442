//! ELBv2: load balancers, target groups and listeners through the SDK. Targets and traffic are in `elb_targets`.

use std::fmt::Debug;
use std::time::Duration;

use berth_aws::sdk::ProvideErrorMetadata;
use berth_aws::sdk::elb_types::{
    Action, LoadBalancer, LoadBalancerAttribute, Matcher, Tag, TargetGroup, TargetGroupAttribute,
};
use berth_local::stand_in::ec2::{BERTH_SUBNETS, OTHER_VPC, SECURITY_GROUP, SECURITY_GROUPS, SUBNETS, VPC};
use berth_local::stand_in::elb;
use tests::Account;

const SUBNET: &str = BERTH_SUBNETS[0];
const OTHER_SUBNET: &str = BERTH_SUBNETS[1];

/// The code and message of a refusal.
fn refusal<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, E>) -> (String, String) {
    let error = result.expect_err("a refusal");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

pub(super) fn code<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, E>) -> String {
    refusal(result).0
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

pub(super) fn forward(target_group: &str) -> Action {
    Action::builder().r#type("forward".into()).target_group_arn(target_group).build()
}

/// What the tests do with one account.
pub(super) struct Elb(pub(super) Account);

impl Elb {
    pub(super) fn new() -> Self {
        Self(Account::new())
    }

    pub(super) async fn wait(&self, seconds: u64) {
        self.0.clock.sleep(Duration::from_secs(seconds)).await;
    }

    pub(super) async fn load_balancer(&self, name: &str) -> LoadBalancer {
        let create = self.0.clients.elb.create_load_balancer().name(name).r#type("network".into());
        let reply = create.subnets(SUBNET).security_groups(SECURITY_GROUP).send().await.unwrap();
        reply.load_balancers()[0].clone()
    }

    pub(super) async fn target_group(&self, name: &str) -> TargetGroup {
        let create = self.0.clients.elb.create_target_group().name(name).protocol("TCP".into()).port(80).vpc_id(VPC);
        let create = create.target_type("ip".into()).health_check_interval_seconds(10);
        create.send().await.unwrap().target_groups()[0].clone()
    }

    pub(super) async fn listener(&self, load_balancer: &str, port: i32, target_group: &str) -> String {
        let create = self.0.clients.elb.create_listener().load_balancer_arn(load_balancer).protocol("TCP".into());
        let reply = create.port(port).default_actions(forward(target_group)).send().await.unwrap();
        reply.listeners()[0].listener_arn().unwrap().to_owned()
    }

    /// A load balancer that forwards port 80 to a target group.
    pub(super) async fn serving(&self) -> (LoadBalancer, String) {
        let load_balancer = self.load_balancer("web").await;
        let target_group = self.target_group("web").await.target_group_arn().unwrap().to_owned();
        self.listener(load_balancer.load_balancer_arn().unwrap(), 80, &target_group).await;
        (load_balancer, target_group)
    }

    async fn state(&self, load_balancer: &str) -> String {
        let describe = self.0.clients.elb.describe_load_balancers().load_balancer_arns(load_balancer);
        let reply = describe.send().await.unwrap();
        reply.load_balancers()[0].state().unwrap().code().unwrap().as_str().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_is_active_after_the_median() {
    let elb = Elb::new();
    let load_balancer = elb.load_balancer("web").await;
    let arn = load_balancer.load_balancer_arn().unwrap();
    assert!(arn.starts_with("arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/web/"));
    assert!(load_balancer.dns_name().unwrap().ends_with(".elb.us-east-1.amazonaws.com"));
    assert_eq!(load_balancer.scheme().unwrap().as_str(), "internet-facing");
    assert_eq!(load_balancer.state().unwrap().code().unwrap().as_str(), "provisioning");
    elb.wait(154).await;
    assert_eq!(elb.state(arn).await, "provisioning");
    elb.wait(1).await;
    assert_eq!(elb.state(arn).await, "active");
    let latency = elb.0.cloud.change(|account| elb::load_balancer(account, arn).unwrap().active_latency);
    assert_eq!(latency, Duration::from_secs(155));
}

#[tokio::test(start_paused = true)]
async fn creating_a_load_balancer_again_gives_the_same_one_unless_its_settings_differ() {
    let elb = Elb::new();
    let first = elb.load_balancer("web").await;
    assert_eq!(elb.load_balancer("web").await.load_balancer_arn(), first.load_balancer_arn());
    let other = elb.0.clients.elb.create_load_balancer().name("web").r#type("network".into()).subnets(OTHER_SUBNET);
    let message = "A load balancer with the same name 'web' exists, but with different settings";
    assert_eq!(refusal(other.send().await), ("DuplicateLoadBalancerName".into(), message.into()));
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_aws_would_not_create_is_refused() {
    // What is refused takes a token too, and there are more refusals here than a bucket has.
    let elb = Elb(Account::unlimited());
    let create = |name: &str| elb.0.clients.elb.create_load_balancer().name(name);
    let network = |name: &str| create(name).r#type("network".into());
    assert_eq!(code(create("web").subnets(SUBNET).send().await), "ValidationError", "an application load balancer");
    for name in ["-web", "web-", "internal-web", "we_b", "a-name-of-more-than-thirty-two-chars"] {
        assert_eq!(code(network(name).subnets(SUBNET).send().await), "ValidationError", "{name}");
    }
    assert_eq!(code(network("web").send().await), "ValidationError", "no subnet");
    assert_eq!(code(network("web").subnets("subnet-1").send().await), "SubnetNotFound");
    let twice = network("web").subnets(SUBNET).subnets(SUBNET);
    assert_eq!(code(twice.send().await), "InvalidConfigurationRequest");
    let group = network("web").subnets(SUBNET).security_groups("sg-1");
    assert_eq!(code(group.send().await), "InvalidSecurityGroup");
    let [_, beside, theirs] = SECURITY_GROUPS.each_ref().map(|group| group.id);
    let other_vpc = SUBNETS.iter().find(|subnet| subnet.vpc == OTHER_VPC && subnet.zone == "us-east-1b").unwrap().id;
    let both = network("web").subnets(SUBNET).subnets(other_vpc);
    assert_eq!(code(both.send().await), "InvalidConfigurationRequest", "subnets of two VPCs");
    let across = network("web").subnets(SUBNET).security_groups(theirs);
    assert_eq!(code(across.send().await), "InvalidSecurityGroup", "a group of another VPC");
    let made = network("theirs").subnets(other_vpc).security_groups(theirs).send().await.unwrap();
    let made = &made.load_balancers()[0];
    assert_eq!(made.vpc_id(), Some(OTHER_VPC));
    let set = elb.0.clients.elb.set_security_groups().load_balancer_arn(made.load_balancer_arn().unwrap());
    assert_eq!(code(set.security_groups(beside).send().await), "InvalidSecurityGroup", "a group of another VPC");
    let pool = network("web").subnets(SUBNET).customer_owned_ipv4_pool("ipv4pool-coip-1");
    assert_eq!(code(pool.send().await), "ValidationError", "a member that the stand-in does not play");
}

#[tokio::test(start_paused = true)]
async fn a_region_has_fifty_load_balancers_and_pages_them() {
    let elb = Elb::new();
    for number in 0..50 {
        elb.load_balancer(&format!("web-{number}")).await;
        elb.wait(5).await;
    }
    let more = elb.0.clients.elb.create_load_balancer().name("web").r#type("network".into()).subnets(SUBNET);
    assert_eq!(code(more.send().await), "TooManyLoadBalancers");

    let describe = || elb.0.clients.elb.describe_load_balancers();
    let first = describe().page_size(30).send().await.unwrap();
    let second = describe().page_size(30).set_marker(first.next_marker).send().await.unwrap();
    assert_eq!(first.load_balancers.unwrap().len(), 30);
    assert_eq!((second.load_balancers.unwrap().len(), second.next_marker), (20, None));
    assert_eq!(describe().names("web-7").send().await.unwrap().load_balancers().len(), 1);
    assert_eq!(code(describe().names("web").send().await), "LoadBalancerNotFound");
    assert_eq!(code(describe().page_size(401).send().await), "ValidationError");
}

#[tokio::test(start_paused = true)]
async fn security_groups_can_be_changed_but_neither_added_later_nor_all_removed() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let load_balancer = elb.load_balancer("web").await;
    let arn = load_balancer.load_balancer_arn().unwrap();
    let flag = "enforce_security_group_inbound_rules_on_private_link_traffic";
    assert_eq!(
        load_balancer.enforce_security_group_inbound_rules_on_private_link_traffic(),
        Some("on"),
        "{flag} is on by default"
    );
    let set = || client.set_security_groups().load_balancer_arn(arn);
    let off = set()
        .security_groups(SECURITY_GROUP)
        .enforce_security_group_inbound_rules_on_private_link_traffic("off".into());
    off.send().await.unwrap();
    let kept = set().security_groups(SECURITY_GROUP).send().await.unwrap();
    let kept = kept.enforce_security_group_inbound_rules_on_private_link_traffic.unwrap();
    assert_eq!(kept.as_str(), "off", "{flag} stays when it is left out");
    assert!(!elb.0.cloud.change(|account| elb::load_balancer(account, arn).unwrap().enforce_on_private_link));
    let none = set().set_security_groups(Some(Vec::new()));
    assert_eq!(code(none.send().await), "InvalidConfigurationRequest");

    let bare = client.create_load_balancer().name("bare").r#type("network".into()).subnets(SUBNET);
    let bare = bare.send().await.unwrap().load_balancers()[0].load_balancer_arn().unwrap().to_owned();
    let late = client.set_security_groups().load_balancer_arn(bare).security_groups(SECURITY_GROUP);
    assert_eq!(code(late.send().await), "InvalidConfigurationRequest");
}

#[tokio::test(start_paused = true)]
async fn deleting_an_absent_load_balancer_succeeds_and_a_protected_one_is_refused() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let load_balancer = elb.load_balancer("web").await;
    let arn = load_balancer.load_balancer_arn().unwrap();
    let protect = |value: &str| {
        let attribute = LoadBalancerAttribute::builder().key("deletion_protection.enabled").value(value).build();
        client.modify_load_balancer_attributes().load_balancer_arn(arn).attributes(attribute).send()
    };
    protect("true").await.unwrap();
    let delete = || client.delete_load_balancer().load_balancer_arn(arn).send();
    let message = format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
    assert_eq!(refusal(delete().await), ("OperationNotPermitted".into(), message));
    assert_eq!(code(protect("yes").await), "ValidationError");
    protect("false").await.unwrap();
    delete().await.unwrap();
    delete().await.unwrap();
    let gone = client.describe_load_balancer_attributes().load_balancer_arn(arn).send().await;
    assert_eq!(code(gone), "LoadBalancerNotFound");
    assert_eq!(code(client.delete_load_balancer().load_balancer_arn("web").send().await), "ValidationError");
}

#[tokio::test(start_paused = true)]
async fn deletion_is_refused_while_a_vpc_link_has_the_load_balancer_and_for_a_while_after() {
    let elb = Elb::new();
    let load_balancer = elb.load_balancer("web").await;
    let arn = load_balancer.load_balancer_arn().unwrap();
    let link = || elb.0.cloud.change(|account| elb::link_to_load_balancer(account, arn));
    assert_eq!(link(), Ok(()));
    assert_eq!(link(), Err("NLB is already associated with another VPC Endpoint Service".into()));
    let absent = elb.0.cloud.change(|account| elb::link_to_load_balancer(account, "web"));
    assert_eq!(absent, Err("NLB ARN is malformed".into()));

    let delete = || elb.0.clients.elb.delete_load_balancer().load_balancer_arn(arn).send();
    let message =
        format!("Load balancer '{arn}' cannot be deleted because it is currently associated with another service");
    assert_eq!(refusal(delete().await), ("ResourceInUse".into(), message));
    elb.0.cloud.change(|account| elb::unlink_load_balancer(account, arn));
    elb.wait(44).await;
    assert_eq!(code(delete().await), "ResourceInUse");
    elb.wait(1).await;
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn creating_a_target_group_again_gives_the_same_one_unless_its_settings_differ() {
    let elb = Elb::new();
    let first = elb.target_group("web").await;
    assert_eq!(elb.target_group("web").await.target_group_arn(), first.target_group_arn());
    let thresholds = (first.healthy_threshold_count(), first.unhealthy_threshold_count());
    assert_eq!(thresholds, (Some(5), Some(2)), "the defaults of a network load balancer");
    assert_eq!((first.health_check_timeout_seconds(), first.health_check_port()), (Some(10), Some("traffic-port")));
    let other = elb.0.clients.elb.create_target_group().name("web").protocol("TCP".into()).port(81).vpc_id(VPC);
    let message = "A target group with the same name 'web' exists, but with different settings";
    let other = refusal(other.target_type("ip".into()).send().await);
    assert_eq!(other, ("DuplicateTargetGroupName".into(), message.into()));
}

#[tokio::test(start_paused = true)]
async fn health_check_settings_out_of_range_are_refused() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let target_group = elb.target_group("web").await;
    let modify = || client.modify_target_group().target_group_arn(target_group.target_group_arn().unwrap());
    let matcher = |codes: &str| Matcher::builder().http_code(codes).build();
    for bad in [
        modify().health_check_interval_seconds(4),
        modify().health_check_interval_seconds(301),
        modify().health_check_timeout_seconds(1),
        modify().health_check_timeout_seconds(11),
        modify().healthy_threshold_count(1),
        modify().unhealthy_threshold_count(11),
        modify().health_check_port("0"),
        modify().health_check_path("/"),
        modify().health_check_protocol("HTTP".into()).health_check_path("ready"),
        modify().health_check_protocol("HTTP".into()).matcher(matcher("200-600")),
        modify().health_check_protocol("HTTPS".into()),
        modify().health_check_enabled(false),
    ] {
        assert_eq!(code(bad.clone().send().await), "ValidationError", "{bad:?}");
    }
    let http = modify().health_check_protocol("HTTP".into()).health_check_path("/ready").matcher(matcher("200,204"));
    let changed = http.healthy_threshold_count(2).send().await.unwrap().target_groups()[0].clone();
    assert_eq!(changed.health_check_path(), Some("/ready"));
    assert_eq!(changed.matcher().unwrap().http_code(), Some("200,204"));

    let change = |key: &str, value: &str| {
        let attribute = TargetGroupAttribute::builder().key(key).value(value).build();
        let arn = target_group.target_group_arn().unwrap();
        client.modify_target_group_attributes().target_group_arn(arn).attributes(attribute).send()
    };
    assert_eq!(code(change("deregistration_delay.timeout_seconds", "3601").await), "ValidationError");
    assert_eq!(code(change("proxy_protocol_v2.enabled", "true").await), "InvalidConfigurationRequest");
    assert_eq!(code(change("colour", "red").await), "ValidationError");
}

#[tokio::test(start_paused = true)]
async fn a_target_group_is_deleted_only_when_no_listener_forwards_to_it() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let (load_balancer, target_group) = elb.serving().await;
    let arn = load_balancer.load_balancer_arn().unwrap();
    let served = |arn: &str| elb.0.cloud.change(|account| elb::target_group_is_served(account, arn));
    assert_eq!(served(&target_group), Some(true));
    let delete = || client.delete_target_group().target_group_arn(&target_group).send();
    let message = format!("Target group '{target_group}' is currently in use by a listener or a rule");
    assert_eq!(refusal(delete().await), ("ResourceInUse".into(), message));
    let of_load_balancer = client.describe_target_groups().load_balancer_arn(arn).send().await.unwrap();
    assert_eq!(of_load_balancer.target_groups()[0].load_balancer_arns(), [arn]);

    client.delete_load_balancer().load_balancer_arn(arn).send().await.unwrap();
    assert_eq!(served(&target_group), Some(false), "the group survives the load balancer, its listeners do not");
    delete().await.unwrap();
    assert_eq!(served(&target_group), None);
    let gone = client.describe_target_groups().target_group_arns(&target_group).send().await;
    assert_eq!(code(gone), "TargetGroupNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_port_has_one_listener_and_a_target_group_one_load_balancer() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let (load_balancer, target_group) = elb.serving().await;
    let arn = load_balancer.load_balancer_arn().unwrap();
    let listeners = client.describe_listeners().load_balancer_arn(arn).send().await.unwrap();
    let first = listeners.listeners()[0].listener_arn().unwrap().to_owned();
    assert!(first.starts_with(&arn.replace(":loadbalancer/", ":listener/")));
    assert_eq!(elb.listener(arn, 80, &target_group).await, first, "the same settings");

    let other_group = elb.target_group("other").await.target_group_arn().unwrap().to_owned();
    let create = |arn: &str, port: i32, target_group: &str| {
        let create = client.create_listener().load_balancer_arn(arn).protocol("TCP".into()).port(port);
        create.default_actions(forward(target_group)).send()
    };
    let message = format!("A listener already exists on this port for this load balancer '{arn}'");
    assert_eq!(refusal(create(arn, 80, &other_group).await), ("DuplicateListener".into(), message));
    let second = elb.listener(arn, 81, &other_group).await;
    let taken = client.modify_listener().listener_arn(&second).port(80).send().await;
    assert_eq!(code(taken), "DuplicateListener");
    let other = elb.load_balancer("other").await;
    let shared = create(other.load_balancer_arn().unwrap(), 80, &target_group).await;
    assert_eq!(code(shared), "TargetGroupAssociationLimit");
    assert_eq!(code(create(&arn.replace("web", "wob"), 80, &target_group).await), "LoadBalancerNotFound");

    for port in 82..130 {
        elb.listener(arn, port, &target_group).await;
    }
    assert_eq!(code(create(arn, 130, &target_group).await), "TooManyListeners");
    client.delete_listener().listener_arn(&second).send().await.unwrap();
    assert_eq!(code(client.delete_listener().listener_arn(&second).send().await), "ListenerNotFound");
    elb.listener(arn, 130, &target_group).await;
}

#[tokio::test(start_paused = true)]
async fn tags_are_added_replaced_and_removed() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let create = client.create_load_balancer().name("web").r#type("network".into()).subnets(SUBNET);
    let reply = create.tags(tag("berth:environment", "one")).tags(tag("a", "1")).send().await.unwrap();
    let arn = reply.load_balancers()[0].load_balancer_arn().unwrap();
    let target_group = elb.target_group("web").await.target_group_arn().unwrap().to_owned();
    let listener = elb.listener(arn, 80, &target_group).await;

    let add = client.add_tags().resource_arns(arn).resource_arns(&target_group).resource_arns(&listener);
    add.tags(tag("a", "2")).tags(tag("b", "")).send().await.unwrap();
    client.remove_tags().resource_arns(arn).tag_keys("b").send().await.unwrap();
    let describe = client.describe_tags().resource_arns(arn).resource_arns(&target_group).resource_arns(&listener);
    let described = describe.send().await.unwrap();
    let tags = |index: usize| {
        let tags = described.tag_descriptions()[index].tags().iter();
        tags.map(|tag| format!("{}={}", tag.key().unwrap(), tag.value().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(tags(0), ["a=2", "berth:environment=one"]);
    assert_eq!(tags(1), ["a=2", "b="]);
    assert_eq!(tags(2), ["a=2", "b="]);
    let twice = client.add_tags().resource_arns(arn).tags(tag("a", "1")).tags(tag("a", "2"));
    assert_eq!(code(twice.send().await), "DuplicateTagKeys");
    let absent = client.describe_tags().resource_arns(target_group.replace("web", "wob"));
    assert_eq!(code(absent.send().await), "TargetGroupNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nests_without_end_is_refused() {
    let elb = Elb::new();
    let body = format!("Action=DescribeTags&Version=2015-12-01&{}=1", "a.".repeat(200_000));
    let request = http::Request::post("http://localhost/").body(body.into()).unwrap();
    let reply = elb.0.endpoint.request(request).await.unwrap();
    assert_eq!(reply.status(), 400);
    assert!(String::from_utf8_lossy(reply.body()).contains("<Code>ValidationError</Code>"));
}
