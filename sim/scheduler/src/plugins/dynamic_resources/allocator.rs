//! Looks for devices that meet all claims of a pod at once, on one node: all devices are tried for each request in
//! turn, with steps back, and the first way that works is taken.
//!
//! Upstream: `staging/src/k8s.io/dynamic-resource-allocation/structured/internal/experimental/allocator_experimental.go`
//! (the only one that supports the default features of v1.34).

use std::collections::{BTreeMap, BTreeSet};

use api::AllocationResult;
use base::Name;

use crate::device_selector::DeviceSelector;
use crate::devices::Devices;
use crate::node_info::NodeInfo;
use crate::objects::Objects;
use crate::plugins::dynamic_resources::constraint::{MatchAttribute, Purpose};
use crate::plugins::dynamic_resources::pending::{Ask, PendingClaim, Request};
use crate::plugins::dynamic_resources::pools::{self, Candidate, Pool};
use crate::plugins::dynamic_resources::result;

/// A claim cannot have more devices. Upstream: `AllocationResultsMaxSize`.
const DEVICES_MAX: usize = 32;

/// One result for each claim; `None` if the node cannot meet them. What is wrong with a claim, class or pool is an
/// error.
pub(super) fn allocate(
    claims: &[PendingClaim],
    node: &NodeInfo,
    objects: &Objects,
) -> Result<Option<Vec<AllocationResult>>, Name> {
    let pools = pools::gather(node, objects);
    let mut search = Search::new(claims, &pools, objects.devices());
    search.size_up()?;
    match search.allocate_one(Place::default(), false) {
        Ok(true) => {
            let allocated = claims.iter().zip(&search.chosen).zip(&search.selected);
            let results = allocated.map(|((claim, devices), selected)| {
                result::of(claim, devices, selected, node.name(), &pools)
            });
            results.collect::<Result<Vec<_>, Name>>().map(Some)
        }
        Ok(false) | Err(Stop::TooMany) => Ok(None),
        Err(Stop::Error(error)) => Err(error),
    }
}

/// A device that was chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) request: usize,
    pub(super) ask: usize,
    pub(super) spot: Spot,
}

/// Where a device is: the position of its pool, and its own in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) pool: usize,
    pub(super) device: usize,
}

/// Which device is looked for: positions all of them.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    claim: usize,
    request: usize,
    ask: usize,
    device: usize,
}

type AskKey = (usize, usize, usize);

struct Search<'a> {
    claims: &'a [PendingClaim],
    pools: &'a [Pool<'a>],
    devices: &'a Devices,
    wanted: BTreeMap<AskKey, Wanted>,
    /// By claim.
    constraints: Vec<Vec<MatchAttribute<'a>>>,
    chosen: Vec<Vec<Chosen>>,
    /// By claim and request: the way to meet it that was taken.
    selected: Vec<Vec<usize>>,
    /// The claims for which a device was chosen.
    users: BTreeMap<Spot, BTreeSet<usize>>,
    selectable: BTreeMap<(AskKey, Spot), bool>,
}

/// How many devices are needed, and which, if that is all of them.
#[derive(Clone, Debug)]
struct Wanted {
    count: usize,
    all: Vec<Spot>,
}

enum Stop {
    /// More devices than a claim can have, whichever they are. Upstream: `errAllocationResultMaxSizeExceeded`.
    TooMany,
    Error(Name),
}

impl From<Name> for Stop {
    fn from(error: Name) -> Self {
        Self::Error(error)
    }
}

impl<'a> Search<'a> {
    fn new(claims: &'a [PendingClaim], pools: &'a [Pool<'a>], devices: &'a Devices) -> Self {
        Self {
            claims,
            pools,
            devices,
            wanted: BTreeMap::new(),
            constraints: Vec::with_capacity(claims.len()),
            chosen: vec![Vec::new(); claims.len()],
            selected: claims.iter().map(|it| vec![0; it.requests.len()]).collect(),
            users: BTreeMap::new(),
            selectable: BTreeMap::new(),
        }
    }

    /// How many devices are needed; whether the claims make sense.
    fn size_up(&mut self) -> Result<(), Name> {
        for (idx, claim) in self.claims.iter().enumerate() {
            let mut least_of_claim = 0_usize;
            for request in 0..claim.requests.len() {
                least_of_claim = least_of_claim.saturating_add(self.size_up_request(idx, request)?);
            }
            if least_of_claim > DEVICES_MAX {
                return Err(Name::from(format_args!(
                    "claim {}: number of requested devices {least_of_claim} exceeds the claim limit of {DEVICES_MAX}",
                    claim.full_name
                )));
            }
            self.constraints.push(constraints_of(claim)?);
        }
        self.selectable.clear();
        Ok(())
    }

    /// The least number of devices that can meet the request.
    fn size_up_request(&mut self, claim: usize, request: usize) -> Result<usize, Name> {
        let asks = self.claims[claim].requests[request].asks.len();
        let mut least = usize::MAX;
        for ask in 0..asks {
            // Upstream takes down what it finds under the ask before this one, and so the second one of a list
            // that wants all devices gets those which the first one selects, if that wants all, too.
            let noted_as = (claim, request, ask.saturating_sub(1));
            let wanted = self.want((claim, request, ask), noted_as)?;
            least = least.min(wanted.count);
            self.wanted.insert((claim, request, ask), wanted);
        }
        Ok(least)
    }

    /// Upstream: `validateDeviceRequest`.
    fn want(&mut self, key: AskKey, noted_as: AskKey) -> Result<Wanted, Name> {
        let (claim, ask) = (&self.claims[key.0], self.ask(key));
        let wrong = |what: std::fmt::Arguments<'_>| {
            Name::from(format_args!("claim {}, request {}: {what}", claim.full_name, ask.name))
        };
        if !ask.wants_all() {
            if ask.mode != api::DeviceAllocationMode::ExactCount {
                return Err(wrong(format_args!("unsupported count mode {}", ask.mode)));
            }
            return Ok(Wanted { count: ask.count, all: Vec::new() });
        }
        let mut all = Vec::new();
        for (idx, pool) in self.pools.iter().enumerate() {
            let name = format_args!("{}/{}", pool.driver, pool.name);
            let asks = "asks for all devices, but resource pool";
            if pool.is_incomplete {
                return Err(wrong(format_args!("{asks} {name} is currently being updated")));
            }
            if pool.duplicate.is_some() {
                return Err(wrong(format_args!("{asks} {name} is currently invalid")));
            }
            for device in 0..pool.devices.len() {
                let spot = Spot { pool: idx, device };
                if self.is_selectable(noted_as, ask, claim, spot)? {
                    all.push(spot);
                }
            }
        }
        Ok(Wanted { count: all.len(), all })
    }

    /// Finds the device for `place`, and for all that comes after it. `is_decided` says that the way to meet the
    /// request is already chosen.
    fn allocate_one(&mut self, place: Place, is_decided: bool) -> Result<bool, Stop> {
        let Some(claim) = self.claims.get(place.claim) else { return Ok(true) };
        let Some(request) = claim.requests.get(place.request) else {
            let next = Place { claim: place.claim + 1, ..Place::default() };
            return match self.allocate_one(next, false) {
                Err(Stop::TooMany) => Ok(false), // An earlier claim may be met in another way.
                outcome => outcome,
            };
        };
        if request.is_list && !is_decided {
            return self.allocate_first_of(place, request);
        }
        let wanted = &self.wanted[&place.key()];
        let wants_all = request.asks[place.ask].wants_all();
        if wants_all && wanted.all.is_empty() {
            return Ok(false);
        }
        if place.device >= wanted.count {
            let next = Place { claim: place.claim, request: place.request + 1, ..Place::default() };
            return self.allocate_one(next, false);
        }
        if self.chosen[place.claim].len() + wanted.count - place.device > DEVICES_MAX {
            return Err(Stop::TooMany);
        }
        if wants_all {
            let spot = wanted.all[place.device];
            self.allocate_this(place, is_decided, spot)
        } else {
            self.allocate_any(place, is_decided)
        }
    }

    fn allocate_first_of(&mut self, place: Place, request: &Request) -> Result<bool, Stop> {
        let mut too_many = true;
        for ask in 0..request.asks.len() {
            match self.allocate_one(Place { ask, ..place }, true) {
                Ok(true) => {
                    self.selected[place.claim][place.request] = ask;
                    return Ok(true);
                }
                Ok(false) => too_many = false,
                Err(Stop::TooMany) => (),
                Err(error) => return Err(error),
            }
        }
        if too_many { Err(Stop::TooMany) } else { Ok(false) }
    }

    /// Where all devices are wanted, it is this one or none.
    fn allocate_this(&mut self, place: Place, is_decided: bool, spot: Spot) -> Result<bool, Stop> {
        if !self.choose(place, spot, true)? {
            return Ok(false);
        }
        // Upstream forgets here which way of a list it is on, and goes on with the first one.
        let next = Place { ask: 0, device: place.device + 1, ..place };
        let outcome = self.allocate_one(next, is_decided);
        if !matches!(outcome, Ok(true)) {
            self.give_back(place, spot);
        }
        outcome
    }

    fn allocate_any(&mut self, place: Place, is_decided: bool) -> Result<bool, Stop> {
        for (idx, pool) in self.pools.iter().enumerate() {
            if let Some(name) = pool.duplicate {
                let why = format_args!("duplicate device name {name}");
                return Err(Name::from(format_args!("pool {} is invalid: {why}", pool.name)).into());
            }
            for device in 0..pool.devices.len() {
                let spot = Spot { pool: idx, device };
                if self.try_device(place, is_decided, spot)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn try_device(&mut self, place: Place, is_decided: bool, spot: Spot) -> Result<bool, Stop> {
        let (claim, ask) = (&self.claims[place.claim], self.ask(place.key()));
        if self.is_in_use(place.claim, ask, spot)
            || !self.is_selectable(place.key(), ask, claim, spot)?
            || !self.choose(place, spot, false)?
        {
            return Ok(false);
        }
        let outcome = self.allocate_one(Place { device: place.device + 1, ..place }, is_decided);
        if !matches!(outcome, Ok(true)) {
            self.give_back(place, spot);
        }
        outcome
    }

    /// Chooses the device, if it is free and no constraint stands against it. Upstream: `allocateDevice`.
    fn choose(&mut self, place: Place, spot: Spot, must: bool) -> Result<bool, Stop> {
        let (claim, ask) = (&self.claims[place.claim], self.ask(place.key()));
        let candidate = self.candidate(spot);
        // Devices that share counters are a feature which is off.
        if self.is_in_use(place.claim, ask, spot) || !candidate.device.consumes_counters.is_empty() {
            return Ok(false);
        }
        let purpose = self.purpose(place);
        let constraints = &mut self.constraints[place.claim];
        let mut added = constraints.iter_mut();
        let refused = added.position(|it| !it.add(purpose, &candidate.id.driver, candidate.device));
        if let Some(refused) = refused {
            if must {
                let claim = format_args!("claim {}, request {}", claim.full_name, ask.name);
                let why = "because a claim constraint would not be satisfied";
                return Err(
                    Name::from(format_args!("{claim}: cannot add device {} {why}", candidate.id)).into()
                );
            }
            constraints[..refused].iter_mut().for_each(|it| it.remove(purpose));
            return Ok(false);
        }
        self.users.entry(spot).or_default().insert(place.claim);
        self.chosen[place.claim].push(Chosen { request: place.request, ask: place.ask, spot });
        Ok(true)
    }

    /// The opposite of [`Self::choose`], for the device that was chosen last.
    fn give_back(&mut self, place: Place, spot: Spot) {
        let purpose = self.purpose(place);
        self.constraints[place.claim].iter_mut().for_each(|it| it.remove(purpose));
        if let Some(users) = self.users.get_mut(&spot) {
            users.remove(&place.claim);
        }
        self.chosen[place.claim].pop();
    }

    /// With admin access a device may be used by others, but not twice by one claim.
    fn is_in_use(&self, claim: usize, ask: &Ask, spot: Spot) -> bool {
        let users = self.users.get(&spot);
        if ask.admin_access {
            return users.is_some_and(|it| it.contains(&claim));
        }
        users.is_some_and(|it| !it.is_empty()) || self.devices.is_taken(&self.candidate(spot).id)
    }

    /// Whether class and request select the device. Upstream: `isSelectable`.
    fn is_selectable(
        &mut self,
        noted_as: AskKey,
        ask: &Ask,
        claim: &PendingClaim,
        spot: Spot,
    ) -> Result<bool, Name> {
        let candidate = self.candidate(spot);
        if !candidate.device.binding_conditions.is_empty() {
            return Ok(false); // A feature that is off.
        }
        if let Some(known) = self.selectable.get(&(noted_as, spot)) {
            return Ok(*known);
        }
        let class = format_args!("class {}", ask.class.meta.name);
        let name = format_args!("claim {}", claim.full_name);
        let answer =
            all_match(&ask.class_selectors, candidate, class)? && all_match(&ask.selectors, candidate, name)?;
        self.selectable.insert((noted_as, spot), answer);
        Ok(answer)
    }

    fn ask(&self, (claim, request, ask): AskKey) -> &'a Ask {
        &self.claims[claim].requests[request].asks[ask]
    }

    fn candidate(&self, spot: Spot) -> &'a Candidate<'a> {
        &self.pools[spot.pool].devices[spot.device]
    }

    fn purpose(&self, place: Place) -> Purpose<'a> {
        let request = &self.claims[place.claim].requests[place.request];
        let subrequest = request.is_list.then(|| &request.asks[place.ask].name);
        Purpose { request: &request.name, subrequest }
    }
}

impl Place {
    fn key(self) -> AskKey {
        (self.claim, self.request, self.ask)
    }
}

fn constraints_of(claim: &PendingClaim) -> Result<Vec<MatchAttribute<'_>>, Name> {
    let constraints = claim.claim.spec.devices.constraints.iter().enumerate();
    let compiled = constraints.map(|(idx, constraint)| {
        MatchAttribute::of(constraint).ok_or_else(|| {
            let what = "empty constraint (unsupported constraint type?)";
            Name::from(format_args!("claim {}, constraint #{idx}: {what}", claim.full_name))
        })
    });
    compiled.collect()
}

/// Upstream: `selectorsMatch`.
fn all_match(
    selectors: &[std::sync::Arc<DeviceSelector>],
    candidate: &Candidate<'_>,
    whose: std::fmt::Arguments<'_>,
) -> Result<bool, Name> {
    for (idx, selector) in selectors.iter().enumerate() {
        let answer = selector.matches(&candidate.id.driver, candidate.device);
        if !answer.map_err(|error| Name::from(format_args!("{whose}: selector #{idx}: {error}")))? {
            return Ok(false);
        }
    }
    Ok(true)
}
