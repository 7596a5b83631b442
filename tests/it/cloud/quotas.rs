//! The quotas that AWS raises on request, as an account is given them. Each quota at AWS's own number is tested where its
//! resource is.

use berth_local::stand_in::quotas::Quotas;
use tests::{Account, AccountOptions};

use super::elb::{Elb, code};

#[tokio::test(start_paused = true)]
async fn an_account_has_what_its_quotas_allow_and_more_when_they_are_raised() {
    let quotas = Quotas { load_balancers: 1, vpc_links: 1, resources: 2, fargate_vcpus: 1.0, ..Quotas::default() };
    let elb = Elb(Account::with(AccountOptions { quotas, ..AccountOptions::default() }));
    let arn = elb.load_balancer("one").await.load_balancer_arn.unwrap();
    let subnet = berth_local::stand_in::ec2::BERTH_SUBNETS[0];
    let create =
        || elb.0.clients.elb.create_load_balancer().name("two").r#type("network".into()).subnets(subnet).send();
    assert_eq!(code(create().await), "TooManyLoadBalancers");

    let gateway = &elb.0.clients.apigateway;
    let link = || gateway.create_vpc_link().name("x").target_arns(&arn).send();
    link().await.unwrap();
    let refused = link().await.expect_err("one is all");
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 429);
    assert_eq!(code::<(), _>(Err(refused)), "LimitExceededException");

    let api = gateway.create_rest_api().name("x").send().await.unwrap();
    let (api, root) = (api.id.unwrap(), api.root_resource_id.unwrap());
    let resource = |part: &str| gateway.create_resource().rest_api_id(&api).parent_id(&root).path_part(part).send();
    resource("one").await.unwrap();
    assert_eq!(code(resource("two").await), "LimitExceededException");

    elb.0.cloud.change(|account| account.quotas = Quotas::default());
    create().await.expect("the quota was raised");
    link().await.expect("the quota was raised");
    resource("two").await.expect("the quota was raised");
}
