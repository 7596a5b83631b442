//! Stories that are broken on purpose, each file in its own way. After every one of them all invariants must hold
//! (`tests/src/invariants.rs`) and the user's next action must work. Drawn at random, and mixed, it is `random_histories`.

mod arrivals;
mod crashes;
mod every_call;
mod every_step_twice;
mod interrupted;
mod known_replies;
mod stale_calls;
mod undos;
