//! Automation of the repository: what its tests and tasks share.

pub mod layers;
