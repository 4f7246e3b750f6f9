//! What is asked of nodes and said of them, rule by rule.

mod advancing;
mod hinting;
mod rules;
