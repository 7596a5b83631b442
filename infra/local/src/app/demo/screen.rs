//! Prints the demo: headings, lines for the reader's shell, answers, and on a terminal a progress line while the demo waits.
//! Colours only on a terminal, and not with NO_COLOR.

use std::fmt::Display;
use std::io::IsTerminal;
use std::time::Duration;

use http::StatusCode;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::view::{Environment, Problem, Step};
use crate::app::console::say;

/// The time between two pictures of the progress line's spinner.
const TICK: Duration = Duration::from_millis(120);

/// The demo's output.
pub(super) struct Screen {
    terminal: bool,
    coloured: bool,
    headings: u32,
    progress: Option<ProgressBar>,
}

impl Screen {
    pub fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let coloured = terminal && std::env::var_os("NO_COLOR").is_none();
        Self { terminal, coloured, headings: 0, progress: None }
    }

    /// Prints the next numbered heading.
    pub fn heading(&mut self, title: &str) {
        self.headings += 1;
        let title = format!("{}. {title}", self.headings);
        self.line(&format!("\n{}\n", self.style("1", &title)));
    }

    /// Prints lines that a reader may paste into a shell.
    pub fn command(&self, text: &str) {
        for line in text.lines() {
            self.line(&format!("   {}", self.style("36", line)));
        }
    }

    /// Prints the status line of an answer.
    pub fn status(&self, status: StatusCode) {
        let text = self.style(if status.as_u16() < 400 { "32" } else { "31" }, &status.to_string());
        self.line(&format!("\n   {text}"));
    }

    /// Prints a field of an answer.
    pub fn field(&self, field: &str, value: impl Display) {
        self.line(&format!("   {field}: {value}"));
    }

    /// Prints the API's problem document.
    pub fn problem(&self, problem: &Problem) {
        self.field(&problem.code, &problem.detail);
        for field in &problem.errors {
            self.field(&field.pointer, &field.detail);
        }
        if let Some(id) = &problem.request_id {
            self.field("request_id", id);
        }
    }

    /// Prints the heading of the table of steps.
    pub fn step_heading(&self) {
        self.line("\n   done after     took   usual in AWS   step");
    }

    /// Prints the row of a step that is done or has failed. The API accepted the operation at `accepted_at`.
    pub fn step(&self, step: &Step, finished_at: Timestamp, accepted_at: Timestamp) {
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64().max(0.0);
        let took = seconds(step.started_at.unwrap_or(finished_at), finished_at);
        let at = seconds(accepted_at, finished_at);
        let failed = if step.state == "failed" { self.style("31", "  failed") } else { String::new() };
        let usual = if step.usual_seconds == 0 { "< 1 s".to_owned() } else { format!("{} s", step.usual_seconds) };
        self.line(&format!("   {at:>8.1} s {took:>6.1} s  {usual:>13}   {}{failed}", step.name));
    }

    /// Shows the operation's progress and the steps under way in the last line of a terminal.
    pub fn show_progress(&mut self, environment: &Environment) {
        if !self.terminal {
            return;
        }
        let bar = self.progress.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("   {spinner} {wide_msg}");
            let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(TICK);
            bar
        });
        let under_way: Vec<&str> = environment
            .steps
            .iter()
            .filter(|step| matches!(step.state.as_str(), "running" | "waiting"))
            .map(|step| step.name.as_str())
            .collect();
        bar.set_message(format!("{} {} %  {}", environment.status, environment.progress, under_way.join(", ")));
    }

    /// Removes the progress line.
    pub fn clear_progress(&mut self) {
        if let Some(bar) = self.progress.take() {
            bar.finish_and_clear();
        }
    }

    /// Prints `text` and a line break, above the progress line.
    pub fn line(&self, text: &str) {
        match &self.progress {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn style(&self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
