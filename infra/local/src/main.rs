//! `berth-local`: wiring only.

use std::io::IsTerminal;
use std::process::ExitCode;

use berth_api::openapi;
use berth_local::cli::{Cli, Command, OpenapiVersion};
use berth_local::stand_in::ecs::keeper;
use berth_local::{account, console, demo, local, openapi_3_0, state_machine};
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// What is logged without `RUST_LOG`. In process there are no connections to reconsider after an error.
const LOGGED: &str = "error,task=warn,aws_smithy_runtime::client::http::connection_poisoning=off";

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    // https://no-color.org; and a file or a pipe gets no control characters.
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt().with_ansi(colour).with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = match cli.command {
        Some(Command::Keeper) => match keeper::run().await {
            // Not by returning: the runtime would wait for its read of standard input.
            Ok(code) => std::process::exit(code.into()),
            Err(message) => Err(message),
        },
        Some(Command::Token(asked)) => local::token(&asked).await,
        Some(Command::Demo(options)) => demo::run(&options).await,
        Some(Command::Account(options)) => account::run(options).await,
        Some(Command::Openapi(asked)) => document(asked.version).map(|text| console::say(text.trim_end())),
        Some(Command::StateMachine) => state_machine::document().map(|text| console::say(text.trim_end())),
        None => local::run(cli.serve).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("berth-local: {message}");
            ExitCode::FAILURE
        }
    }
}

fn document(version: OpenapiVersion) -> Result<String, String> {
    match version {
        OpenapiVersion::V3_1 => Ok(openapi::document()),
        OpenapiVersion::V3_0 => openapi_3_0::document(),
    }
}
