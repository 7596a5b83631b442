//! The stand-in follows AWS (docs/aws.md), seen through the real SDK.

mod apigateway;
mod chance;
mod ecs;
mod elb;
mod elb_reads;
mod elb_targets;
mod logs;
mod quotas;
mod rates;
mod read_lag;
mod trust;
mod unplayed;
