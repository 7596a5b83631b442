//! The stand-in follows AWS (aws-facts.md), seen through the real SDK.

mod apigateway;
mod ecs;
mod elb;
mod elb_targets;
mod logs;
