//! What a decision leaves in the log.

use tests::LogLines;

use super::*;

#[tokio::test(start_paused = true)]
async fn every_decision_is_one_line_and_no_line_has_a_piece_of_the_token() {
    let (gate, lines) = (Gate::new(), LogLines::default());
    let _logging = lines.collect();
    gate.authorizer.warm().await;
    assert!(lines.take().contains("keys were fetched"));
    let marked = |members: Value| {
        let mut claims = gate.claims(members);
        claims["secret"] = json!("MARKED");
        gate.key.sign(&claims)
    };
    let good = marked(json!({}));
    let pieces: Vec<String> = good.split('.').chain(["MARKED"]).map(str::to_owned).collect();
    let tokens = [
        (good.clone(), "decision=\"allowed\" subject=\"ann\" team=demo role=Member"),
        (marked(json!({"aud": "harbour"})), "decision=\"refused\" why=\"The token is for another audience.\""),
        (marked(json!({"exp": "MARKED"})), "decision=\"refused\" why=\"The token's `exp` is no number of seconds.\""),
        (marked(json!({"team": "MARKED team"})), "decision=\"refused\""),
        (format!("{good}x"), "decision=\"refused\""),
        (format!("{}.MARKED.x", pieces[0]), "decision=\"refused\""),
    ];
    for (token, expected) in tokens {
        drop(gate.ask(&token).await);
        let log = lines.take();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.contains(expected), "{expected}: {log}");
        let of_this = token.split('.').filter(|piece| piece.len() > 3);
        let leaked = of_this.chain(pieces.iter().map(String::as_str)).find(|piece| log.contains(piece));
        assert_eq!(leaked, None, "{log}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_issuer_cannot_be_asked_the_log_says_why() {
    let (gate, lines) = (Gate::new(), LogLines::default());
    let _logging = lines.collect();
    gate.documents.go_down();
    drop(gate.ask(&gate.token(json!({}))).await);
    let log = lines.take();
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.lines().all(|line| line.contains("ERROR") && line.contains("connection refused")), "{log}");
}
