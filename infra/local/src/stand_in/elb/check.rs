//! One health check: a TCP connection, or a GET whose status the matcher has. `targets` draws the consequences.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::health_check::{self, Probe};
use super::targets::{self, Registration};
use crate::stand_in::Cloud;
use crate::stand_in::net::{Address, Stream};

/// A check to perform.
#[derive(Clone, Debug)]
pub struct Check {
    pub(super) registration: Registration,
    pub(super) address: Address,
    pub(super) probe: Probe,
    /// The check's timeout on this clock.
    pub(super) time_limit: Duration,
    pub(super) begun: Timestamp,
}

/// Performs the check and reports its result.
pub(super) async fn perform(cloud: &Cloud, check: Check) {
    let passed = tokio::time::timeout(check.time_limit, passes(cloud, &check)).await;
    let passed = matches!(passed, Ok(Ok(true)));
    cloud.change(|account| targets::checked(account, check.registration, check.begun, passed));
}

async fn passes(cloud: &Cloud, check: &Check) -> io::Result<bool> {
    let stream = cloud.net().connect(&check.address).await?;
    match &check.probe {
        Probe::Tcp => Ok(true),
        Probe::Http { path, matcher } => {
            let status = get(stream, &check.address, path).await?;
            Ok(status.is_some_and(|status| health_check::matches(matcher, status)))
        }
    }
}

/// The status of the reply. Only the status line is read: the rest does not count, and checks must be cheap.
async fn get(mut stream: Stream, (ip, port): &Address, path: &str) -> io::Result<Option<u16>> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {ip}:{port}\r\nUser-Agent: ELB-HealthChecker/2.0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut start = [0_u8; 12];
    stream.read_exact(&mut start).await?;
    let start = String::from_utf8_lossy(&start);
    let mut words = start.split(' ');
    let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
    Ok(words.next().filter(|_| is_http).and_then(|status| status.parse().ok()))
}
