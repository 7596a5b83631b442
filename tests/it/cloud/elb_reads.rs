//! What clients beside Berth read of ELBv2's resources, on the wire: the SDK of this project has no such calls.

use super::elb::Elb;

/// Terraform reads both for every listener and every load balancer.
#[tokio::test(start_paused = true)]
async fn a_listener_has_an_idle_timeout_and_a_load_balancer_no_reserved_capacity() {
    let elb = Elb::new();
    let load_balancer = elb.load_balancer("nlb").await;
    let load_balancer = load_balancer.load_balancer_arn().unwrap();
    let group = elb.target_group("group").await;
    let listener = elb.listener(load_balancer, 80, group.target_group_arn().unwrap()).await;
    let call = async |operation: &str, members: &str| {
        let body = format!("Action={operation}&Version=2015-12-01&{members}");
        let request = http::Request::post("/").body(bytes::Bytes::from(body)).unwrap();
        let reply = elb.0.endpoint.request(request).await.unwrap();
        assert_eq!(reply.headers()["content-type"], "text/xml");
        (reply.status().as_u16(), String::from_utf8(reply.body().to_vec()).unwrap())
    };
    let listener = format!("ListenerArn={listener}");
    let attribute = |seconds: &str| {
        format!("<Attributes><member><Key>tcp.idle_timeout.seconds</Key><Value>{seconds}</Value></member></Attributes>")
    };
    let (status, described) = call("DescribeListenerAttributes", &listener).await;
    assert!(status == 200 && described.contains(&attribute("350")), "{status} {described}");
    let change = |seconds: &str| {
        format!("{listener}&Attributes.member.1.Key=tcp.idle_timeout.seconds&Attributes.member.1.Value={seconds}")
    };
    let (status, refused) = call("ModifyListenerAttributes", &change("59")).await;
    assert!(status == 400 && refused.contains("<Code>ValidationError</Code>"), "{status} {refused}");
    assert_eq!(call("ModifyListenerAttributes", &change("60")).await.0, 200);
    assert!(call("DescribeListenerAttributes", &listener).await.1.contains(&attribute("60")));

    let (status, capacity) = call("DescribeCapacityReservation", &format!("LoadBalancerArn={load_balancer}")).await;
    assert!(status == 200 && !capacity.contains("MinimumLoadBalancerCapacity"), "{status} {capacity}");
    let (status, refused) = call("CreateRule", "").await;
    assert!(
        status == 400
            && refused.contains("<Code>InvalidAction</Code>")
            && refused.contains("berth-local does not play elasticloadbalancing:CreateRule."),
        "{status} {refused}"
    );
}
