//! AWS's request rates, through the SDK: one bucket for an operation or several, filled again as time passes.

use std::time::Duration;

use berth_aws::sdk::ProvideErrorMetadata;
use berth_aws::sdk::apigateway_error::SdkError;
use berth_domain::Clock;
use berth_local::stand_in::account;
use berth_local::stand_in::apigateway::SERVICE;
use berth_local::stand_in::net::Net;
use berth_local::stand_in::profile::Profile;
use berth_local::stand_in::quotas::Quotas;
use berth_local::stand_in::rates::Rates;
use berth_local::stand_in::service::Handler;
use berth_local::stand_in::{Cloud, Options};
use jiff::Timestamp;
use serde_json::json;
use tests::{Account, Stash};

/// How often `call` gets through when it is made `times` times with `pause` (AWS time) in between.
async fn passes<T, E>(account: &Account, times: usize, pause: Duration, call: impl AsyncFn() -> Result<T, E>) -> usize {
    let mut passed = 0;
    for _ in 0..times {
        passed += usize::from(call().await.is_ok());
        account.clock.sleep(pause).await;
    }
    passed
}

/// Status, code and message of a refusal.
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> (u16, String, String) {
    let error = result.expect_err("a refusal");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (status, error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

const NO_PAUSE: Duration = Duration::ZERO;

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_refused_in_its_services_words_and_has_no_effect() {
    let account = Account::new();
    let gateway = &account.clients.apigateway;
    gateway.create_rest_api().name("first").send().await.unwrap();
    let throttled = gateway.create_rest_api().name("second").send().await;
    assert!(!format!("{throttled:?}").to_lowercase().contains("retry-after"));
    assert_eq!(refusal(throttled), (429, "TooManyRequestsException".into(), "Too Many Requests".into()));
    assert_eq!(gateway.get_rest_apis().send().await.unwrap().items().len(), 1);
    account.clock.sleep(Duration::from_secs(3)).await;
    gateway.create_rest_api().name("third").send().await.expect("one call comes back in three seconds");

    let elb = &account.clients.elb;
    let refused = elb.create_load_balancer();
    let mut last = (0, String::new(), String::new());
    // What is wrong in itself takes a token too.
    for _ in 0..20 {
        last = refusal(refused.clone().name("-").send().await);
    }
    assert_eq!(last, (400, "Throttling".into(), "Rate exceeded".into()));

    let ecs = &account.clients.ecs;
    for _ in 0..40 {
        last = refusal(ecs.register_task_definition().family("!").send().await);
    }
    assert_eq!(last, (400, "ThrottlingException".into(), "Rate exceeded".into()));
}

#[tokio::test(start_paused = true)]
async fn each_rate_of_api_gateway_is_the_one_that_aws_publishes() {
    let account = Account::new();
    let gateway = &account.clients.apigateway;
    // A call takes 0.4 s: with pauses, so many seconds each.
    let second = Duration::from_millis(600);
    let api = gateway.create_rest_api().name("api").send().await.unwrap();
    let (api, root) = (api.id.unwrap(), api.root_resource_id.unwrap());
    account.clock.sleep(Duration::from_secs(60)).await;

    let created = passes(&account, 30, second, || gateway.create_rest_api().name("x").send()).await;
    assert_eq!(created, 10, "CreateRestApi: one in 3 s");
    let apis = gateway.get_rest_apis().limit(500).send().await.unwrap();
    let extra: Vec<String> = apis.items().iter().filter_map(|found| found.id.clone()).filter(|id| *id != api).collect();
    account.clock.sleep(Duration::from_secs(60)).await;
    let ids = std::sync::Mutex::new(extra);
    let deleted = passes(&account, 60, second, || {
        let id = ids.lock().unwrap().last().cloned().unwrap_or_default();
        let (gateway, ids) = (gateway.clone(), &ids);
        async move {
            let result = gateway.delete_rest_api().rest_api_id(id).send().await;
            if result.is_ok() {
                ids.lock().unwrap().pop();
            }
            result
        }
    })
    .await;
    assert_eq!(deleted, 2, "DeleteRestApi: one in 30 s");

    let put = gateway.put_method().rest_api_id(&api).resource_id(&root).http_method("GET").authorization_type("NONE");
    put.send().await.unwrap();
    let put = gateway.put_integration().rest_api_id(&api).resource_id(&root).http_method("GET");
    put.r#type("MOCK".into()).send().await.unwrap();
    let deployed = passes(&account, 30, second, || gateway.create_deployment().rest_api_id(&api).send()).await;
    assert_eq!(deployed, 6, "CreateDeployment: one in 5 s");
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_let_through_and_then_the_steady_rate() {
    let account = Account::new();
    let elb = &account.clients.elb;
    // 0.4 s for a call: 24 s for 60, in which 10 + 0.2 × 24 load balancers are let through.
    let number = std::sync::atomic::AtomicUsize::new(0);
    let created = passes(&account, 60, NO_PAUSE, || {
        let name = format!("lb-{}", number.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let subnet = berth_local::stand_in::ec2::BERTH_SUBNETS[0];
        elb.create_load_balancer().name(name).r#type("network".into()).subnets(subnet).send()
    })
    .await;
    assert_eq!(created, 14);
    let described = passes(&account, 60, NO_PAUSE, || elb.describe_load_balancers().send()).await;
    assert_eq!(described, 60, "reads have a bucket of their own");
}

#[tokio::test(start_paused = true)]
async fn callers_side_by_side_share_an_accounts_bucket() {
    let account = Account::new();
    let gateway = &account.clients.apigateway;
    let calls = (0..60).map(|_| {
        let call = gateway.get_vpc_links().send();
        tokio::spawn(call)
    });
    let mut passed = 0;
    for call in calls.collect::<Vec<_>>() {
        passed += usize::from(call.await.unwrap().is_ok());
    }
    assert_eq!(passed, 40, "everything else of API Gateway: 40 at once");
}

#[tokio::test(start_paused = true)]
async fn without_rates_nothing_is_throttled() {
    let account = Account::unlimited();
    let gateway = &account.clients.apigateway;
    assert_eq!(passes(&account, 30, NO_PAUSE, || gateway.create_rest_api().name("x").send()).await, 30);
}

/// A stand-in that goes on from what is stored in `stash`.
fn cloud_from(clock: &Clock, stash: &Stash) -> Cloud {
    Cloud::start(Options {
        clock: clock.clone(),
        profile: Profile::medians(),
        seed: 1,
        net: Net::memory(),
        rates: Rates::Aws,
        quotas: Quotas::default(),
        state: account::Account::read_rows(&mut stash.rows()).unwrap(),
        keep: Some(stash.keep()),
        programs: Default::default(),
    })
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_no_way_around_a_rate() {
    let clock = Clock::following_tokio(Timestamp::UNIX_EPOCH);
    let stash = Stash::default();
    let before = cloud_from(&clock, &stash);
    let create = |cloud: &Cloud| {
        let Handler::Account(calls) = &SERVICE.handler else { panic!("API Gateway is a part of the account") };
        cloud.change(|account| account.call(&SERVICE, calls, "CreateRestApi", &json!({"name": "x"}))).is_ok()
    };
    assert!(create(&before) && !create(&before));
    let after = cloud_from(&clock, &stash);
    assert!(!create(&after), "the bucket is as it was");
    clock.sleep(Duration::from_secs(3)).await;
    assert!(create(&after) && !create(&after));
}
