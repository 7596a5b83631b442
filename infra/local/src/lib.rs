//! Berth on one machine: the stand-in cloud, an interpreter for the state machine, and what `cargo local` wires up.
//!
//! `embedded` puts the whole system together; `account` is the same without Berth. `cloud` is the stand-in for ELBv2, ECS
//! and API Gateway, `authorizer` for the API Gateway in front of Berth; `states` walks the ASL file; `dynamo` is DynamoDB in
//! process; `door` is the one AWS endpoint in front of them, `serve` puts it on a TCP port and `sdk` inside the AWS SDK.

pub mod account;
pub mod authorizer;
pub mod chance;
pub mod cli;
pub mod cloud;
pub mod console;
pub mod critical_path;
pub mod disk;
pub mod door;
pub mod dynamo;
pub mod ec2;
pub mod embedded;
pub mod events;
pub mod faults;
pub mod issuer;
pub mod local;
pub mod sdk;
pub mod serve;
pub mod states;
pub mod sts;
pub mod vanish;
