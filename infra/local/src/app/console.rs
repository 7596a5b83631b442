//! The output of `cargo local`: each environment's steps while they change. On a terminal one line for each
//! environment, updated in place; otherwise a plain line for every change.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use berth_domain::environment::{StepRecord, StepState};
use berth_domain::{Environment, EnvironmentId, Status, timing};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::critical_path::critical_path;
use super::embedded::Embedded;

/// The shortest time between two reads of the records.
const EVERY: Duration = Duration::from_millis(150);

/// Shows environments while they change, until the future is dropped. Reads the records only after a write.
pub async fn show(embedded: Embedded) {
    let endpoint = embedded.endpoint.clone();
    let mut console =
        Console { embedded, lines: std::io::stdout().is_terminal().then(MultiProgress::new), shown: BTreeMap::new() };
    loop {
        console.look().await;
        tokio::time::sleep(EVERY).await;
        endpoint.records_changed().await;
    }
}

struct Console {
    embedded: Embedded,
    /// The lines on a terminal.
    lines: Option<MultiProgress>,
    /// The environments that are changing, as they are shown.
    shown: BTreeMap<EnvironmentId, Shown>,
}

struct Shown {
    environment: Environment,
    line: Option<ProgressBar>,
}

impl Console {
    async fn look(&mut self) {
        // Every environment that is changing is due for the janitor by then.
        let soon = self.embedded.clock.after(timing::CHECK_EXECUTION_AFTER);
        let moving: Vec<Environment> = match self.embedded.store.environments_due(soon).await {
            Ok(due) => due.environments.into_iter().filter(|environment| environment.status().is_moving()).collect(),
            Err(error) => return tracing::warn!(cause = error.cause(), "cannot look at the records"),
        };
        let settled: Vec<Environment> = self
            .shown
            .values()
            .map(|shown| shown.environment.clone())
            .filter(|shown| moving.iter().all(|environment| environment.id != shown.id))
            .collect();
        for environment in moving {
            self.update(environment);
        }
        for before in settled {
            match self.embedded.store.environment_get(&before.team, &before.id).await {
                Ok(environment) => self.end(&environment),
                Err(error) => tracing::warn!(cause = error.cause(), "cannot look at a record"),
            }
        }
    }

    fn update(&mut self, environment: Environment) {
        let before = self.shown.remove(&environment.id);
        let line = match (&self.lines, before.as_ref().and_then(|shown| shown.line.clone())) {
            (Some(lines), None) => {
                let style = ProgressStyle::with_template("{spinner} {wide_msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner());
                let line = lines.add(ProgressBar::new_spinner().with_style(style));
                line.enable_steady_tick(EVERY);
                Some(line)
            }
            (_, line) => line,
        };
        match &line {
            Some(line) => line.set_message(summary(&environment)),
            None => {
                for moved in moved(before.as_ref().map(|shown| &shown.environment), &environment) {
                    say(&format!("{}  {moved}", environment.name));
                }
            }
        }
        self.shown.insert(environment.id.clone(), Shown { environment, line });
    }

    fn end(&mut self, environment: &Environment) {
        let Some(shown) = self.shown.remove(&environment.id) else { return };
        let text = format!("{}  {}", environment.name, self.outcome(environment));
        if let (Some(lines), Some(line)) = (&self.lines, &shown.line) {
            line.finish_and_clear();
            lines.remove(line);
            // The result is ignored: without a writable terminal there is no other output.
            let _ = lines.println(&text);
            return;
        }
        for moved in moved(Some(&shown.environment), environment) {
            say(&format!("{}  {moved}", environment.name));
        }
        say(&text);
    }

    fn outcome(&self, environment: &Environment) -> String {
        match environment.status() {
            Status::Ready => {
                let took = environment.updated_at().duration_since(environment.created_at).as_secs_f64();
                let aws_time = took * self.embedded.clock.speed();
                let url = environment.url(&self.embedded.settings).unwrap_or_default();
                let path = critical_path(&self.embedded.cloud, environment).map_or_else(String::new, |path| {
                    let path = path.as_secs_f64();
                    format!("; the critical path of the same latencies is {path:.0} s, ratio {:.2}", aws_time / path)
                });
                format!("ready in {took:.1} s ({aws_time:.0} s of AWS time{path})\n    {url}")
            }
            Status::Failed => {
                let why = environment.failure().map_or("", |failure| failure.message.as_str());
                format!("failed, nothing is left behind: {why}")
            }
            other => other.to_string(),
        }
    }
}

/// One line for a whole environment.
fn summary(environment: &Environment) -> String {
    let at_work: Vec<String> = environment
        .steps()
        .iter()
        .filter(|record| matches!(record.state, StepState::Running | StepState::Waiting))
        .map(|record| match &record.why {
            Some(why) => format!("{}: {why}", record.name),
            None => record.name.to_string(),
        })
        .collect();
    format!("{}  {}  {}", environment.name, environment.status(), at_work.join(" | "))
}

/// A line for every change between two reads.
fn moved(before: Option<&Environment>, after: &Environment) -> Vec<String> {
    let mut lines = Vec::new();
    // The end of an operation has a line of its own, by `outcome`.
    if after.status().is_moving() && before.is_none_or(|before| before.status() != after.status()) {
        lines.push(after.status().to_string());
    }
    let known = |record: &StepRecord| {
        before
            .and_then(|before| before.step(record.name))
            .is_some_and(|before| before.state == record.state && before.why == record.why)
    };
    for record in after.steps().iter().filter(|record| record.state != StepState::Pending && !known(record)) {
        let state = format!("{:?}", record.state).to_lowercase();
        let why = record.why.as_deref().map_or_else(String::new, |why| format!(": {why}"));
        lines.push(format!("{} {state}{why}", record.name));
    }
    lines
}

/// Prints a line. Errors are ignored: berth-local goes on serving when its standard output is closed.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
