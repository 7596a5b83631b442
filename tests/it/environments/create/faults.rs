//! What AWS does wrong while an environment is recorded and its workflow started.

use tests::faults::{denied, throttled};

use super::*;

/// DynamoDB cancels a transaction for want of capacity.
fn busy() -> Fault {
    let message =
        "Transaction cancelled, please refer cancellation reasons for specific reasons [ThrottlingError, None]";
    let reasons = json!([
        {"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity of your table or index."},
        {"Code": "None"},
    ]);
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message, "CancellationReasons": reasons,
    });
    Fault::Refuse(Refusal { body: Some(Box::new(body)), ..Refusal::bad("TransactionCanceledException", message) })
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_is_hard_to_start_is_started_once_and_a_repeated_request_makes_it_go_on() {
    let throttled = throttled("states:StartExecution");
    let full = Fault::Refuse(Refusal::bad("ExecutionLimitExceeded", "Too many executions are running."));
    for (faults, status, code) in [
        (vec![Fault::LoseReply], 202, ""),
        (vec![Fault::Reset], 202, ""),
        (vec![throttled.clone()], 202, ""),
        (vec![Fault::LoseReply, Fault::Reset, throttled.clone()], 503, "unavailable"),
        (vec![throttled; 3], 503, "unavailable"),
        // Too many executions are open; the SDK does not repeat this.
        (vec![full], 503, "unavailable"),
        (vec![denied("states:StartExecution")], 502, "aws_permission_denied"),
    ] {
        let world = World::new().await;
        for (fault, nth) in faults.iter().zip(1..) {
            world.fault("states:StartExecution", nth, fault.clone());
        }
        let body = request(json!({}));
        let reply = post_with_key(&world, "demo", "tester", b"a-key", &body).await;
        assert!(world.faults().all_came(), "{faults:?}");
        let told = format!("{faults:?}: {}", reply.text);
        if status == 202 {
            assert_eq!(reply.status, 202, "{told}");
        } else {
            let reply = reply.problem(status, code);
            assert_eq!(reply.header("retry-after").is_empty(), status != 503, "{told}");
            assert!(told.contains("was saved"), "{told}");
            world.system.clock.sleep(Duration::from_secs(600)).await;
            post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
        }
        let ids = ids(&world).await;
        assert_eq!(ids.len(), 1, "{told}");
        assert_eq!(world.executions().await.len(), 1, "{told}");
        if status != 202 {
            assert_eq!(world.settled(&ids[0]).await["status"], "ready", "{told}");
            assert!(world.inventory().await.is_each(1), "{told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_hard_to_write_is_written_once_or_not_at_all() {
    let conflict = Fault::Refuse(Refusal::bad("TransactionInProgressException", "in progress"));
    let throttled = throttled("dynamodb:TransactWriteItems");
    for key in [None, Some("a-key")] {
        for (faults, status) in [
            (vec![Fault::LoseReply], 202),
            (vec![Fault::Reset], 202),
            (vec![throttled.clone()], 202),
            (vec![Fault::LoseReply, Fault::LoseReply], 202),
            (vec![throttled.clone(); 3], 503),
            (vec![conflict.clone(); 3], 503),
            (vec![busy()], 202),
            (vec![busy(); 12], 503),
        ] {
            let world = World::new().await;
            for (fault, nth) in faults.iter().zip(1..) {
                world.fault("dynamodb:TransactWriteItems", nth, fault.clone());
            }
            let body = request(json!({}));
            let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
            let reply = world.call_with("demo", Method::POST, "/environments", &body, &headers).await;
            let told = format!("{key:?}, {faults:?}: {}", reply.text);
            assert_eq!(reply.status, status, "{told}");
            if status == 503 {
                let reply = reply.problem(503, "unavailable");
                assert!(!reply.text.contains("Throttl"), "{told}");
                assert!(ids(&world).await.is_empty() && world.executions().await.is_empty(), "{told}");
                world.call_with("demo", Method::POST, "/environments", &body, &headers).await.expect(202);
            }
            assert_eq!((ids(&world).await.len(), world.executions().await.len()), (1, 1), "{told}");
        }
    }
}
