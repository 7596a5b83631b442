//! Whole stories, walked over the real state machine with real SDK clients in virtual time.

mod audit;
mod delete;
mod failure;
mod interrupted;
mod janitor;
mod limits;
mod pacing;
mod proof;
mod provision;
mod restart;
mod tags;
