//! ELBv2's targets and data path: health as checks find it, connections through a listener.

use berth_aws::sdk::elb_types::{LoadBalancer, Matcher, TargetDescription, TargetGroupAttribute};
use berth_local::stand_in::account;
use berth_local::stand_in::net::{Net, Stream};
use berth_local::stand_in::profile::Profile;
use berth_local::stand_in::quotas::Quotas;
use berth_local::stand_in::rates::Rates;
use berth_local::stand_in::{Cloud, Options, elb};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::elb::{Elb, code, forward};

const TARGET: &str = "10.0.1.10";
const OTHER_TARGET: &str = "10.0.1.11";
const PORT: u16 = 8080;

fn target(ip: &str) -> TargetDescription {
    TargetDescription::builder().id(ip).port(PORT.into()).build()
}

impl Elb {
    async fn register(&self, target_group: &str, ip: &str) {
        let register = self.0.clients.elb.register_targets().target_group_arn(target_group);
        register.targets(target(ip)).send().await.unwrap();
    }

    async fn deregister(&self, target_group: &str, ip: &str) {
        let deregister = self.0.clients.elb.deregister_targets().target_group_arn(target_group);
        deregister.targets(target(ip)).send().await.unwrap();
    }

    /// State and reason of one target.
    async fn health(&self, target_group: &str, ip: &str) -> (String, String) {
        let describe = self.0.clients.elb.describe_target_health().target_group_arn(target_group);
        let reply = describe.targets(target(ip)).send().await.unwrap();
        let health = reply.target_health_descriptions()[0].target_health().unwrap();
        let reason = health.reason().map_or(String::new(), |reason| reason.as_str().to_owned());
        (health.state().unwrap().as_str().to_owned(), reason)
    }

    /// What answers a connection to port 80 of the load balancer; nothing when it is closed.
    async fn ask(&self, load_balancer: &LoadBalancer) -> String {
        ask(self.0.cloud.net(), load_balancer.dns_name().unwrap()).await
    }
}

async fn ask(net: &Net, name: &str) -> String {
    let Ok(mut connection) = net.connect(&(name.to_owned(), 80)).await else { return String::new() };
    let mut answer = String::new();
    let _sent = connection.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
    let _end = connection.read_to_string(&mut answer).await;
    answer
}

/// A server that answers every connection with `status`, then its own address.
async fn serve(net: &Net, ip: &'static str, status: &'static str) -> tokio::task::JoinHandle<()> {
    let mut listener = net.listen((ip.to_owned(), PORT)).await.unwrap();
    tokio::spawn(async move {
        while let Ok(connection) = listener.accept().await {
            tokio::spawn(answer(connection, format!("HTTP/1.1 {status} -\r\n\r\n{ip}")));
        }
    })
}

async fn answer(mut connection: Stream, reply: String) {
    let mut request = [0; 1024];
    if connection.read(&mut request).await.is_ok_and(|length| length > 0) {
        let _sent = connection.write_all(reply.as_bytes()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_goes_from_initial_to_healthy_after_one_check_and_drains() {
    let elb = Elb::new();
    let (_, target_group) = elb.serving().await;
    let attribute = TargetGroupAttribute::builder().key("deregistration_delay.timeout_seconds").value("20").build();
    let modify = elb.0.clients.elb.modify_target_group_attributes().target_group_arn(&target_group);
    modify.attributes(attribute).send().await.unwrap();
    let _server = serve(elb.0.cloud.net(), TARGET, "200").await;

    assert_eq!(elb.health(&target_group, TARGET).await, ("unused".into(), "Target.NotRegistered".into()));
    elb.register(&target_group, TARGET).await;
    elb.wait(94).await;
    assert_eq!(elb.health(&target_group, TARGET).await, ("initial".into(), "Elb.RegistrationInProgress".into()));
    elb.wait(1).await;
    assert_eq!(elb.health(&target_group, TARGET).await, ("healthy".into(), String::new()));

    elb.deregister(&target_group, TARGET).await;
    let draining = ("draining".to_owned(), "Target.DeregistrationInProgress".to_owned());
    elb.wait(19).await;
    assert_eq!(elb.health(&target_group, TARGET).await, draining);
    elb.wait(1).await;
    assert_eq!(elb.health(&target_group, TARGET).await, ("unused".into(), "Target.NotRegistered".into()));
    elb.deregister(&target_group, TARGET).await;

    elb.register(&target_group, TARGET).await;
    elb.wait(96).await;
    elb.deregister(&target_group, TARGET).await;
    elb.register(&target_group, TARGET).await;
    elb.wait(21).await;
    let again = elb.health(&target_group, TARGET).await;
    assert_eq!(again.0, "initial", "registered again while it drained, so it does not go when the old delay is over");
}

#[tokio::test(start_paused = true)]
async fn a_target_turns_unhealthy_and_healthy_again_by_the_thresholds() {
    let elb = Elb::new();
    let (_, target_group) = elb.serving().await;
    let modify = elb.0.clients.elb.modify_target_group().target_group_arn(&target_group).healthy_threshold_count(3);
    let modify = modify.health_check_protocol("HTTP".into()).unhealthy_threshold_count(2);
    modify.send().await.unwrap();
    elb.register(&target_group, TARGET).await;
    let state = async |seconds| {
        elb.wait(seconds).await;
        elb.health(&target_group, TARGET).await
    };
    assert_eq!(state(96).await, ("initial".into(), "Elb.InitialHealthChecking".into()));
    let unhealthy = ("unhealthy".to_owned(), "Target.FailedHealthChecks".to_owned());
    assert_eq!(state(10).await, unhealthy, "the connection was refused twice");

    let server = serve(elb.0.cloud.net(), TARGET, "200").await;
    assert_eq!(state(20).await, unhealthy, "two successes");
    assert_eq!(state(10).await.0, "healthy", "three successes");
    server.abort();
    assert!(server.await.is_err());
    let broken = serve(elb.0.cloud.net(), TARGET, "500").await;
    assert_eq!(state(10).await.0, "healthy", "one failure");
    assert_eq!(state(10).await, unhealthy, "two failures");
    broken.abort();
    let health = elb.0.cloud.change(|account| elb::target_health(account, &target_group, TARGET, PORT)).unwrap();
    assert_eq!((health.state, health.reason), ("unhealthy", Some("Target.FailedHealthChecks")));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_gets_no_answer_fails_at_its_timeout() {
    let elb = Elb::new();
    let (_, target_group) = elb.serving().await;
    let modify =
        elb.0.clients.elb.modify_target_group().target_group_arn(&target_group).health_check_timeout_seconds(6);
    modify.health_check_protocol("HTTP".into()).send().await.unwrap();
    let _silent = elb.0.cloud.net().listen((TARGET.to_owned(), PORT)).await.unwrap();
    elb.register(&target_group, TARGET).await;
    elb.wait(95 + 10 + 5).await;
    assert_eq!(elb.health(&target_group, TARGET).await.0, "initial");
    elb.wait(1).await;
    assert_eq!(elb.health(&target_group, TARGET).await.0, "unhealthy");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_no_load_balancer_uses_is_unused() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let target_group = elb.target_group("web").await.target_group_arn().unwrap().to_owned();
    let unused = ("unused".to_owned(), "Target.NotInUse".to_owned());
    elb.register(&target_group, TARGET).await;
    elb.register(&target_group, "10.0.2.10").await;
    elb.wait(200).await;
    assert_eq!(elb.health(&target_group, TARGET).await, unused, "there is no listener");

    let load_balancer = elb.load_balancer("web").await;
    let listener = elb.listener(load_balancer.load_balancer_arn().unwrap(), 80, &target_group).await;
    assert_eq!(elb.health(&target_group, TARGET).await.0, "initial");
    assert_eq!(elb.health(&target_group, "10.0.2.10").await, unused, "the load balancer has no subnet in its zone");
    client.delete_listener().listener_arn(listener).send().await.unwrap();
    assert_eq!(elb.health(&target_group, TARGET).await, unused, "the listener is gone");
    elb.deregister(&target_group, TARGET).await;
    assert_eq!(elb.health(&target_group, TARGET).await.1, "Target.NotRegistered", "nothing to drain");

    let register = |ip: &str| client.register_targets().target_group_arn(&target_group).targets(target(ip)).send();
    assert_eq!(code(register("192.168.0.1").await), "InvalidTarget");
    assert_eq!(code(register("i-1").await), "ValidationError");
}

#[tokio::test(start_paused = true)]
async fn connections_go_to_healthy_targets_in_turn_and_to_any_when_none_is_healthy() {
    let elb = Elb::new();
    let client = &elb.0.clients.elb;
    let net = elb.0.cloud.net();
    let (load_balancer, target_group) = elb.serving().await;
    let servers = [serve(net, TARGET, "200").await, serve(net, OTHER_TARGET, "200").await];
    elb.register(&target_group, TARGET).await;
    assert_eq!(elb.ask(&load_balancer).await, "", "the load balancer is not active");
    elb.wait(155).await;
    elb.register(&target_group, OTHER_TARGET).await;
    let answers = async || {
        let answers = [elb.ask(&load_balancer).await, elb.ask(&load_balancer).await];
        answers.map(|answer| answer.rsplit('\n').next().unwrap_or_default().to_owned())
    };
    assert_eq!(answers().await, [TARGET, TARGET], "only the first is healthy");
    elb.wait(100).await;
    let mut both = answers().await;
    both.sort();
    assert_eq!(both, [TARGET, OTHER_TARGET]);

    // HTTP checks that nothing passes: fail-open.
    let modify = client.modify_target_group().target_group_arn(&target_group).health_check_protocol("HTTP".into());
    modify.matcher(Matcher::builder().http_code("404").build()).send().await.unwrap();
    elb.wait(30).await;
    assert_eq!(elb.health(&target_group, OTHER_TARGET).await.0, "unhealthy");
    let mut both = answers().await;
    both.sort();
    assert_eq!(both, [TARGET, OTHER_TARGET]);
    elb.deregister(&target_group, TARGET).await;
    assert_eq!(answers().await, [OTHER_TARGET, OTHER_TARGET], "not to one that drains");

    let other_group = elb.target_group("other").await.target_group_arn().unwrap().to_owned();
    let listeners =
        client.describe_listeners().load_balancer_arn(load_balancer.load_balancer_arn().unwrap()).send().await;
    let listener = listeners.unwrap().listeners()[0].listener_arn().unwrap().to_owned();
    let modify = client.modify_listener().listener_arn(&listener).default_actions(forward(&other_group));
    modify.send().await.unwrap();
    assert_eq!(answers().await, ["", ""], "the listener forwards to a group without targets");
    client.delete_listener().listener_arn(&listener).send().await.unwrap();
    let refused = net.connect(&(load_balancer.dns_name().unwrap().to_owned(), 80)).await;
    assert!(refused.is_err(), "the connection is refused");
    for server in servers {
        server.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_listeners_carry_and_targets_are_checked() {
    let elb = Elb::new();
    let (load_balancer, target_group) = elb.serving().await;
    elb.wait(155).await;
    let server = serve(elb.0.cloud.net(), TARGET, "200").await;
    elb.register(&target_group, TARGET).await;
    elb.wait(100).await;
    let writes = elb.0.stash.writes();
    elb.wait(600).await;
    assert_eq!(elb.0.stash.writes(), writes, "checks of a target that stays healthy are not stored");

    let net = Net::memory();
    let state = account::Account::read_rows(&mut elb.0.stash.rows()).unwrap();
    let again = Cloud::start(Options {
        clock: elb.0.clock.clone(),
        profile: Profile::medians(),
        seed: 1,
        net: net.clone(),
        rates: Rates::Aws,
        quotas: Quotas::default(),
        state,
        keep: None,
        programs: Default::default(),
    });
    let health = || again.change(|account| elb::target_health(account, &target_group, TARGET, PORT).unwrap().state);
    assert_eq!(health(), "healthy");
    elb.wait(11).await;
    assert_eq!(health(), "unhealthy", "no program listens in the new network");
    let here = serve(&net, TARGET, "200").await;
    assert!(ask(&net, load_balancer.dns_name().unwrap()).await.ends_with(TARGET), "fail-open");
    elb.wait(50).await;
    assert_eq!(health(), "healthy");
    server.abort();
    here.abort();
}
