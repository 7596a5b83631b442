//! `cargo bench-bootstraps`: spawn, first answer, warm latency and memory of each release bootstrap, as Lambda would run it,
//! and of a Python peer in the same run. docs/performance.md says how to read it.
//!
//! `subject` runs one process and takes the times; `runtime_api` is the Lambda Runtime API it talks to; `aws` is the
//! AWS endpoint it calls, behind `tls`; `events` is what it is asked; `report` prints.

mod aws;
mod events;
mod report;
mod runtime_api;
mod subject;
mod tls;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use subject::{Measured, Subject};

/// Measures the bootstraps in `target/lambda` (make -C infra build ARCH=…).
#[derive(Debug, Parser)]
struct Options {
    /// Where the bootstraps are: a folder NAME with `bootstrap` in it for each, and NAME.zip.
    #[arg(long, default_value = "target/lambda")]
    bootstraps: PathBuf,
    /// A Python with `benches/peer/requirements.txt` installed; without it only the bootstraps are measured.
    #[arg(long)]
    python: Option<PathBuf>,
    /// How often each is started.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// How many warm calls follow the first, each time.
    #[arg(long, default_value_t = 200)]
    calls: usize,
    /// End with 1 unless the limits hold that docs/performance.md states.
    #[arg(long)]
    check: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("bench-bootstraps: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<bool, String> {
    let tls = tls::Tls::new()?;
    let aws = aws::serve(&tls).await?;
    let mut subjects: Vec<Subject> = events::bootstraps(&aws)?
        .into_iter()
        .map(|asked| Subject::bootstrap(&options.bootstraps, asked))
        .collect::<Result<_, _>>()?;
    if let Some(python) = &options.python {
        subjects.push(Subject::peer(python, events::api()));
    }
    let mut measured: Vec<Measured> = subjects.iter().map(|subject| Measured::of(&subject.name)).collect();
    // In turns, so that whatever else the machine does meets all of them alike.
    for _ in 0..options.rounds {
        for (subject, measured) in subjects.iter().zip(&mut measured) {
            subject
                .run(&aws, &tls, options.calls, measured)
                .await
                .map_err(|error| format!("{}: {error}", subject.name))?;
        }
    }
    Ok(report::print(&options.bootstraps, &measured) || !options.check)
}
