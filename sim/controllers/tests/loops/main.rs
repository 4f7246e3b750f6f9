//! The control loops, as a whole, on small made-up clusters.
#![expect(clippy::wildcard_enum_match_arm, reason = "tests look for the requests they mean")]

mod deployment_progress;
mod deployment_scaling;
mod deployment_sync;
mod fixtures;
mod replica_set;
mod rollout_laws;
mod rollout_table;
mod watches;
mod world;
