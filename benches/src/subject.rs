//! One function: a process is started, asked, and ended, and the times are taken.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::Command;

use crate::aws::Aws;
use crate::events::Asked;
use crate::runtime_api::RuntimeApi;
use crate::tls::Tls;

/// What is measured.
pub struct Subject {
    /// Its name in the report.
    pub name: String,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    asked: Asked,
}

/// What was seen of one subject.
#[derive(Debug, Default)]
pub struct Measured {
    /// The subject.
    pub name: String,
    /// From the start of the process until it asks for an event; one for each start.
    pub started: Vec<Duration>,
    /// From handing over the first event until its answer, its first AWS call over TLS included.
    pub first: Vec<Duration>,
    /// From the start of the process until the first answer.
    pub to_first_answer: Vec<Duration>,
    /// From handing over a later event until its answer.
    pub warm: Vec<Duration>,
    /// Resident after all calls, in KiB.
    pub resident: Vec<u64>,
}

impl Measured {
    /// Nothing yet.
    pub fn of(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl Subject {
    /// A release bootstrap.
    pub fn bootstrap(folder: &Path, asked: Asked) -> Result<Self, String> {
        let folder = folder.join(asked.name);
        let program = folder.join("bootstrap");
        let program = program
            .canonicalize()
            .map_err(|error| format!("{}: {error}; make -C infra build ARCH=…", program.display()))?;
        Ok(Self { name: asked.name.to_owned(), program, arguments: Vec::new(), folder, asked })
    }

    /// The same as `api`, written in Python as its users would.
    pub fn peer(python: &Path, asked: Asked) -> Self {
        Self {
            name: "Python peer of api".to_owned(),
            program: python.to_owned(),
            arguments: ["-m", "awslambdaric", "handler.handler"].map(str::to_owned).to_vec(),
            folder: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peer")),
            asked,
        }
    }

    /// Starts it, asks once and then `calls` times more, ends it.
    pub async fn run(&self, aws: &Aws, tls: &Tls, calls: usize, measured: &mut Measured) -> Result<(), String> {
        let mut runtime = RuntimeApi::serve().await?;
        let program = if self.program.is_absolute() || self.program.components().count() == 1 {
            self.program.clone()
        } else {
            std::env::current_dir().map_err(|error| error.to_string())?.join(&self.program)
        };
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::inherit()).kill_on_drop(true).env_clear().envs(environment(&runtime.address, aws, tls));
        command.envs(self.asked.environment.iter().map(|(name, value)| (*name, value.as_str())));
        let began = Instant::now();
        let mut process = command.spawn().map_err(|error| error.to_string())?;
        let asked = runtime.asked().await?;
        measured.started.push(asked.duration_since(began));
        let (first, answer) = runtime.call(&self.asked.event).await?;
        self.check(&answer)?;
        measured.first.push(first);
        measured.to_first_answer.push(asked.duration_since(began) + first);
        runtime.asked().await?;
        for _ in 0..calls {
            let (took, answer) = runtime.call(&self.asked.event).await?;
            self.check(&answer)?;
            measured.warm.push(took);
            runtime.asked().await?;
        }
        measured.resident.push(resident(process.id())?);
        process.kill().await.map_err(|error| error.to_string())
    }

    /// Whether the answer is what a working function gives: a quick refusal is no measure of anything.
    fn check(&self, answer: &[u8]) -> Result<(), String> {
        let value: Value = serde_json::from_slice(answer).map_err(|error| format!("answered no JSON: {error}"))?;
        let found = value.pointer(self.asked.expected.0).unwrap_or(&Value::Null);
        if *found == self.asked.expected.1 { Ok(()) } else { Err(format!("answered {value}")) }
    }
}

fn environment(runtime: &str, aws: &Aws, tls: &Tls) -> Vec<(&'static str, String)> {
    let roots = tls.roots().to_string_lossy().into_owned();
    vec![
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("AWS_LAMBDA_RUNTIME_API", runtime.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_ENDPOINT_URL", aws.url.clone()),
        ("SSL_CERT_FILE", roots.clone()),
        ("AWS_CA_BUNDLE", roots),
        ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true".to_owned()),
        ("BERTH_TABLE", "berth".to_owned()),
        ("BERTH_CLUSTER", "default".to_owned()),
        ("BERTH_SUBNETS", "subnet-1,subnet-2".to_owned()),
        ("BERTH_SECURITY_GROUPS", "sg-1".to_owned()),
        ("BERTH_ALLOWED_SUBNETS", String::new()),
        ("BERTH_ALLOWED_SECURITY_GROUPS", String::new()),
        ("BERTH_ALLOW_PUBLIC_IP", "false".to_owned()),
        ("BERTH_ALLOWED_FAMILIES", "*".to_owned()),
        ("BERTH_ALLOW_UNTAGGED", "true".to_owned()),
        ("BERTH_TASK_ROLES", String::new()),
        ("BERTH_STAGE_URL", "https://{api}.execute-api.us-east-1.amazonaws.com/{stage}".to_owned()),
        ("BERTH_RETENTION_DAYS", "90".to_owned()),
        ("BERTH_MAX_ORPHANS_REMOVED", "10".to_owned()),
        ("BERTH_DEFAULT_ACCESS", "iam".to_owned()),
        ("BERTH_LOOSEST_ACCESS", "iam".to_owned()),
        ("BERTH_ALLOWED_CIDRS", String::new()),
        ("BERTH_STAGE_RATE", "100".to_owned()),
        ("BERTH_STAGE_BURST", "200".to_owned()),
        ("BERTH_WORKER_ROLE", "arn:aws:iam::000000000000:role/bench".to_owned()),
        ("BERTH_STATE_MACHINE", "arn:aws:states:us-east-1:000000000000:stateMachine:berth".to_owned()),
    ]
}

/// The resident memory of a process, in KiB.
fn resident(process: Option<u32>) -> Result<u64, String> {
    let process = process.ok_or("it has ended")?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().map_err(|_| format!("no VmRSS: {line}"))
}
