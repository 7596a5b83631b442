//! The table that docs/performance.md holds, and whether the limits stated there hold.

use std::path::Path;
use std::time::Duration;

use crate::subject::Measured;

/// The largest zip of `api`, in bytes.
const LARGEST_ZIP: u64 = 4_500_000;
/// The longest from spawn to the first `/next` of `api`, at its quickest: slower starts are the machine's doing.
const LONGEST_START: Duration = Duration::from_millis(20);
/// The most that `api` may keep resident, in KiB.
const MOST_RESIDENT: u64 = 15 * 1024;
/// How many times quicker than the peer the first answer must be there, median against median.
const LEAST_RATIO: f64 = 25.0;

/// Prints the table, and what does not hold; whether all of it holds.
pub fn print(bootstraps: &Path, measured: &[Measured]) -> bool {
    println!(
        "| function | zip | spawn to /next (best, median) | first answer (best, median) | spawn to first answer (median) | warm p50 | warm p99 | resident |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for one in measured {
        let zip =
            zip_size(bootstraps, &one.name).map_or_else(|| "-".to_owned(), |size| format!("{:.2} MB", megabytes(size)));
        println!(
            "| {} | {zip} | {}, {} | {}, {} | {} | {} | {} | {:.1} MiB |",
            one.name,
            millis(at(&one.started, 0.0)),
            millis(at(&one.started, 0.5)),
            millis(at(&one.first, 0.0)),
            millis(at(&one.first, 0.5)),
            millis(at(&one.to_first_answer, 0.5)),
            millis(at(&one.warm, 0.5)),
            millis(at(&one.warm, 0.99)),
            mebibytes(largest(one)),
        );
    }
    let wrong = wrong(bootstraps, measured);
    for what in &wrong {
        println!("does not hold: {what}");
    }
    wrong.is_empty()
}

fn wrong(bootstraps: &Path, measured: &[Measured]) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(api) = measured.iter().find(|one| one.name == "api") else {
        return vec!["api was not measured".to_owned()];
    };
    match zip_size(bootstraps, "api") {
        Some(size) if size <= LARGEST_ZIP => {}
        Some(size) => wrong.push(format!("api.zip is {:.2} MB", megabytes(size))),
        None => wrong.push("there is no api.zip".to_owned()),
    }
    if at(&api.started, 0.0) > LONGEST_START {
        wrong.push(format!("api takes {} to its first /next", millis(at(&api.started, 0.0))));
    }
    if largest(api) > MOST_RESIDENT {
        wrong.push(format!("api keeps {:.1} MiB", mebibytes(largest(api))));
    }
    if let Some(peer) = measured.iter().find(|one| one.name.starts_with("Python")) {
        let ratio = at(&peer.to_first_answer, 0.5).as_secs_f64() / at(&api.to_first_answer, 0.5).as_secs_f64();
        println!("spawn to first answer: {ratio:.0} times quicker than the Python peer (medians of one run)");
        if ratio < LEAST_RATIO {
            wrong.push(format!("only {ratio:.1} times quicker than the peer"));
        }
    }
    wrong
}

/// The value below which `share` of them lie.
fn at(durations: &[Duration], share: f64) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

fn largest(one: &Measured) -> u64 {
    one.resident.iter().copied().max().unwrap_or_default()
}

fn zip_size(bootstraps: &Path, name: &str) -> Option<u64> {
    std::fs::metadata(bootstraps.join(format!("{name}.zip"))).ok().map(|file| file.len())
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

#[allow(clippy::cast_precision_loss)]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[allow(clippy::cast_precision_loss)]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
