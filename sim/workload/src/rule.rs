//! One entry of a scenario's `behaviours`.

use api::Quantity;
use serde::{Deserialize, Deserializer, de};

use crate::exit::{Exit, Stop};
use crate::image::Pull;
use crate::lasting::Lasting;
use crate::matching::Match;

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
    pub usage: Usage,
    pub pull: Option<Pull>,
}

/// What a running container uses; nothing where it is left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Usage {
    /// In cores.
    #[serde(deserialize_with = "amount")]
    pub cpu: Option<Quantity>,
    /// The working set, in bytes.
    #[serde(deserialize_with = "amount")]
    pub memory: Option<Quantity>,
}

/// A quantity that is not negative.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Quantity>, D::Error> {
    let quantity = Quantity::deserialize(deserializer)?;
    if quantity.is_negative() {
        return Err(de::Error::custom(format_args!("`{quantity}` is negative; it must be 0 or more")));
    }
    Ok(Some(quantity))
}
