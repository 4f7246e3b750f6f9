//! One entry of a scenario's `behaviours`.

use std::sync::Arc;

use api::Quantity;
use serde::{Deserialize, Deserializer, de};

use crate::exit::{Exit, Stop};
use crate::health::Health;
use crate::image::Pull;
use crate::kind::AppKind;
use crate::lasting::Lasting;
use crate::load::Load;
use crate::matching::Match;
use crate::start_error::StartError;
use crate::usage::Usage;
use crate::warm_up::WarmUp;

/// What the containers that it matches do. What it leaves out is as its `kind` has it, then as is guessed from the
/// image, then as for all containers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rule {
    #[serde(rename = "match")]
    pub matching: Match,
    /// A ready-made application.
    pub kind: Option<AppKind>,
    /// From the start of the process until it listens, and passes its probes.
    pub startup: Option<Lasting>,
    /// Why it does not start at all.
    pub start_error: Option<StartError>,
    pub exit: Option<Exit>,
    pub stop: Option<Stop>,
    #[serde(deserialize_with = "shared")]
    pub usage: Arc<Usage>,
    pub pull: Option<Pull>,
    /// What its probes find.
    #[serde(deserialize_with = "some")]
    pub health: Option<Arc<Health>>,
    /// The requests that come to it.
    #[serde(deserialize_with = "some")]
    pub load: Option<Arc<Load>>,
    /// How much more work its requests are at first.
    pub warm_up: Option<WarmUp>,
}

impl Rule {
    /// With what its kind says where it says nothing.
    pub(crate) fn with_kind(mut self) -> Self {
        let Some(kind) = self.kind.map(AppKind::rule) else { return self };
        self.startup = self.startup.or(kind.startup);
        self.exit = self.exit.or(kind.exit);
        self.stop = self.stop.or(kind.stop);
        self.usage = self.usage.over(&kind.usage);
        self.warm_up = self.warm_up.or(kind.warm_up);
        self
    }
}

fn shared<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
    T::deserialize(deserializer).map(Arc::new)
}

fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Arc<T>>, D::Error> {
    shared(deserializer).map(Some)
}

/// A quantity that is not negative.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Quantity>, D::Error> {
    let quantity = Quantity::deserialize(deserializer)?;
    if quantity.is_negative() {
        return Err(de::Error::custom(format_args!("`{quantity}` is negative; it must be 0 or more")));
    }
    Ok(Some(quantity))
}
