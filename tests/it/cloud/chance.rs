//! Faults: what comes up failed, what is slow, what kills the caller, and what chance brings.

use std::time::Duration;

use berth_aws::sdk::ProvideErrorMetadata;
use berth_local::faults::Fault;
use berth_local::faults::chance::{Chance, Odds};
use berth_local::stand_in::apigateway;
use berth_local::stand_in::ec2::BERTH_SUBNETS;
use tests::{Account, World};

use super::elb::{Elb, code};

#[tokio::test(start_paused = true)]
async fn a_load_balancer_or_link_comes_up_failed_when_a_test_says_so() {
    let elb = Elb::new();
    let account = &elb.0;
    let why = "The address is already in use";
    account.fault("elasticloadbalancing:CreateLoadBalancer", 1, Fault::ComesUpFailed(why.to_owned()));
    let arn = elb.load_balancer("web").await.load_balancer_arn.unwrap();
    let describe = || elb.0.clients.elb.describe_load_balancers().load_balancer_arns(&arn).send();
    let state = describe().await.unwrap().load_balancers()[0].state().unwrap().clone();
    assert_eq!((state.code().unwrap().as_str(), state.reason()), ("provisioning", None));
    elb.wait(155).await;
    let state = describe().await.unwrap().load_balancers()[0].state().unwrap().clone();
    assert_eq!((state.code().unwrap().as_str(), state.reason()), ("failed", Some(why)));
    elb.0.clients.elb.delete_load_balancer().load_balancer_arn(&arn).send().await.expect("it can be deleted");

    let arn = elb.load_balancer("other").await.load_balancer_arn.unwrap();
    elb.wait(155).await;
    account.fault("apigateway:CreateVpcLink", 1, Fault::ComesUpFailed("Internal failure".to_owned()));
    let gateway = &elb.0.clients.apigateway;
    let create = || gateway.create_vpc_link().name("x").target_arns(&arn).send();
    let (failing, second) = (create().await.unwrap().id.unwrap(), create().await.unwrap().id.unwrap());
    elb.wait(240).await;
    let status = async |id: &str| {
        let link = gateway.get_vpc_link().vpc_link_id(id).send().await.unwrap();
        (link.status.unwrap().as_str().to_owned(), link.status_message.unwrap())
    };
    assert_eq!(status(&failing).await, ("FAILED".into(), "Internal failure".into()));
    assert_eq!(status(&second).await.0, "AVAILABLE", "a link that fails does not keep the load balancer");
    assert!(account.faults().all_came());
    assert_eq!(account.faults().log()[1], "apigateway:CreateVpcLink call 1: comes up failed, Internal failure");
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_has_its_effect_though_the_caller_has_given_up() {
    let account = Account::new();
    let gateway = &account.clients.apigateway;
    account.fault("apigateway:CreateRestApi", 1, Fault::Slow(Duration::from_secs(25)));
    gateway.create_rest_api().name("x").send().await.expect_err("the client waits for 20 s");
    assert_eq!(gateway.get_rest_apis().send().await.unwrap().items().len(), 0);
    account.clock.sleep(Duration::from_secs(5)).await;
    assert_eq!(gateway.get_rest_apis().send().await.unwrap().items().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_writes_that_meet_are_refused_as_concurrent() {
    let account = Account::new();
    account.fault("apigateway:CreateRestApi", 1, Fault::Refuse(apigateway::concurrent_modification()));
    let error = account.clients.apigateway.create_rest_api().name("x").send().await.expect_err("a conflict");
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 409);
    let message = "Unable to complete operation due to concurrent modification. Please try again later.";
    assert_eq!((error.code(), error.message()), (Some("ConflictException"), Some(message)));
}

/// What a hundred calls come to, and what the log says, with `seed`.
async fn a_hundred_calls(seed: u64) -> (Vec<String>, Vec<String>) {
    let account = Account::new();
    let each = 1.0 / 8.0;
    let odds = Odds {
        throttled: each,
        unavailable: each,
        unavailable_after: each,
        reset: each,
        lost: each,
        conflict: each,
        denied: each,
        ..Odds::default()
    };
    account.faults().chance(seed, Chance { resources: odds, ..Chance::default() });
    let mut answers = Vec::new();
    for number in 0..50 {
        let create =
            account.clients.elb.create_target_group().name(format!("g{number}")).protocol("TCP".into()).port(80);
        let created = create.vpc_id(berth_local::stand_in::ec2::VPC).target_type("ip".into()).send().await;
        answers.push(created.map_or_else(|error| error.code().unwrap_or("no answer").to_owned(), |_| "ok".to_owned()));
        let created = account.clients.apigateway.create_vpc_link().name("x").target_arns("wrong").send().await;
        answers.push(created.map_or_else(|error| error.code().unwrap_or("no answer").to_owned(), |_| "ok".to_owned()));
    }
    let log = account.faults().log();
    account.faults().calm();
    for _ in 0..20 {
        account.clients.elb.describe_load_balancers().send().await.expect("all is calm");
    }
    assert_eq!(account.faults().log(), log);
    (answers, log)
}

#[tokio::test(start_paused = true)]
async fn chance_brings_every_fault_the_same_for_a_seed_and_none_once_it_is_calm() {
    let (answers, log) = a_hundred_calls(7).await;
    assert_eq!(a_hundred_calls(7).await, (answers.clone(), log.clone()));
    assert_ne!(a_hundred_calls(8).await.0, answers);
    for expected in [
        "Throttling",
        "TooManyRequestsException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "no answer",
        "ConflictException",
        "AccessDenied",
        "AccessDeniedException",
        "BadRequestException",
        "ok",
    ] {
        assert!(answers.iter().any(|answer| answer == expected), "{expected}: {answers:?}");
    }
    let concurrent = log.iter().filter(|line| line.contains("concurrent"));
    assert!(concurrent.clone().count() > 0 && concurrent.into_iter().all(|line| line.starts_with("apigateway:")));
    assert!((60..100).contains(&log.len()), "{}", log.len());
}

#[tokio::test(start_paused = true)]
async fn faults_for_functions_only_do_not_reach_other_callers() {
    let account = Account::new();
    let odds = Odds { throttled: 1.0, ..Odds::default() };
    account.faults().chance(1, Chance { resources: odds, records: odds, functions_only: true });
    account.clients.elb.describe_load_balancers().send().await.expect("no function calls here");
    account.faults().chance(1, Chance { resources: odds, records: odds, functions_only: false });
    assert_eq!(code(account.clients.elb.describe_load_balancers().send().await), "Throttling");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_at_a_call_is_called_again() {
    for fault in [Fault::Kill, Fault::KillBefore, Fault::Exit] {
        let world = World::new().await;
        world.fault("apigateway:CreateVpcLink", 1, fault.clone());
        let id = world.create("killed", "hello").await;
        let environment = world.settled(&id).await;
        assert_eq!(environment["status"], "ready", "{fault}: {environment:#}");
        assert!(world.inventory().await.is_each(1));
        let calls = world.faults().calls_of_functions();
        assert!(calls > 40, "{calls}");

        // Whatever the call: here the tenth from now on of all that functions make.
        world.faults().script_for_functions(10, fault.clone());
        world.delete(&id).await;
        assert_eq!(world.settled(&id).await["status"], "deleted", "{fault}");
        assert!(world.faults().all_came());
        assert_eq!(world.faults().log().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_no_function_survives_what_would_kill_one() {
    let account = Account::new();
    let elb = &account.clients.elb;
    let create =
        |name: &str| elb.create_load_balancer().name(name).r#type("network".into()).subnets(BERTH_SUBNETS[0]).send();
    for (fault, name, there) in [(Fault::KillBefore, "web", 0), (Fault::Kill, "web", 1), (Fault::Exit, "other", 2)] {
        account.fault("elasticloadbalancing:CreateLoadBalancer", 1, fault);
        create(name).await.expect_err("no reply");
        assert_eq!(elb.describe_load_balancers().send().await.unwrap().load_balancers().len(), there);
    }
}
