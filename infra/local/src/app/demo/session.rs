//! The demo's calls: prints each one as a line for the reader's shell, sends it, and prints its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::screen::Screen;
use super::shell::{Call, Variables};
use super::view::{self, Environment, Problem};
use crate::app::http_client;

/// The state of a reader's shell and screen, call after call.
pub(super) struct Session {
    pub screen: Screen,
    variables: Variables,
    /// Notified by Ctrl-C or SIGTERM.
    stopped: Arc<Notify>,
    /// The steps that have been printed.
    printed: Vec<String>,
}

impl Session {
    /// A session that ends early when `stopped` is notified.
    pub fn new(stopped: Arc<Notify>) -> Self {
        Self { screen: Screen::new(), variables: Variables::default(), stopped, printed: Vec::new() }
    }

    /// Sets the shell variable `name` without printing it.
    pub fn set_silently(&mut self, name: &'static str, value: &str) {
        self.variables.set(name, value);
    }

    /// Sets the shell variable `name` and prints the assignment.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.screen.command(&format!("{name}={value}"));
        self.set_silently(name, value);
    }

    /// Calls the API, and prints the call and the status of its answer.
    ///
    /// # Errors
    /// One line; the API's problem document is printed before.
    pub async fn call<T: DeserializeOwned>(&mut self, call: &Call) -> Result<T, String> {
        self.screen.command(&call.curl());
        let answer = self.send(call).await?;
        self.screen.status(answer.status());
        self.read(&answer)
    }

    /// Repeats `call`, which gets an environment, until no operation is under way. Prints the call once, and each step as soon
    /// as it is done. The API accepted the operation at `accepted_at`.
    ///
    /// # Errors
    /// One line; the API's problem document is printed before.
    pub async fn follow(&mut self, call: &Call, accepted_at: Timestamp) -> Result<Environment, String> {
        self.screen.command(&call.curl());
        self.screen.step_heading();
        loop {
            let answer = self.send(call).await?;
            if !answer.status().is_success() {
                self.screen.clear_progress();
                self.screen.status(answer.status());
            }
            let environment: Environment = self.read(&answer)?;
            let mut finished: Vec<_> = environment
                .steps
                .iter()
                .filter_map(|step| Some((step.finished_at?, step)))
                .filter(|(_, step)| !self.printed.contains(&step.name))
                .collect();
            finished.sort_by_key(|(finished_at, _)| *finished_at);
            for (finished_at, step) in finished {
                self.screen.step(step, finished_at, accepted_at);
                self.printed.push(step.name.clone());
            }
            let Some(seconds) = environment.retry_after_seconds else {
                self.screen.clear_progress();
                return Ok(environment);
            };
            self.screen.show_progress(&environment);
            self.wait(Duration::from_secs(seconds)).await?;
        }
    }

    /// Sends `call`. Ctrl-C does not interrupt it: without the answer the demo could not delete a new environment, because it
    /// would not know the id.
    ///
    /// # Errors
    /// One line that says which host does not answer.
    pub async fn send(&self, call: &Call) -> Result<Response<Bytes>, String> {
        let request = call.request(&self.variables)?;
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        http_client::send(request).await.map_err(|error| format!("{host} does not answer: {error}"))
    }

    fn read<T: DeserializeOwned>(&self, answer: &Response<Bytes>) -> Result<T, String> {
        if answer.status().is_success() {
            return view::read(answer.body());
        }
        if let Ok(problem) = view::read::<Problem>(answer.body()) {
            self.screen.problem(&problem);
        }
        Err(format!("the API answered {}", answer.status()))
    }

    async fn wait(&self, duration: Duration) -> Result<(), String> {
        tokio::select! {
            () = tokio::time::sleep(duration) => Ok(()),
            () = self.stopped.notified() => Err(super::STOPPED.to_owned()),
        }
    }
}
