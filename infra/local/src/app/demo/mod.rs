//! `cargo local demo`: the README's conversation, call by call. `server` finds the berth-local, `conversation` is the story,
//! and `session` makes its calls: `shell` writes each as a curl line, `view` has the fields that the demo reads of an answer,
//! `screen` prints.

mod conversation;
mod screen;
mod server;
mod session;
mod shell;
mod view;

use std::sync::Arc;

use tokio::sync::Notify;

use self::conversation::Conversation;
use self::server::{Found, Ports};
use super::{cli, local};

/// Why the conversation ended, after Ctrl-C or SIGTERM.
const STOPPED: &str = "stopped by Ctrl-C";

/// Plays the conversation with the berth-local at the ports of `options`; if none runs there, starts one and stops it
/// afterwards.
///
/// # Errors
/// One line that says why the conversation ended early. The demo has then deleted its environment, or printed how to.
pub async fn run(options: &cli::Demo) -> Result<(), String> {
    let stopped = Arc::new(Notify::new());
    let stop = Arc::clone(&stopped);
    tokio::spawn(async move {
        if local::stop_signal().await.is_ok() {
            stop.notify_one();
        }
    });
    let found = tokio::select! {
        found = server::find_server(options) => found?,
        () = stopped.notified() => return Err(STOPPED.to_owned()),
    };
    match found {
        Found::Running(ports) => Conversation::new(ports, stopped).play(None).await,
        Found::None(why) => {
            let server = local::start(&server::own_options()).await?;
            let ports = Ports { api: server.api_port, aws: server.aws_port };
            server.serve_until(Conversation::new(ports, stopped).play(Some(&why))).await
        }
    }
}
