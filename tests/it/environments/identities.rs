//! Of AWS's refusals a team sees what it can act by; accounts, roles and sessions are for operators, in the log.

use berth_local::faults::Fault;
use berth_local::stand_in::refusal::Refusal;
use http::Method;
use serde_json::json;
use tests::{LogLines, World};

const ROLE: &str = "arn:aws:sts::123456789012:assumed-role/berth-api/session";

/// What no team sees.
fn has_identity(text: &str) -> bool {
    ["123456789012", "assumed-role", "session", "arn:aws:sts"].iter().any(|word| text.contains(word))
}

fn denied(action: &str) -> Fault {
    let message = format!("User: {ROLE} is not authorized to perform: {action} on resource: * in account 123456789012");
    Fault::Refuse(Refusal::bad("AccessDeniedException", message))
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_answered_with_call_and_action_and_logged_with_account_and_role() {
    let (world, lines) = (World::new().await, LogLines::default());
    let _logging = lines.collect();
    world.fault("ecs:DescribeTaskDefinition", 1, denied("ecs:DescribeTaskDefinition"));
    let body = json!({"name": "denied", "task_definition": "hello"});
    let reply = world.call("demo", Method::POST, "/environments", &body).await;
    let reply = reply.problem(502, "aws_permission_denied");
    assert!(reply.text.contains("(ecs:DescribeTaskDefinition)"), "{}", reply.text);
    assert!(!has_identity(&reply.text), "{}", reply.text);
    let log = lines.take();
    assert!(log.contains(ROLE), "{log}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_answered_without_the_words_of_the_service() {
    let (world, lines) = (World::new().await, LogLines::default());
    let _logging = lines.collect();
    for nth in 1..=5 {
        let down = Refusal::new(500, "InternalServerError", format!("backend of {ROLE}: disk is full"));
        world.fault("dynamodb:Query", nth, Fault::Refuse(down));
    }
    let reply = world.call("demo", Method::GET, "/environments", &json!(null)).await.problem(503, "unavailable");
    assert!(!has_identity(&reply.text) && !reply.text.contains("disk"), "{}", reply.text);
    assert!(lines.take().contains("disk is full"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_shows_what_the_team_can_act_by_and_neither_account_nor_role() {
    for (operation, fault, cause, shown) in [
        ("elasticloadbalancing:CreateLoadBalancer", denied("ec2:GetX"), "permission_denied", "(ec2:GetX)"),
        (
            "elasticloadbalancing:CreateLoadBalancer",
            Fault::Refuse(Refusal::bad(
                "InvalidSubnet",
                format!("Not enough IP space available in subnet-1 of 123456789012 ({ROLE})."),
            )),
            "subnet_without_addresses",
            "Not enough IP space available in subnet-1 of [account] ([arn]).",
        ),
    ] {
        let world = World::new().await;
        world.fault(operation, 1, fault);
        let id = world.create("refused", "hello").await;
        let environment = world.settled(&id).await;
        assert_eq!(environment["failure"]["cause"], cause, "{environment:#}");
        let seen = format!("{environment} {:?}", world.events("demo", &id).await);
        assert!(seen.contains(shown) && !has_identity(&seen), "{seen}");
    }
}
