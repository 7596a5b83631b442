//! Images that fail on purpose, each in one way that AWS knows (docs/aws.md#why-tasks-stop): `unpullable/…` and
//! `berth/secretless` never start, `berth/exits:N` and `berth/oom` end at once, `berth/deaf` runs and listens nowhere.

use super::lifecycle::Exit;

/// Why a task with this image never reaches RUNNING.
pub(super) fn at_start(image: &str) -> Option<String> {
    if image.starts_with("unpullable/") {
        let tag = if image.contains(':') { "" } else { ":latest" };
        return Some(format!(
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/{image}{tag}: pull access denied, repository does not exist or may require authorization"
        ));
    }
    is(image, "berth/secretless").then(|| {
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.".to_owned()
    })
}

/// How a program of this image ends as soon as it has started.
pub(super) fn at_once(image: &str) -> Option<Exit> {
    if let Some(code) = image.strip_prefix("berth/exits:") {
        return Some(Exit::with(code.parse().unwrap_or(1)));
    }
    let reason = "OutOfMemoryError: Container killed due to memory usage";
    is(image, "berth/oom").then(|| Exit { reason: Some(reason.to_owned()), ..Exit::with(137) })
}

/// The lines that a program of this image writes: how it ends, or where it claims to listen.
pub(super) fn lines(image: &str) -> Vec<String> {
    let exits = image
        .strip_prefix("berth/exits:")
        .map(|code| format!("berth/exits: ending with code {code}, as the image says"));
    let deaf = image.strip_prefix("berth/deaf:").map(|address| format!("Listening on {address}"));
    exits.into_iter().chain(deaf).collect()
}

/// Whether a program of this image listens nowhere.
pub(super) fn is_deaf(image: &str) -> bool {
    is(image, "berth/deaf")
}

/// Whether `image` is `name`, with or without a tag.
fn is(image: &str, name: &str) -> bool {
    image.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}
