//! The command line of `berth-local`.

use std::path::PathBuf;

use berth_api::cors;
use berth_domain::Team;
use berth_domain::access::{AccessKind, Cidr};
use berth_domain::limits::Limits;
use clap::{Args, Parser, Subcommand, ValueEnum};
use http::HeaderValue;

use super::embedded;

/// The API's default port.
pub const PORT: u16 = 8080;
/// The AWS endpoint's default port.
pub const AWS_PORT: u16 = 4566;
/// The command that berth-local calls itself, for each task with a command.
pub const KEEPER: &str = "keep-task";

/// For how many days deleted environments are kept, if no option says otherwise; the template's default.
pub const RETENTION_DAYS: u32 = 90;

/// Berth on this machine: the API, the workflow and an emulated AWS account, in one process.
#[derive(Debug, Parser)]
#[command(name = "berth-local", version, about)]
pub struct Cli {
    /// A command other than serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of serving.
    #[command(flatten)]
    pub serve: Serve,
}

/// A command other than serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play a first conversation with Berth: create an environment, follow its steps, request its service, delete it.
    Demo(Demo),
    /// Print a token for a team, issued by the running berth-local.
    Token(Token),
    /// Print the API's OpenAPI document; `openapi/openapi.json` and `openapi/openapi-3.0.json` are this.
    Openapi(Openapi),
    /// Print the state machine; `statemachine/environment.asl.json` is this.
    StateMachine,
    /// Serve an AWS account without Berth, for a Berth that is deployed elsewhere (see infra/ministack).
    Account(Account),
    /// Run the command of one task: berth-local calls this itself.
    #[command(name = KEEPER, hide = true)]
    Keeper,
}

/// The options of serving.
#[derive(Debug, Args)]
pub struct Serve {
    /// The API's port; 0 takes any free one.
    #[arg(long, default_value_t = PORT)]
    pub port: u16,
    /// The AWS endpoint's port; 0 takes any free one.
    #[arg(long, default_value_t = AWS_PORT)]
    pub aws_port: u16,
    /// The port of the environments' URLs [default: the AWS endpoint's port + 1]; 0 takes any free one.
    #[arg(long, value_name = "PORT")]
    pub execute_api_port: Option<u16>,
    /// How many times faster than AWS, 0.5 to 200.
    #[arg(long, default_value_t = 20.0, value_parser = speed)]
    pub speed: f64,
    /// The folder that stores environments and resources across restarts.
    #[arg(long, default_value = ".berth", value_name = "DIR")]
    pub data: PathBuf,
    /// Store nothing on disk.
    #[arg(long, conflicts_with = "data")]
    pub ephemeral: bool,
    /// Draw AWS's latencies and ids from this seed, with medians and tails; without a seed, every latency is the
    /// median.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Run COMMAND (by sh, with PORT set) as the task of FAMILY; may be given several times.
    #[arg(long = "task", value_name = "FAMILY=COMMAND", value_parser = task)]
    pub tasks: Vec<(String, String)>,
    /// What requests may ask for.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// For how many days deleted environments are kept, 1 to 3650.
    #[arg(long, value_name = "DAYS", default_value_t = RETENTION_DAYS, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub retention_days: u32,
    /// The origin of web pages that may call the API from a browser (CORS), like http://localhost:3000.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub allowed_origin: Option<HeaderValue>,
    /// Who may reach an environment whose request does not say: iam, cidrs or open. Deployed, the default is iam.
    #[arg(long, value_name = "KIND", default_value_t = AccessKind::Open)]
    pub default_access: AccessKind,
    /// The loosest access that a request may ask for: iam, cidrs or open.
    #[arg(long, value_name = "KIND", default_value_t = AccessKind::Open)]
    pub loosest_access: AccessKind,
    /// A range that requests with access `cidrs` may name, like 203.0.113.0/24; may be given several times. Without any,
    /// they may name every public range. 127.0.0.0/8 lets this machine in.
    #[arg(long = "allowed-cidr", value_name = "CIDR")]
    pub allowed_cidrs: Vec<Cidr>,
}

impl Serve {
    /// The port of the environments' URLs.
    #[must_use]
    pub fn execute_api_port(&self) -> u16 {
        self.execute_api_port.unwrap_or(beside(self.aws_port))
    }
}

/// The port for clients where no option names one: any free one beside an AWS endpoint on any free one.
fn beside(aws_port: u16) -> u16 {
    if aws_port == 0 { 0 } else { aws_port.saturating_add(1) }
}

/// What requests may ask for, beyond the deployment's own network. The options are called as the parameters of the template.
#[derive(Debug, Default, Args)]
pub struct LimitOptions {
    /// A further subnet that requests may name; may be given several times.
    #[arg(long = "allowed-subnet", value_name = "ID")]
    pub subnets: Vec<String>,
    /// A further security group that requests may name; may be given several times.
    #[arg(long = "allowed-security-group", value_name = "ID")]
    pub security_groups: Vec<String>,
    /// Let requests give tasks a public address.
    #[arg(long)]
    pub allow_public_ip: bool,
    /// A family of task definitions that may be run, with * for any text; may be given several times [default: *].
    #[arg(long = "allowed-family", value_name = "PATTERN")]
    pub families: Vec<String>,
    /// The ARN of a further role that task definitions may name, beside the execution role of hello; may be given several times.
    #[arg(long = "task-role", value_name = "ARN")]
    pub task_roles: Vec<String>,
    /// Run only task definitions whose tag berth:team names the team.
    #[arg(long)]
    pub require_team_tag: bool,
}

impl LimitOptions {
    /// The limits of the embedded system with these options.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let own = embedded::default_limits();
        Limits {
            subnets: [own.subnets, self.subnets.clone()].concat(),
            security_groups: [own.security_groups, self.security_groups.clone()].concat(),
            public_ip: self.allow_public_ip,
            families: if self.families.is_empty() { own.families } else { self.families.clone() },
            task_roles: [own.task_roles, self.task_roles.clone()].concat(),
            untagged: !self.require_team_tag,
        }
    }
}

/// The options of serving an account.
#[derive(Debug, Args)]
pub struct Account {
    /// The AWS endpoint's port; 0 takes any free one.
    #[arg(long, default_value_t = AWS_PORT)]
    pub aws_port: u16,
    /// The port of the stages' URLs [default: the AWS endpoint's port + 1]; 0 takes any free one.
    #[arg(long, value_name = "PORT")]
    pub execute_api_port: Option<u16>,
    /// How many times faster than AWS, 0.5 to 200.
    #[arg(long, default_value_t = 20.0, value_parser = speed)]
    pub speed: f64,
    /// Run COMMAND (by sh, with PORT set) as the task of FAMILY; may be given several times.
    #[arg(long = "task", value_name = "FAMILY=COMMAND", value_parser = task)]
    pub tasks: Vec<(String, String)>,
}

impl Account {
    /// The port of the stages' URLs.
    #[must_use]
    pub fn execute_api_port(&self) -> u16 {
        self.execute_api_port.unwrap_or(beside(self.aws_port))
    }
}

/// The options of the demo: where a berth-local runs. If none runs there, the demo starts one.
#[derive(Debug, Args)]
pub struct Demo {
    /// The API's port of the running berth-local [default: 8080].
    #[arg(long)]
    pub port: Option<u16>,
    /// The AWS endpoint's port of the running berth-local [default: 4566].
    #[arg(long)]
    pub aws_port: Option<u16>,
}

/// The options of a token.
#[derive(Debug, Args)]
pub struct Token {
    /// The team.
    #[arg(long, value_parser = team)]
    pub team: Team,
    /// Issue the token for the operator role.
    #[arg(long)]
    pub operator: bool,
    /// The AWS endpoint's port of the berth-local that is running.
    #[arg(long, default_value_t = AWS_PORT)]
    pub aws_port: u16,
}

/// The options of the OpenAPI document.
#[derive(Debug, Args)]
pub struct Openapi {
    /// The version of OpenAPI.
    #[arg(long, value_enum, default_value_t = OpenapiVersion::V3_1)]
    pub version: OpenapiVersion,
}

/// The versions of OpenAPI in which the document is available.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OpenapiVersion {
    /// As the routes describe it.
    #[value(name = "3.1")]
    V3_1,
    /// Converted, for tools that read no newer version.
    #[value(name = "3.0")]
    V3_0,
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    cors::parse_origin(text)?.ok_or_else(|| "must be an origin like http://localhost:3000".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.5..=200.0).contains(&speed) { Ok(speed) } else { Err("must be 0.5 to 200".to_owned()) }
}

fn task(text: &str) -> Result<(String, String), String> {
    let (family, command) = text.split_once('=').ok_or("must be FAMILY=COMMAND")?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if family.is_empty() || family.len() > 255 || !family.bytes().all(letter) {
        return Err("FAMILY must be 1 to 255 letters, digits, hyphens and underscores".to_owned());
    }
    if command.trim().is_empty() {
        return Err("COMMAND must not be empty".to_owned());
    }
    Ok((family.to_owned(), command.to_owned()))
}

fn team(text: &str) -> Result<Team, String> {
    text.parse().map_err(|_| "must be 1 to 40 lower-case letters, digits and inner hyphens".to_owned())
}
