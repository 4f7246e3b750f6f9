//! How a scheduler is set up.

use std::sync::Arc;

use base::Span;

use crate::config::Configuration;
use crate::cost::Cost;
use crate::extender::{Extenders, Transport};

#[derive(Clone, Debug)]
pub struct Settings {
    pub configuration: Configuration,
    pub cost: Cost,
    /// What a call to an extender takes in virtual time, if it is answered.
    pub extender_latency: Span,
    /// Who carries calls to extenders; there must be someone if the configuration has any.
    pub transport: Option<Arc<dyn Transport>>,
}

impl Settings {
    /// A guess: two messages on one machine, and an extender that looks into its own cache.
    pub const DEFAULT_EXTENDER_LATENCY: Span = Span::millis(5);

    pub fn extenders(&self) -> Extenders {
        Extenders::new(&self.configuration.extenders, self.transport.clone(), self.extender_latency)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            configuration: Configuration::default(),
            cost: Cost::default(),
            extender_latency: Self::DEFAULT_EXTENDER_LATENCY,
            transport: None,
        }
    }
}
