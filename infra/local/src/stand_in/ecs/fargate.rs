//! Fargate's sizes: which memory is valid with which CPU, and how both are written.

use super::input::client;
use crate::stand_in::refusal::Refusal;

/// CPU units of `"256"`, `".25 vCPU"`, `"1vcpu"`.
fn cpu_units(text: &str) -> Option<u32> {
    match text.trim().to_lowercase().strip_suffix("vcpu") {
        Some(number) => Some((number.trim().parse::<f64>().ok()? * 1024.0) as u32),
        None => text.trim().parse().ok(),
    }
}

/// MiB of `"512"`, `"0.5 GB"`, `"1gb"`.
fn mebibytes(text: &str) -> Option<u32> {
    match text.trim().to_lowercase().strip_suffix("gb") {
        Some(number) => Some((number.trim().parse::<f64>().ok()? * 1024.0) as u32),
        None => text.trim().parse().ok(),
    }
}

/// CPU units and MiB, if Fargate has such tasks.
pub(super) fn size(cpu: &str, memory: &str) -> Result<(u32, u32), Refusal> {
    let no_such = || {
        client(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for valid Fargate task CPU and memory combinations."
        ))
    };
    let (units, memory) = cpu_units(cpu).zip(mebibytes(memory)).ok_or_else(no_such)?;
    let steps = |from: u32, to: u32, step: u32| {
        let gigabytes = memory / 1024;
        memory.is_multiple_of(1024) && (from..=to).contains(&gigabytes) && (gigabytes - from).is_multiple_of(step)
    };
    let fits = match units {
        256 => [512, 1024, 2048].contains(&memory),
        512 => steps(1, 4, 1),
        1024 => steps(2, 8, 1),
        2048 => steps(4, 16, 1),
        4096 => steps(8, 30, 1),
        8192 => steps(16, 60, 4),
        16384 => steps(32, 120, 8),
        32768 => [60, 120, 244].map(|gigabytes| gigabytes * 1024).contains(&memory),
        _ => false,
    };
    if fits { Ok((units, memory)) } else { Err(no_such()) }
}
