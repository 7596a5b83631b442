//! Lambda's Runtime API (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), for one process at a time.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

/// Longer than any function may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a function has done.
enum Done {
    Asked(Instant),
    Answered(Instant, Bytes),
    NotStarted(Bytes),
}

/// The Runtime API of one process.
pub struct RuntimeApi {
    /// `HOST:PORT`, for `AWS_LAMBDA_RUNTIME_API`.
    pub address: String,
    done: mpsc::UnboundedReceiver<Done>,
    events: mpsc::UnboundedSender<String>,
}

#[derive(Clone)]
struct Server {
    done: mpsc::UnboundedSender<Done>,
    events: Arc<Mutex<mpsc::UnboundedReceiver<String>>>,
}

impl RuntimeApi {
    /// Serves on a free port until it is dropped.
    pub async fn serve() -> Result<Self, String> {
        let text = |error: std::io::Error| format!("the Runtime API: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(text)?;
        let address = listener.local_addr().map_err(text)?.to_string();
        let (done, was_done) = mpsc::unbounded_channel();
        let (events, to_come) = mpsc::unbounded_channel();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            // An error is an answer too: the caller says which one it expects.
            .route("/2018-06-01/runtime/invocation/{id}/error", post(response))
            .route("/2018-06-01/runtime/init/error", post(not_started))
            .with_state(Server { done, events: Arc::new(Mutex::new(to_come)) });
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream: &mut tokio::net::TcpStream| {
            // Otherwise a reply's last part waits for an acknowledgement.
            drop(stream.set_nodelay(true));
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, done: was_done, events })
    }

    /// When the function asks for its next event.
    pub async fn asked(&mut self) -> Result<Instant, String> {
        match self.done().await? {
            Done::Asked(moment) => Ok(moment),
            Done::Answered(..) => Err("an answer without a request".to_owned()),
            Done::NotStarted(body) => Err(format!("failed to start: {}", String::from_utf8_lossy(&body))),
        }
    }

    /// Hands an event to the function, which has asked; how long until it has answered, and what.
    pub async fn call(&mut self, event: &Value) -> Result<(Duration, Bytes), String> {
        let began = Instant::now();
        self.events.send(event.to_string()).map_err(|_| "the Runtime API has ended".to_owned())?;
        match self.done().await? {
            Done::Answered(moment, body) => Ok((moment.duration_since(began), body)),
            Done::NotStarted(body) => Err(format!("failed to start: {}", String::from_utf8_lossy(&body))),
            Done::Asked(_) => Err("it asked again without an answer".to_owned()),
        }
    }

    async fn done(&mut self) -> Result<Done, String> {
        match tokio::time::timeout(PATIENCE, self.done.recv()).await {
            Ok(Some(done)) => Ok(done),
            Ok(None) => Err("the Runtime API has ended".to_owned()),
            Err(_) => Err(format!("nothing heard for {} s", PATIENCE.as_secs())),
        }
    }
}

async fn next(State(server): State<Server>) -> Response {
    drop(server.done.send(Done::Asked(Instant::now())));
    let Some(event) = server.events.lock().await.recv().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("Lambda-Runtime-Deadline-Ms", (now + Duration::from_secs(29)).as_millis().to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ];
    (headers, event).into_response()
}

async fn response(State(server): State<Server>, body: Bytes) -> StatusCode {
    drop(server.done.send(Done::Answered(Instant::now(), body)));
    StatusCode::ACCEPTED
}

async fn not_started(State(server): State<Server>, body: Bytes) -> StatusCode {
    drop(server.done.send(Done::NotStarted(body)));
    StatusCode::ACCEPTED
}
