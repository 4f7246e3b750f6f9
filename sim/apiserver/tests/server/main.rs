//! The server from outside: requests in, answers and commits out.
#![expect(clippy::needless_pass_by_value, reason = "tests read better with literals as arguments")]
#![expect(clippy::unwrap_used, reason = "what is unwrapped is what the test has just put there")]

mod admission;
mod create;
mod delete;
mod lab;
mod laws;
mod resize;
mod storage;
mod update;
mod watch;
