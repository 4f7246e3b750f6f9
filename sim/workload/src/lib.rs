//! What containers do: how long they take to start, when they exit, how they stop, what they use, and how their
//! images come to a node. Nothing here has state: behaviours are asked, luck is handed in.

mod behaviours;
mod conduct;
mod curve;
mod defaults;
mod exit;
mod glob;
mod guess;
mod health;
mod image;
mod kind;
mod known;
mod last_words;
mod lasting;
mod load;
mod matching;
mod miss;
mod pace;
mod rule;
mod start_error;
mod usage;
mod warm_up;
mod window;

pub use crate::behaviours::Behaviours;
pub use crate::conduct::{Conduct, Ending};
pub use crate::curve::{Curve, Total};
pub use crate::defaults::Defaults;
pub use crate::exit::{Exit, ExitAfter, Stop};
pub use crate::glob::{Glob, GlobError};
pub use crate::guess::hook_time;
pub use crate::health::{Check, Checks, Health, Probing, Trouble, Via};
pub use crate::image::{Pull, default_policy, effective_policy};
pub use crate::kind::AppKind;
pub use crate::last_words::{LastWords, Words};
pub use crate::lasting::Lasting;
pub use crate::load::{Load, Means};
pub use crate::matching::{Match, NodeMatch, OwnerGlob, Place, Role, Subject, top_owner};
pub use crate::miss::Miss;
pub use crate::pace::Pace;
pub use crate::rule::Rule;
pub use crate::start_error::StartError;
pub use crate::usage::{Resource, Usage};
pub use crate::warm_up::WarmUp;
pub use crate::window::Window;
