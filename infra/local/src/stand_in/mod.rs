//! The stand-in of AWS: ELBv2, ECS and API Gateway with AWS's life cycles, refusals and latencies, and a data path that
//! carries real bytes (stage URL → VPC link → NLB listener → task); and of CloudWatch Logs, DynamoDB, EC2 and STS what
//! clients need.
//!
//! - [`Cloud`] is the handle. Its state is one [`Account`](account::Account), changed only inside [`Cloud::change`],
//!   which first handles the events that are due.
//! - What takes time is an [`Event`](account::Event) in the schedule of the [`engine`]. What needs I/O (a listener, a
//!   process, a health check) is an [`Effect`](account::Effect), carried out after the change and reported back through
//!   another change.
//! - One folder or file per service, described for the rest of the crate by its `SERVICE`. What their calls share is
//!   beside them: `rates`, `quotas`, `read_lag`, `refusal`, and the latencies of `profile`.
//!
//! A new service is a folder, its `mod` line here and its line in `crate::endpoint::services`. One with a state of its own
//! is also a field of [`Account`](account::Account), in `account`. The AWS endpoint is in `crate::endpoint`.

pub mod access_keys;
pub mod account;
pub mod apigateway;
mod cloud;
pub mod dynamo;
pub mod ec2;
pub mod ecs;
pub mod elb;
pub mod engine;
pub(crate) mod identity;
pub mod logs;
pub mod net;
pub mod profile;
pub mod quotas;
pub mod rates;
mod read_lag;
pub mod refusal;
pub mod service;
pub mod sts;
mod transact_tokens;

pub use cloud::{Cloud, Options};
pub use identity::{ACCOUNT, REGION};
