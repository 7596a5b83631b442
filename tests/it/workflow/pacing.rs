//! Many at once under the rates that AWS allows an account: everybody's turn comes, in order, and nobody sees a throttle.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tests::World;

/// Everything that is said of throttling to anybody.
fn complains(environment: &Value) -> bool {
    let text = environment.to_string();
    text.contains("Throttling") || text.contains("TooManyRequests") || text.contains("Rate exceeded")
}

/// The place in the queue and the moment, of each environment that waits in `step`.
async fn queue(world: &World, ids: &[String], step: &str) -> Vec<(u64, Timestamp, String)> {
    let mut waiting = Vec::new();
    for id in ids {
        let environment = world.get(id).await;
        let steps = environment["steps"].as_array().expect("steps");
        let Some(record) = steps.iter().find(|record| record["name"] == step && !record["queue"].is_null()) else {
            continue;
        };
        let turn: Timestamp = record["queue"]["turn_at"].as_str().expect("a moment").parse().expect("a moment");
        waiting.push((record["queue"]["place"].as_u64().expect("a place"), turn, id.clone()));
    }
    waiting
}

/// When the resource of this kind of each environment was recorded, or seen gone.
async fn moment(world: &World, id: &str, kind: &str, member: &str) -> Option<Timestamp> {
    let environment = world.get(id).await;
    let resources = environment["resources"].as_array().expect("resources").clone();
    let resource = resources.iter().find(|resource| resource["resource"] == kind)?;
    resource[member].as_str().map(|text| text.parse().expect("a moment"))
}

#[tokio::test(start_paused = true)]
async fn forty_at_once_take_their_turns_and_the_places_shown_are_true() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(world.create(&format!("many-{number}"), "hello").await);
    }
    world.system.clock.sleep(Duration::from_secs(20)).await;
    let mut waiting = queue(&world, &ids, "EnsureLoadBalancer").await;
    assert!(waiting.len() > 20, "most wait: {waiting:?}");
    waiting.sort();
    let places: Vec<u64> = waiting.iter().map(|(place, ..)| *place).collect();
    let wanted: Vec<u64> = (places[0]..).take(places.len()).collect();
    assert_eq!(places, wanted, "every place is somebody's");
    for id in &ids {
        let environment = world.settled(id).await;
        // 20 VPC links an account may have; the others say which quota it was.
        assert!(!complains(&environment), "{environment:#}");
    }
    for (place, turn, id) in waiting {
        let came = moment(&world, &id, "load_balancer", "recorded_at").await.expect("it came");
        let late = came.duration_since(turn).as_secs_f64();
        assert!((0.0..5.0).contains(&late), "place {place} was told {turn} and came {late} s late");
    }
}
