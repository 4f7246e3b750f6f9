//! What is written down about an allocation: the devices, how to set them up, and the nodes that reach them.
//!
//! Upstream: the end of `Allocate`, and `createNodeSelector`.

use std::collections::BTreeSet;

use api::{
    AllocationResult, DeviceAllocationConfiguration, DeviceAllocationResult, DeviceClaimConfiguration,
    DeviceRequestAllocationResult, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement,
    NodeSelectorTerm,
};
use base::Name;

use crate::plugins::dynamic_resources::allocator::Chosen;
use crate::plugins::dynamic_resources::pending::{PendingClaim, Request};
use crate::plugins::dynamic_resources::pools::{Candidate, Pool};

/// `selected` tells, for each request, the way to meet it that was taken.
pub(super) fn of(
    claim: &PendingClaim,
    chosen: &[Chosen],
    selected: &[usize],
    node: &Name,
    pools: &[Pool<'_>],
) -> Result<AllocationResult, Name> {
    let candidate = |it: &Chosen| &pools[it.spot.pool].devices[it.spot.device];
    let device = |it: &Chosen| device(&claim.requests[it.request], it.ask, candidate(it));
    let candidates: Vec<&Candidate<'_>> = chosen.iter().map(candidate).collect();
    let node_selector = node_selector(&candidates, node).map_err(|error| {
        Name::from(format_args!("create NodeSelector for claim {}: {error}", claim.claim.meta.name))
    })?;
    Ok(AllocationResult {
        devices: DeviceAllocationResult {
            results: chosen.iter().map(device).collect(),
            config: configuration(claim, selected),
            ..DeviceAllocationResult::default()
        },
        node_selector,
        ..AllocationResult::default()
    })
}

fn device(request: &Request, ask: usize, candidate: &Candidate<'_>) -> DeviceRequestAllocationResult {
    let ask = &request.asks[ask];
    DeviceRequestAllocationResult {
        request: if request.is_list { subrequest_name(request, &ask.name) } else { request.name.clone() },
        driver: candidate.id.driver.clone(),
        pool: candidate.id.pool.clone(),
        device: candidate.id.device.clone(),
        admin_access: ask.admin_access.then_some(true),
        ..DeviceRequestAllocationResult::default()
    }
}

fn subrequest_name(request: &Request, part: &Name) -> Name {
    Name::from(format_args!("{}/{part}", request.name))
}

/// First that of the classes, for each request; then that of the claim.
fn configuration(claim: &PendingClaim, selected: &[usize]) -> Vec<DeviceAllocationConfiguration> {
    let asks = claim.requests.iter().zip(selected).map(|(request, &ask)| &request.asks[ask]);
    let of_class = asks.flat_map(|it| &it.class.spec.config).map(|it| DeviceAllocationConfiguration {
        source: Name::from_static("FromClass"),
        opaque: it.opaque.clone(),
        rest: it.rest.clone(),
        ..DeviceAllocationConfiguration::default()
    });
    let of_claim = claim.claim.spec.devices.config.iter().flat_map(|it| {
        let own = DeviceAllocationConfiguration {
            source: Name::from_static("FromClaim"),
            requests: it.requests.clone(),
            opaque: it.opaque.clone(),
            rest: it.rest.clone(),
        };
        std::iter::repeat_n(own, times_applied(it, claim, selected))
    });
    of_class.chain(of_claim).collect()
}

/// Once for each request that it names, or once if it is for all of them.
fn times_applied(config: &DeviceClaimConfiguration, claim: &PendingClaim, selected: &[usize]) -> usize {
    if config.requests.is_empty() {
        return 1;
    }
    let applies = |request: &Request, ask: usize| {
        config.requests.contains(&request.name)
            || (request.is_list
                && config.requests.contains(&subrequest_name(request, &request.asks[ask].name)))
    };
    claim.requests.iter().zip(selected).filter(|&(request, &ask)| applies(request, ask)).count()
}

/// `None` if all nodes reach the devices. A device that one node alone reaches ties the claim to that node.
fn node_selector(devices: &[&Candidate<'_>], node: &Name) -> Result<Option<NodeSelector>, Name> {
    let mut sum = NodeSelectorTerm::default();
    for candidate in devices {
        let spec = &candidate.slice.spec;
        if spec.node_name.is_some() || candidate.device.binds_to_node == Some(true) {
            return Ok(Some(selector_of(only(node))));
        }
        let terms = spec.node_selector.as_ref().map_or(&[][..], |it| &it.node_selector_terms);
        match terms {
            [] => (),
            [term] => {
                extend(&mut sum.match_fields, &term.match_fields);
                extend(&mut sum.match_expressions, &term.match_expressions);
            }
            _ => {
                let count = terms.len();
                let what = format_args!("unsupported ResourceSlice.NodeSelector with {count} terms");
                return Err(Name::from(what));
            }
        }
    }
    let is_empty = sum.match_fields.is_empty() && sum.match_expressions.is_empty();
    Ok((!is_empty).then(|| selector_of(sum)))
}

fn selector_of(term: NodeSelectorTerm) -> NodeSelector {
    NodeSelector { node_selector_terms: vec![term], ..NodeSelector::default() }
}

fn only(node: &Name) -> NodeSelectorTerm {
    let requirement = NodeSelectorRequirement {
        key: Name::from_static("metadata.name"),
        operator: NodeSelectorOperator::In,
        values: vec![node.clone()],
        ..NodeSelectorRequirement::default()
    };
    NodeSelectorTerm { match_fields: vec![requirement], ..NodeSelectorTerm::default() }
}

/// Adds the requirements that are not there yet; the order of their values does not count.
fn extend(requirements: &mut Vec<NodeSelectorRequirement>, more: &[NodeSelectorRequirement]) {
    let values = |it: &NodeSelectorRequirement| -> BTreeSet<Name> { it.values.iter().cloned().collect() };
    for new in more {
        let is_same = |it: &NodeSelectorRequirement| {
            it.key == new.key && it.operator == new.operator && values(it) == values(new)
        };
        if !requirements.iter().any(is_same) {
            requirements.push(new.clone());
        }
    }
}
