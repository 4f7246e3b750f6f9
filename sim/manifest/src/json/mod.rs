//! JSON: fast when it is right, with places when it is wrong.

mod places;
mod strict;

pub use self::places::parse;
pub use self::strict::read;

#[cfg(test)]
mod tests;
