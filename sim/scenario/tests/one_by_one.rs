//! What is computed comes to what would have happened: random runs, once computed and once one by one.

use std::ops::ControlFlow;
use std::path::Path;

use manifest::source::Source;
use proptest::prelude::*;
use scenario::{Finished, Options, Scenario, load_source};

/// What befalls six pods with all probes on four nodes.
#[derive(Clone, Debug)]
struct Story {
    seed: u64,
    /// How long a container takes until it answers, in seconds, at the median.
    startup: u32,
    /// How long it lives on average, in seconds; 0 for ever.
    life: u32,
    /// In seconds.
    fault_at: u32,
    lasting: u32,
    is_crash: bool,
    /// How many cores a container wants at the most, of the four that its node has; 0 to leave that out.
    cores: u32,
}

prop_compose! {
    fn story()(
        seed: u64, startup in 1_u32..12, life in prop_oneof![Just(0_u32), 20_u32..300],
        fault_at in 20_u32..120, lasting in 5_u32..200, is_crash: bool, cores in prop_oneof![Just(0), 1_u32..9],
    ) -> Story {
        Story { seed, startup, life, fault_at, lasting, is_crash, cores }
    }
}

impl Story {
    fn scenario(&self) -> Scenario {
        let exit = match self.life {
            0 => "never".to_owned(),
            life => format!("{{after: {{exponential: {{mean: {life}s}}}}, code: 1}}"),
        };
        let usage = match self.cores {
            0 => String::new(),
            cores => format!(
                ", usage: {{cpu: {{periodic: {{high: \"{cores}\", period: 47s}}}}, memory: 100Mi}}, \
                 load: {{rps: \"150\", costCpu: 20ms}}, warmUp: {{for: 40s, effort: 3}}"
            ),
        };
        let fault = if self.is_crash { "nodeCrash" } else { "kubeletStop" };
        let text = format!(
            "apiVersion: wavetank.dev/v1\nkind: Scenario\nspec:\n  duration: 8m\n\
             \x20 cluster: {{nodePools: [{{name: general, count: 4}}]}}\n\
             \x20 manifests: [probed.yaml]\n\
             \x20 behaviours:\n\
             \x20 - {{match: {{image: \"shop/web:*\"}}, startup: {{lognormal: {{median: {}s, p99: 30s}}}}, exit: {exit}{usage}}}\n\
             \x20 timeline:\n\
             \x20 - {{at: {}s, fault: {{{fault}: {{nodes: {{names: [general-1]}}, for: {}s}}}}}}\n",
            self.startup, self.fault_at, self.lasting,
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps");
        load_source(Source::new("it.yaml", text), folder, "it", &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn run(&self, one_by_one: bool) -> Finished {
        let options = Options { seed: Some(self.seed), one_by_one, ..Options::default() };
        scenario::run(&self.scenario(), &options, |_| ControlFlow::Continue(())).expect("it can be set up")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_runs_come_to_the_same(story in story()) {
        comes_to_the_same(&story);
    }
}

/// A container is dead at a moment at which its readiness probe looks and the runtime is listed as well: the probe of one
/// run was set before the timer of the worker, that of the other after it.
#[test]
fn a_look_at_the_moment_of_a_list_comes_to_the_same() {
    let (seed, fault_at, lasting) = (4_651_102_296_572_591_252, 88, 74);
    comes_to_the_same(&Story { seed, startup: 2, life: 164, fault_at, lasting, is_crash: true, cores: 0 });
}

/// Two containers on a node want more than it has, again and again.
#[test]
fn probes_of_containers_that_want_too_much_come_to_the_same() {
    for cores in [4, 8] {
        let (seed, fault_at, lasting) = (7, 60, 30);
        comes_to_the_same(&Story { seed, startup: 4, life: 120, fault_at, lasting, is_crash: true, cores });
    }
}

fn comes_to_the_same(story: &Story) {
    let (computed, simulated) = (story.run(false), story.run(true));
    assert_eq!(computed.run.digest, simulated.run.digest);
    assert_eq!(computed.run.world.ledger().lives(), simulated.run.world.ledger().lives());
    assert!(computed.run.events() < simulated.run.events());
}
