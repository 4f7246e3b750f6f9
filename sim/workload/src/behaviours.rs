//! All behaviours of a scenario.

use std::collections::BTreeMap;

use base::Time;

use crate::conduct::Conduct;
use crate::defaults::Defaults;
use crate::kind::AppKind;
use crate::known;
use crate::matching::{Place, Subject};
use crate::rule::Rule;

/// The rules of a scenario in order, and the built-in default that comes last.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviours {
    rules: Vec<Rule>,
    /// What is guessed for well-known images, by their kind.
    guesses: BTreeMap<AppKind, Rule>,
    defaults: Defaults,
    /// When the run began: what counts from there counts from here.
    start: Time,
}

impl Default for Behaviours {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Behaviours {
    pub fn new(rules: Vec<Rule>) -> Self {
        Self::with_defaults(rules, Defaults::default())
    }

    pub fn with_defaults(rules: Vec<Rule>, defaults: Defaults) -> Self {
        let rules = rules.into_iter().map(Rule::with_kind).collect();
        let guesses = known::kinds().map(|it| (it, it.rule())).collect();
        Self { rules, guesses, defaults, start: Time::ZERO }
    }

    /// Of a run that begins then.
    pub fn starting_at(self, start: Time) -> Self {
        Self { start, ..self }
    }

    pub fn start(&self) -> Time {
        self.start
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// What a container does of which the place is not known.
    pub fn of(&self, subject: &Subject<'_>) -> Conduct<'_> {
        self.of_at(subject, &Place::default())
    }

    /// What a container does that starts there and then: as the first rule says that matches it.
    pub fn of_at(&self, subject: &Subject<'_>, place: &Place<'_>) -> Conduct<'_> {
        self.by(self.rule_of(subject, place), subject)
    }

    /// The position of the first rule that matches.
    pub fn rule_of(&self, subject: &Subject<'_>, place: &Place<'_>) -> Option<usize> {
        self.rules.iter().position(|it| it.matching.matches(subject, place))
    }

    /// What a container does for which the rule at this position counts.
    pub fn by(&self, rule: Option<usize>, subject: &Subject<'_>) -> Conduct<'_> {
        let rule = rule.and_then(|it| self.rules.get(it));
        let guess = known::kind_of(subject).and_then(|it| self.guesses.get(&it));
        Conduct::new(subject, rule, guess, &self.defaults)
    }

    /// Whether any rule that may match has requests come, wherever and whenever the container starts.
    pub fn may_have_load(&self, subject: &Subject<'_>) -> bool {
        self.rules.iter().any(|it| it.load.is_some() && it.matching.matches_subject(subject))
    }

    /// Whether any rule has requests come.
    pub fn has_load(&self) -> bool {
        self.rules.iter().any(|it| it.load.is_some())
    }
}

#[cfg(test)]
mod tests {
    use api::{Container, Kind, Meta, OwnerReference, Pod, PodSpec, RestartPolicy, Uid};
    use base::{Name, Span};
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::conduct::Ending;
    use crate::curve::Curve;
    use crate::usage::Resource;

    fn behaviours(rules: serde_json::Value) -> Behaviours {
        Behaviours::new(serde_json::from_value(rules).unwrap())
    }

    fn pod(restarts: RestartPolicy) -> Pod {
        let spec = PodSpec { restart_policy: restarts, ..PodSpec::default() };
        let owner = OwnerReference::controller(&Kind::Job, &Name::new("job"), Uid(1));
        let meta = Meta { owner_references: [owner].into(), ..Meta::default() };
        Pod { meta, spec: spec.into(), ..Pod::default() }
    }

    fn container(image: &str) -> Container {
        Container { image: Name::new(image), ..Container::default() }
    }

    #[test]
    fn the_first_rule_that_matches_wins_and_the_rest_is_default() {
        let behaviours = behaviours(json!([
            {"match": {"image": "web:v2"}, "startup": "9s", "stop": "never"},
            {"match": {"image": "web:*"}, "startup": "3s", "exit": {"after": "60s", "code": 1},
             "usage": {"cpu": "120m", "memory": "180Mi"}, "pull": {"size": "400M"}},
        ]));
        let (pod, old, new) = (Pod::default(), container("web:v1"), container("web:v2"));
        let of = |container| behaviours.of(&Subject { pod: &pod, container, is_init: false });
        assert_eq!((of(&old).startup(0.5), of(&new).startup(0.5)), (Span::secs(3), Span::secs(9)));
        assert_eq!(of(&old).exit(0.5), Some(Ending { after: Span::secs(60), code: 1 }));
        assert_eq!((of(&new).exit(0.5), of(&new).stop(0.5)), (None, None));
        assert_eq!(of(&old).usage().of(Resource::Cpu), &Curve::constant(0.12));
        assert_eq!(of(&old).image_bytes(0.5), 400_000_000);
        assert_eq!((of(&old).pull_time(0.5), of(&old).pull_overhead(0.5)), (None, Span::millis(500)));
    }

    #[test]
    fn what_a_container_is_for_says_when_it_exits() {
        let behaviours = Behaviours::default();
        let ends = |pod: &Pod, is_init, container: &Container| {
            behaviours.of(&Subject { pod, container, is_init }).exit(0.5).map(|it| it.after)
        };
        let (job, service) = (pod(RestartPolicy::Never), pod(RestartPolicy::Always));
        let sidecar = Container { restart_policy: Some(Name::new("Always")), ..container("a") };
        let sleeper = Container { args: vec![Name::new("sleep"), Name::new("60")], ..container("a") };
        assert_eq!(ends(&job, false, &container("a")), Some(Span::secs(10)));
        assert_eq!(ends(&service, false, &container("a")), None);
        assert_eq!(ends(&service, true, &container("a")), Some(Span::secs(1)));
        assert_eq!(ends(&service, true, &sidecar), None);
        assert_eq!(ends(&service, false, &sleeper), Some(Span::secs(60)));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let wrong = [
            json!({"match": {"img": "web"}}),
            json!({"match": {"image": ""}}),
            json!({"start": "5s"}),
            json!({"usage": {"cpu": "-1"}}),
            json!({"usage": {"cpu": "much"}}),
            json!({"pull": {"size": "-1Gi"}}),
        ];
        let errors = wrong.map(|rule| serde_json::from_value::<Rule>(rule).unwrap_err().to_string());
        expect![[r#"
            unknown field `img`, expected one of `image`, `namespace`, `labels`, `container`, `owner`, `node`, `from`, `until`
            a pattern must not be empty; leave the field out to match everything
            unknown field `start`, expected one of `match`, `kind`, `startup`, `startError`, `exit`, `stop`, `usage`, `pull`, `health`, `load`, `warmUp`
            `-1` is negative; it must be 0 or more
            quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
            `-1Gi` is negative; it must be 0 or more
        "#]]
        .assert_eq(&(errors.join("\n") + "\n"));
    }
}
