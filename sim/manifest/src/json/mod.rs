//! JSON: fast when it is right, with places when it is wrong.

mod places;
mod strict;

pub(crate) use self::places::parse;
pub(crate) use self::strict::read;

#[cfg(test)]
mod tests;
