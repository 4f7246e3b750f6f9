//! The addresses of pods: the next free one of the node's range.
//!
//! Upstream: the `host-local` plugin of `containernetworking/plugins`, which goes round the range so that an address
//! rests for a while before it is used again.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use base::Name;

use crate::text::dotted;

/// The range of a node: `10.244.3.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodCidr {
    base: u32,
    /// How many addresses there are.
    size: u32,
}

/// Why a text is not a range of addresses that pods can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    #[error("`{0}` is not a range of IPv4 addresses; write one such as `10.244.3.0/24`")]
    Malformed(String),
    #[error("`{0}` has no room for pods; its prefix must be 8 to 29 bits long")]
    Size(String),
}

impl FromStr for PodCidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let malformed = || CidrError::Malformed(text.into());
        let (address, prefix) = text.split_once('/').ok_or_else(malformed)?;
        let address: Ipv4Addr = address.parse().map_err(|_| malformed())?;
        let prefix: u32 = prefix.parse().map_err(|_| malformed())?;
        if !(8..=29).contains(&prefix) {
            return Err(CidrError::Size(text.into()));
        }
        let size = 1 << (32 - prefix);
        Ok(Self { base: u32::from(address) & !(size - 1), size })
    }
}

impl fmt::Display for PodCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), 32 - self.size.trailing_zeros())
    }
}

/// Which addresses of a range are taken.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    cidr: PodCidr,
    /// Given out last, counted from the start of the range. The first two are the network and the bridge.
    last: u32,
    taken: BTreeSet<u32>,
}

const FIRST: u32 = 2;

impl Addresses {
    pub(crate) fn new(cidr: PodCidr) -> Self {
        Self { cidr, last: FIRST - 1, taken: BTreeSet::new() }
    }

    /// `None` when all are taken.
    pub(crate) fn take(&mut self) -> Option<Name> {
        let end = self.cidr.size - 1; // The last one is for broadcasts.
        let round = (self.last + 1..end).chain(FIRST..=self.last);
        let free = round.into_iter().find(|it| !self.taken.contains(it))?;
        self.taken.insert(free);
        self.last = free;
        Some(self.text(free))
    }

    /// Marks an address as taken that a pod has had from before. Whether it is one of the range, and was free.
    pub(crate) fn claim(&mut self, address: &str) -> bool {
        let Some(offset) = self.offset(address) else { return false };
        self.last = self.last.max(offset);
        self.taken.insert(offset)
    }

    pub(crate) fn release(&mut self, address: &str) {
        if let Some(offset) = self.offset(address) {
            self.taken.remove(&offset);
        }
    }

    fn offset(&self, address: &str) -> Option<u32> {
        let address: Ipv4Addr = address.parse().ok()?;
        u32::from(address).checked_sub(self.cidr.base).filter(|it| (FIRST..self.cidr.size - 1).contains(it))
    }

    fn text(&self, offset: u32) -> Name {
        Name::new(&*dotted((self.cidr.base + offset).to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_round_the_range() {
        let mut addresses = Addresses::new("10.244.3.0/29".parse().unwrap());
        let taken: Vec<_> = (0..5).map(|_| addresses.take().unwrap()).collect();
        assert_eq!(taken, ["10.244.3.2", "10.244.3.3", "10.244.3.4", "10.244.3.5", "10.244.3.6"]);
        assert_eq!(addresses.take(), None);
        addresses.release("10.244.3.5");
        addresses.release("10.244.3.3");
        assert_eq!(addresses.take().unwrap(), "10.244.3.3");
        assert_eq!(addresses.take().unwrap(), "10.244.3.5");
    }

    #[test]
    fn ranges_are_checked() {
        assert_eq!("10.244.3.77/24".parse::<PodCidr>().unwrap().to_string(), "10.244.3.0/24");
        for wrong in ["", "10.244.3.0", "10.244/16", "10.244.3.0/x", "10.244.3.0/31", "fd00::/64"] {
            assert!(wrong.parse::<PodCidr>().is_err(), "{wrong}");
        }
    }
}
