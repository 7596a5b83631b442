//! The one test binary: `cloud` and `states` show that the stand-in follows AWS, `environments` mirrors the API's paths,
//! `authorizer` asks about tokens as API Gateway does, `workflow` tells whole stories, `faults` breaks them one fault at a
//! time, `random_histories` as chance has it, `causes` recognises what AWS says of failures, `openapi` converts the API's
//! document, `contract` and `template` hold the state machine, the documents, the SAM template and the code together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

/// A third of a simulated history is allocating and freeing; this allocator takes half the time of the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod authorizer;
mod causes;
mod cloud;
mod contract;
mod environments;
mod faults;
mod masking;
mod openapi;
mod random_histories;
mod states;
mod template;
mod workflow;
