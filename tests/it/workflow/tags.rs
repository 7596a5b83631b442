//! Everything in AWS says whose it is.

use std::collections::BTreeMap;

use berth_domain::ResourceKind;
use serde_json::Value;
use tests::World;

/// The three tags that `environment` must have put on everything.
fn expected(environment: &Value, operation: &str) -> BTreeMap<String, String> {
    let text = |name: &str| environment[name].as_str().expect("a text").to_owned();
    BTreeMap::from([
        ("berth:environment".to_owned(), text("id")),
        ("berth:team".to_owned(), text("team")),
        ("berth:operation".to_owned(), operation.to_owned()),
    ])
}

#[tokio::test(start_paused = true)]
async fn every_resource_carries_environment_team_and_operation() {
    let world = World::new().await;
    let id = world.create("tagged", "hello").await;
    let environment = world.settled(&id).await;
    let team = "demo".parse().expect("a team");
    let record = world.system.store.environment_get(&team, &id.parse().expect("an id")).await.expect("a record");
    let wanted = expected(&environment, &record.operation().id.to_string());
    let clients = &world.system.clients;
    let mut found: BTreeMap<ResourceKind, BTreeMap<String, String>> = BTreeMap::new();
    for (kind, ids) in world.inventory().await.kinds() {
        let id = &ids[0];
        let tags: BTreeMap<String, String> = match kind {
            ResourceKind::LoadBalancer | ResourceKind::TargetGroup | ResourceKind::Listener => {
                let reply = clients.elb.describe_tags().resource_arns(id).send().await.expect("tags");
                let tags = reply.tag_descriptions()[0].tags().iter();
                tags.map(|tag| (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned()))
                    .collect()
            }
            ResourceKind::Service => {
                let reply = clients.ecs.list_tags_for_resource().resource_arn(id).send().await.expect("tags");
                let tags = reply.tags().iter();
                tags.map(|tag| (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned()))
                    .collect()
            }
            ResourceKind::VpcLink | ResourceKind::RestApi | ResourceKind::Stage => {
                let folder = if kind == ResourceKind::VpcLink { "vpclinks" } else { "restapis" };
                let arn = format!("arn:aws:apigateway:us-east-1::/{folder}/{id}");
                let reply = clients.apigateway.get_tags().resource_arn(arn).send().await.expect("tags");
                reply.tags().expect("tags").clone().into_iter().collect()
            }
        };
        found.insert(kind, tags);
    }
    assert_eq!(found.len(), 6, "{found:#?}");
    for (kind, tags) in found {
        for (key, value) in &wanted {
            assert_eq!(tags.get(key), Some(value), "{kind}: {tags:#?}");
        }
        let name = tags.get("Name").map(String::as_str);
        assert_eq!(name, Some("tagged"), "{kind}");
    }
}
