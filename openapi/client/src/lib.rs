//! The generated client. What uses it is in `tests`.

#![allow(clippy::all, missing_docs, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/client.rs"));
