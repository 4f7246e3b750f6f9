//! One entry of a scenario's `behaviours`.

use std::sync::Arc;

use api::Quantity;
use serde::{Deserialize, Deserializer, de};

use crate::exit::{Exit, Stop};
use crate::image::Pull;
use crate::lasting::Lasting;
use crate::matching::Match;
use crate::usage::Usage;

/// What the containers that it matches do. What it leaves out is as for containers that no rule matches.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rule {
    #[serde(rename = "match")]
    pub matching: Match,
    /// From the start of the process until it passes its probes.
    pub startup: Option<Lasting>,
    pub exit: Option<Exit>,
    pub stop: Option<Stop>,
    #[serde(deserialize_with = "shared")]
    pub usage: Arc<Usage>,
    pub pull: Option<Pull>,
}

fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Usage>, D::Error> {
    Usage::deserialize(deserializer).map(Arc::new)
}

/// A quantity that is not negative.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Quantity>, D::Error> {
    let quantity = Quantity::deserialize(deserializer)?;
    if quantity.is_negative() {
        return Err(de::Error::custom(format_args!("`{quantity}` is negative; it must be 0 or more")));
    }
    Ok(Some(quantity))
}
