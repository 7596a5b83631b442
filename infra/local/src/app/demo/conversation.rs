//! The demo's conversation: create an environment, follow its steps, request its service, delete it, follow the removal. If
//! it ends early, the demo deletes the environment, or prints how to. The calls are in `session`.

use std::sync::Arc;

use berth_domain::Status;
use http::Method;
use tokio::sync::Notify;
use ulid::Ulid;

use super::server::{Ports, SPEED};
use super::session::Session;
use super::shell::Call;
use super::view::{self, Environment, Greeting};
use crate::app::cli::{self, AWS_PORT};
use crate::app::local;

const TEAM: &str = "demo";
/// The URL of the environment.
const ENVIRONMENT: &str = "$API/environments/$ID";

/// A conversation with one berth-local.
pub(super) struct Conversation {
    session: Session,
    ports: Ports,
    /// Whether there is an environment that the demo has to delete.
    created: bool,
}

impl Conversation {
    /// A conversation with the berth-local at `ports`.
    pub fn new(ports: Ports, stopped: Arc<Notify>) -> Self {
        Self { session: Session::new(stopped), ports, created: false }
    }

    /// Plays the conversation. `own` is set if the demo has started the berth-local: the reason why.
    ///
    /// # Errors
    /// One line that says why the conversation ended early.
    pub async fn play(mut self, own: Option<&str>) -> Result<(), String> {
        self.introduce(own);
        let result = self.converse().await;
        self.session.screen.clear_progress();
        match &result {
            Ok(()) => self.conclude(own.is_some()),
            Err(_) if self.created => self.clean_up(own.is_some()).await,
            Err(_) => {}
        }
        result
    }

    fn introduce(&self, own: Option<&str>) {
        let screen = &self.session.screen;
        screen.line("Berth in a minute: create an environment, follow its steps, request its");
        screen.line("service, delete it. Each HTTP call is shown as a line for your shell.\n");
        match own {
            Some(why) => {
                screen.line(&format!("No berth-local runs here: {why}."));
                screen.line(&format!("The demo starts one, {SPEED} times as fast as AWS, and stops it afterwards."));
            }
            None => screen.line(&format!("The demo talks to the berth-local on port {}.", self.ports.api)),
        }
    }

    async fn converse(&mut self) -> Result<(), String> {
        self.authenticate().await?;
        let created = self.create().await?;
        let environment = self.follow("Follow its steps", &created).await?;
        self.check_ready(&environment)?;
        self.request_service(&environment).await?;
        let deleting = self.delete("Delete the environment").await?;
        let environment = self.follow("Follow the removal", &deleting).await?;
        self.check_deleted(&environment)
    }

    async fn authenticate(&mut self) -> Result<(), String> {
        let Ports { api, aws } = self.ports;
        self.session.screen.heading(&format!("Get a token for the team `{TEAM}`"));
        self.session.set("API", &format!("http://localhost:{api}"));
        let option = if aws == AWS_PORT { String::new() } else { format!(" --aws-port {aws}") };
        self.session.screen.command(&format!("TOKEN=$(cargo -q local token --team {TEAM}{option})"));
        let team = TEAM.parse().map_err(|_| format!("`{TEAM}` is no team's name"))?;
        let token = local::token_get(&cli::Token { team, operator: false, aws_port: aws }).await?;
        self.session.set_silently("TOKEN", &token);
        self.session.set("AUTH", "\"Authorization: Bearer $TOKEN\"");
        Ok(())
    }

    async fn create(&mut self) -> Result<Environment, String> {
        self.session.screen.heading("Create an environment that runs the task definition `hello`");
        // Another demo may run now, or have left an environment behind.
        let unique = Ulid::generate().to_string().to_ascii_lowercase();
        let name = format!("demo-{}", unique.get(20..).unwrap_or(&unique));
        let mut call = Call::api(Method::POST, "$API/environments");
        call.body = Some(format!(r#"{{"name":"{name}","task_definition":"hello"}}"#));
        let environment: Environment = self.session.call(&call).await?;
        self.created = true;
        self.session.screen.field("id", &environment.id);
        self.session.screen.field("status", environment.status);
        self.session.screen.line("");
        self.session.set("ID", &environment.id);
        Ok(environment)
    }

    async fn follow(&mut self, title: &str, accepted: &Environment) -> Result<Environment, String> {
        self.session.screen.heading(&format!("{title}: call again after `retry_after_seconds`, until it is null"));
        let call = Call::api(Method::GET, ENVIRONMENT);
        let environment = self.session.follow(&call, accepted.updated_at).await?;
        self.session.screen.line("");
        self.session.screen.field("status", environment.status);
        Ok(environment)
    }

    fn check_ready(&mut self, environment: &Environment) -> Result<(), String> {
        if environment.status == Status::Ready {
            return Ok(());
        }
        if let Some(failure) = &environment.failure {
            let screen = &self.session.screen;
            screen.field("what happened", format_args!("{} failed: {}", failure.step, failure.message));
            screen.field("what to do", &failure.what_to_do);
            screen.field("who can do it", &failure.who);
            for seen in &failure.evidence {
                screen.field(&seen.source, &seen.detail);
            }
        }
        self.created = environment.status != Status::Deleted;
        Err(format!("the environment is {}, not ready", environment.status))
    }

    async fn request_service(&mut self, environment: &Environment) -> Result<(), String> {
        let url = environment.url.as_deref().ok_or("the environment is ready and has no URL")?;
        self.session.screen.field("url", url);
        self.session.screen.line("");
        self.session.set("URL", url);
        self.session.screen.heading("Request the service through its URL");
        let call = Call { method: Method::GET, url: "$URL/any/path?x=1", header: None, body: None };
        self.session.screen.command(&call.curl());
        let answer = self.session.send(&call).await?;
        self.session.screen.status(answer.status());
        // With `--task hello=…` the service may answer anything.
        if let Ok(Greeting { message, method, path }) = view::read(answer.body()) {
            self.session.screen.field("message", message);
            self.session.screen.field("method", method);
            self.session.screen.field("path", path);
        }
        Ok(())
    }

    async fn delete(&mut self, title: &str) -> Result<Environment, String> {
        self.session.screen.heading(title);
        let environment: Environment = self.session.call(&Call::api(Method::DELETE, ENVIRONMENT)).await?;
        self.session.screen.field("status", environment.status);
        Ok(environment)
    }

    fn check_deleted(&mut self, environment: &Environment) -> Result<(), String> {
        self.created = false;
        let screen = &self.session.screen;
        if environment.status == Status::Deleted {
            let all = &environment.resources;
            let gone = all.iter().filter(|resource| resource.absent_at.is_some()).count();
            let kinds: Vec<&str> = all.iter().map(|resource| resource.resource.as_str()).collect();
            screen.field("resources", format_args!("{}, of which {gone} are verified as gone:", all.len()));
            screen.line(&format!("   {}", kinds.join(", ")));
            return Ok(());
        }
        for left in &environment.leftovers {
            let (id, why) = (left.id.as_deref().unwrap_or_default(), left.why.as_deref().unwrap_or_default());
            screen.field("left", format_args!("{} {id} {why}", left.resource));
        }
        let next = environment.next_attempt_at.map_or_else(String::new, |at| format!("; Berth tries again at {at}"));
        Err(format!("the environment is {}, not deleted{next}", environment.status))
    }

    async fn clean_up(&mut self, own: bool) {
        let end = match self.delete("Clean up: delete the environment").await {
            Ok(environment) if environment.status == Status::Deleted => "The environment is deleted.",
            Ok(_) if own => "The demo stops its berth-local now, and all resources with it.",
            Ok(_) => "Berth removes its resources in the background. You have nothing to do.",
            Err(_) => "The environment may still exist. Delete it with the line above.",
        };
        self.session.screen.line(&format!("\n{end}"));
    }

    fn conclude(&self, own: bool) {
        let screen = &self.session.screen;
        screen.line("\nDone. To repeat it by hand, paste the lines above one after the other, with the");
        screen.line("ID and URL of your own answers. `| jq` after a curl line makes these readable.");
        if own {
            screen.line("The demo stops its berth-local now. Start another one and set, instead:\n");
            screen.command("cargo local --ephemeral --speed 50     # in another terminal");
            screen.command(&format!("API=http://localhost:{}", cli::PORT));
            screen.command(&format!("TOKEN=$(cargo -q local token --team {TEAM})"));
        }
    }
}
