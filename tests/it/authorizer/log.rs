//! What a decision leaves in the log.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics in here").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Collects what this thread logs, until what it returns is dropped.
    fn collect(&self) -> impl Drop {
        // With a single dispatcher in the process, `tracing` asks the thread that first meets an event whether it is
        // wanted: that is another test's thread, which wants none. With two dispatchers it asks them.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing_subscriber::util::SubscriberInitExt::set_default(subscriber)
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("no test panics in here"))).expect("text")
    }
}

#[tokio::test(start_paused = true)]
async fn every_decision_is_one_line_and_no_line_has_a_piece_of_the_token() {
    let (gate, lines) = (Gate::new(), Lines::default());
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
    let (gate, lines) = (Gate::new(), Lines::default());
    let _logging = lines.collect();
    gate.documents.go_down();
    drop(gate.ask(&gate.token(json!({}))).await);
    let log = lines.take();
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.lines().all(|line| line.contains("ERROR") && line.contains("connection refused")), "{log}");
}
