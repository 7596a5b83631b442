//! Random histories: several environments of two teams, drawn faults, drawn requests at drawn moments. `BERTH_SEEDS=n`
//! says how many (20 otherwise), `BERTH_FIRST_SEED=k` where they begin (1 otherwise). A history that fails is printed
//! with its seed, what was to happen in it, what came to pass, and the command that repeats it.
//!
//! `plan` draws what happens, `play` lets it happen and looks whether all is well afterwards.

mod plan;
mod play;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use play::{History, play};

/// How many histories an ordinary run plays.
const SEEDS: u64 = 20;

fn number(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")),
        Err(_) => otherwise,
    }
}

/// Plays one seed in a runtime of its own, in virtual time; a panic is a violation too.
fn played(seed: u64) -> History {
    let run = || {
        // The SDK draws the jitter of its retries from this thread's generator.
        fastrand::seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(play(seed))
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        History::panicked(text.unwrap_or_else(|| "a panic without words".to_owned()))
    })
}

#[test]
fn whatever_happens_every_environment_ends_well_and_nothing_is_left() {
    let (first, count) = (number("BERTH_FIRST_SEED", 1), number("BERTH_SEEDS", SEEDS));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(first);
    let bad: Mutex<Vec<(u64, History)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let history = played(seed);
                    if !history.wrong.is_empty() {
                        bad.lock().expect("histories catch their panics").push((seed, history));
                    }
                }
            });
        }
    });
    let mut bad = bad.into_inner().expect("histories catch their panics");
    bad.sort_by_key(|(seed, _)| *seed);
    for (seed, history) in &bad {
        eprintln!("\nseed {seed}: {}", history.wrong.join("\n    "));
        eprintln!("{}", history.log.join("\n"));
        eprintln!("  again: BERTH_FIRST_SEED={seed} BERTH_SEEDS=1 cargo test -p tests --test it random_histories");
    }
    let seeds: Vec<u64> = bad.iter().map(|(seed, _)| *seed).collect();
    assert!(seeds.is_empty(), "{} of {count} histories from seed {first} went wrong: {seeds:?}", seeds.len());
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [3, 1_000_003] {
        let (first, second) = (played(seed), played(seed));
        assert_eq!(first.log, second.log, "seed {seed}");
        assert!(first.log.len() > 10, "seed {seed} has a history: {:#?}", first.log);
    }
}
