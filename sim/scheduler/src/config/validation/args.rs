//! Settings of plugins.
//!
//! Upstream: `pkg/scheduler/apis/config/validation/validation_pluginargs.go`.

use api::{NodeAffinity, NodeSelectorTerm, Selector, SelectorError, TopologySpreadConstraint, naming, quote};

use crate::config::args::*;
use crate::config::error::{ConfigError, Errors};
use crate::config::path::Path;
use crate::config::wire::PluginArgs;

/// Those of NodeResourcesFit are checked later, since upstream has its checks under another name.
pub(super) fn check_args(args: &PluginArgs, path: &Path<'_>, errors: &mut Errors) {
    match args {
        PluginArgs::DefaultPreemption(args) => check_preemption(args, path, errors),
        PluginArgs::DynamicResources(args) => check_dynamic_resources(args, path, errors),
        PluginArgs::InterPodAffinity(args) => {
            let weight = args.hard_pod_affinity_weight;
            check_range(weight, 0, 100, &path.child("hardPodAffinityWeight"), errors);
        }
        PluginArgs::NodeAffinity(args) => {
            if let Some(affinity) = &args.added_affinity {
                check_affinity(affinity, &path.child("addedAffinity"), errors);
            }
        }
        PluginArgs::NodeResourcesBalancedAllocation(args) => {
            check_balanced_resources(&args.resources, &path.child("resources"), errors);
        }
        PluginArgs::PodTopologySpread(args) => check_spread(args, path, errors),
        PluginArgs::VolumeBinding(args) => check_volume_binding(args, path, errors),
        PluginArgs::NodeResourcesFit(_) | PluginArgs::Other(_) => (),
    }
}

/// Paths begin with the fields of the settings. Upstream: `ValidateNodeResourcesFitArgs`.
pub(in crate::config) fn check_fit_args(args: &NodeResourcesFitArgs, errors: &mut Errors) {
    let (root, resources) = (Path::Root, &args.ignored_resources);
    for (idx, resource) in resources.iter().enumerate() {
        let path = &root.child("ignoredResources");
        errors.invalid_all(&path.index(idx), resource, naming::qualified_name(resource));
    }
    for (idx, group) in args.ignored_resource_groups.iter().enumerate() {
        let groups = root.child("ignoredResourceGroups");
        let path = &groups.index(idx);
        if group.contains('/') {
            errors.invalid(path, quote(group), "resource group name can't contain '/'");
        }
        errors.invalid_all(path, group, naming::qualified_name(group));
    }
    check_strategy(&args.scoring_strategy, &root.child("scoringStrategy"), errors);
}

fn check_strategy(strategy: &ScoringStrategy, path: &Path<'_>, errors: &mut Errors) {
    if let ScoringStrategyType::Other(word) = &strategy.kind {
        let supported = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
        errors.not_supported(&path.child("type"), word, &supported);
    }
    for (idx, resource) in strategy.resources.iter().enumerate() {
        if !(1..=100).contains(&resource.weight) {
            let entry = path.child("resources");
            let detail = format!("resource weight of {} not in valid range (0, 100]", resource.name);
            errors.invalid(&entry.index(idx).child("weight"), resource.weight, detail);
        }
    }
    match &strategy.requested_to_capacity_ratio {
        Some(ratio) => check_shape(&ratio.shape, &path.child("shape"), errors),
        None if strategy.kind == ScoringStrategyType::RequestedToCapacityRatio => {
            // v1.34 crashes; later versions have this message.
            let detail = "must be specified when type is RequestedToCapacityRatio";
            errors.required(&path.child("requestedToCapacityRatio"), detail);
        }
        None => (),
    }
}

/// Upstream: `validateFunctionShape`.
fn check_shape(shape: &[UtilizationShapePoint], path: &Path<'_>, errors: &mut Errors) {
    if shape.is_empty() {
        errors.required(path, "at least one point must be specified");
    }
    let falling = shape.windows(2).position(|pair| pair[0].utilization >= pair[1].utilization);
    if let Some(idx) = falling.map(|it| it + 1) {
        let detail = "values must be sorted in increasing order";
        errors.invalid(&path.index(idx).child("utilization"), shape[idx].utilization, detail);
    }
    for (idx, point) in shape.iter().enumerate() {
        let path = &path.index(idx);
        check_range(point.utilization, 0, 100, &path.child("utilization"), errors);
        check_range(point.score, 0, MAX_CUSTOM_PRIORITY_SCORE, &path.child("score"), errors);
    }
}

fn check_range(number: i32, min: i32, max: i32, path: &Path<'_>, errors: &mut Errors) {
    if !(min..=max).contains(&number) {
        errors.invalid(path, number, format!("not in valid range [{min}, {max}]"));
    }
}

fn check_preemption(args: &DefaultPreemptionArgs, path: &Path<'_>, errors: &mut Errors) {
    let (percentage, absolute) = (args.min_candidate_nodes_percentage, args.min_candidate_nodes_absolute);
    let percentage_path = &path.child("minCandidateNodesPercentage");
    let absolute_path = &path.child("minCandidateNodesAbsolute");
    check_range(percentage, 0, 100, percentage_path, errors);
    if absolute < 0 {
        errors.invalid(absolute_path, absolute, "not in valid range [0, inf)");
    }
    if percentage == 0 && absolute == 0 {
        let other = |it: &str| format!("cannot be zero at the same time as {it}");
        errors.invalid(percentage_path, percentage, other("minCandidateNodesAbsolute"));
        errors.invalid(absolute_path, absolute, other("minCandidateNodesPercentage"));
    }
}

fn check_dynamic_resources(args: &DynamicResourcesArgs, path: &Path<'_>, errors: &mut Errors) {
    let timeout = args.filter_timeout;
    if timeout.nanos() < 0 {
        errors.invalid(&path.child("filterTimeout"), quote(&timeout.to_string()), "must be zero or positive");
    }
}

/// Upstream: `ValidateNodeResourcesBalancedAllocationArgs`.
fn check_balanced_resources(resources: &[ResourceSpec], path: &Path<'_>, errors: &mut Errors) {
    for (idx, resource) in resources.iter().enumerate() {
        let path = &path.index(idx);
        if resources[..idx].iter().any(|it| it.name == resource.name) {
            errors.duplicate(&path.child("name"), quote(&resource.name));
        }
        if resource.weight != 1 {
            errors.invalid(&path.child("weight"), resource.weight, "must be 1");
        }
    }
}

fn check_volume_binding(args: &VolumeBindingArgs, path: &Path<'_>, errors: &mut Errors) {
    let seconds = args.bind_timeout_seconds;
    if seconds < 0 {
        let detail = "invalid BindTimeoutSeconds, should not be a negative value";
        errors.invalid(&path.child("bindTimeoutSeconds"), seconds, detail);
    }
    if let Some(shape) = &args.shape {
        let point = |it: &UtilizationShapePoint| {
            format!("{{\"Utilization\":{},\"Score\":{}}}", it.utilization, it.score)
        };
        let points: Vec<String> = shape.iter().map(point).collect();
        let detail = "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring";
        errors.invalid(&path.child("shape"), format!("[{}]", points.join(",")), detail);
    }
}

/// Upstream: `ValidatePodTopologySpreadArgs`.
fn check_spread(args: &PodTopologySpreadArgs, path: &Path<'_>, errors: &mut Errors) {
    let (constraints, kind) = (&args.default_constraints, &path.child("defaultingType"));
    match &args.defaulting_type {
        DefaultingType::Other(word) => errors.not_supported(kind, word, &["System", "List"]),
        DefaultingType::System if !constraints.is_empty() => {
            errors.invalid(kind, quote("System"), "when .defaultConstraints are not empty");
        }
        DefaultingType::System | DefaultingType::List => (),
    }
    for (idx, constraint) in constraints.iter().enumerate() {
        let list = &path.child("defaultConstraints");
        check_constraint(constraint, &list.index(idx), errors);
        let is_same = |it: &TopologySpreadConstraint| {
            it.topology_key == constraint.topology_key
                && it.when_unsatisfiable == constraint.when_unsatisfiable
        };
        if constraints[..idx].iter().any(is_same) {
            let shown = format!("{{{}, {}}}", constraint.topology_key, constraint.when_unsatisfiable);
            errors.duplicate(&list.index(idx), quote(&shown));
        }
    }
}

fn check_constraint(constraint: &TopologySpreadConstraint, path: &Path<'_>, errors: &mut Errors) {
    if constraint.max_skew <= 0 {
        errors.invalid(&path.child("maxSkew"), constraint.max_skew, "not in valid range (0, inf)");
    }
    let (key, key_path) = (&constraint.topology_key, &path.child("topologyKey"));
    if key.is_empty() {
        errors.required(key_path, "can not be empty");
    } else {
        errors.invalid_all(key_path, key, naming::qualified_name(key));
    }
    let (action, action_path) = (&constraint.when_unsatisfiable, &path.child("whenUnsatisfiable"));
    match action.as_str() {
        "" => errors.required(action_path, "can not be empty"),
        "DoNotSchedule" | "ScheduleAnyway" => (),
        word => errors.not_supported(action_path, word, &["DoNotSchedule", "ScheduleAnyway"]),
    }
    if constraint.label_selector.is_some() {
        let detail = "constraint must not define a selector, as they deduced for each pod";
        errors.forbidden(&path.child("labelSelector"), detail);
    }
}

/// What no node could ever be compared with. Upstream: `NewNodeSelector`, `NewPreferredSchedulingTerms` in
/// `component-helpers/scheduling/corev1/nodeaffinity`.
fn check_affinity(affinity: &NodeAffinity, path: &Path<'_>, errors: &mut Errors) {
    let required = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    let terms = affinity.required.iter().flat_map(|it| &it.node_selector_terms);
    for (idx, term) in terms.enumerate() {
        check_term(term, &required.child("nodeSelectorTerms").index(idx), errors);
    }
    let preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (idx, term) in affinity.preferred.iter().enumerate().filter(|(_, it)| it.weight != 0) {
        check_term(&term.preference, &preferred.index(idx), errors);
    }
}

fn check_term(term: &NodeSelectorTerm, path: &Path<'_>, errors: &mut Errors) {
    for (idx, requirement) in term.match_expressions.iter().enumerate() {
        let found = Selector::from_node_requirements(std::slice::from_ref(requirement));
        check_requirement(found, &path.child("matchExpressions").index(idx), errors);
    }
    for (idx, requirement) in term.match_fields.iter().enumerate() {
        let found = Selector::from_field_requirements(std::slice::from_ref(requirement));
        check_requirement(found, &path.child("matchFields").index(idx), errors);
    }
}

fn check_requirement(found: Result<Selector, SelectorError>, path: &Path<'_>, errors: &mut Errors) {
    let problems = match found {
        Ok(_) => return,
        Err(SelectorError::Requirement(error)) => error.problems,
        Err(error) => vec![error.to_string()],
    };
    let requirement = path.to_string();
    let error = |problem| ConfigError::Requirement { requirement: requirement.clone(), problem };
    errors.0.extend(problems.into_iter().map(error));
}
