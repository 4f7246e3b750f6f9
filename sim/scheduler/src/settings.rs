//! How a scheduler is set up.

use crate::config::Configuration;
use crate::cost::Cost;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub configuration: Configuration,
    pub cost: Cost,
}
