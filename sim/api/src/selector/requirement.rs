//! One requirement on one label.

use std::fmt;

use base::Name;

use crate::labels::Labels;
use crate::naming;
use crate::quote::quote;

/// How the label of a requirement relates to its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    In,
    NotIn,
    Equals,
    /// Means the same as `Equals`; only texts have it.
    DoubleEquals,
    NotEquals,
    Exists,
    DoesNotExist,
    /// Both sides are whole numbers. Only node selectors and texts have it, and `LessThan`.
    GreaterThan,
    LessThan,
}

/// A requirement that passed upstream's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: Name,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Equals(Name),
    DoubleEquals(Name),
    NotEquals(Name),
    /// Sorted.
    In(Box<[Name]>),
    NotIn(Box<[Name]>),
    Exists,
    DoesNotExist,
    /// The bound, and the text that states it.
    GreaterThan(i64, Name),
    LessThan(i64, Name),
}

/// What is wrong with a requirement: every problem, as upstream lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementError {
    pub problems: Vec<String>,
}

impl Requirement {
    /// Upstream: `NewRequirement`.
    pub fn new(key: Name, operator: Operator, values: &[Name]) -> Result<Self, RequirementError> {
        let mut problems = key_problem(&key, "key").into_iter().collect::<Vec<_>>();
        problems.extend(values_problems(operator, values));
        problems.extend(values.iter().enumerate().filter_map(|(idx, value)| value_problem(&key, idx, value)));
        if !problems.is_empty() {
            return Err(RequirementError { problems });
        }
        Ok(Self { key, test: Test::new(operator, values) })
    }

    /// Nothing is checked: for labels of objects that passed validation.
    pub(super) const fn equals(key: Name, value: Name) -> Self {
        Self { key, test: Test::Equals(value) }
    }

    pub(super) const fn not_equals(key: Name, value: Name) -> Self {
        Self { key, test: Test::NotEquals(value) }
    }

    pub const fn key(&self) -> &Name {
        &self.key
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match &self.test {
            Test::Equals(wanted) | Test::DoubleEquals(wanted) => value == Some(wanted),
            Test::NotEquals(unwanted) => value != Some(unwanted),
            Test::In(wanted) => value.is_some_and(|it| wanted.contains(it)),
            Test::NotIn(unwanted) => value.is_none_or(|it| !unwanted.contains(it)),
            Test::Exists => value.is_some(),
            Test::DoesNotExist => value.is_none(),
            Test::GreaterThan(bound, _) => {
                value.is_some_and(|it| it.parse::<i64>().is_ok_and(|it| it > *bound))
            }
            Test::LessThan(bound, _) => value.is_some_and(|it| it.parse::<i64>().is_ok_and(|it| it < *bound)),
        }
    }

    pub(super) fn exact_value(&self) -> Option<&Name> {
        match &self.test {
            Test::Equals(value) | Test::DoubleEquals(value) => Some(value),
            Test::In(values) if values.len() == 1 => values.first(),
            Test::In(_) | Test::NotEquals(_) | Test::NotIn(_) => None,
            Test::Exists | Test::DoesNotExist | Test::GreaterThan(..) | Test::LessThan(..) => None,
        }
    }
}

impl RequirementError {
    /// A field is compared with one value, no more and no less.
    pub(super) fn field_values(values: &[Name]) -> Self {
        let problem = format!("values: Invalid value: {}: must have one element", json_list(values));
        Self { problems: vec![problem] }
    }
}

impl Test {
    /// The number of values fits the operator.
    fn new(operator: Operator, values: &[Name]) -> Self {
        let one = || values[0].clone();
        let bound = || values[0].parse().expect("the bound was checked to be a whole number");
        let sorted = || {
            let mut sorted = values.to_vec();
            sorted.sort();
            sorted.into_boxed_slice()
        };
        match operator {
            Operator::Equals => Self::Equals(one()),
            Operator::DoubleEquals => Self::DoubleEquals(one()),
            Operator::NotEquals => Self::NotEquals(one()),
            Operator::In => Self::In(sorted()),
            Operator::NotIn => Self::NotIn(sorted()),
            Operator::Exists => Self::Exists,
            Operator::DoesNotExist => Self::DoesNotExist,
            Operator::GreaterThan => Self::GreaterThan(bound(), one()),
            Operator::LessThan => Self::LessThan(bound(), one()),
        }
    }
}

/// `path: Invalid value: "…": …` if `key` is not a label key.
pub(super) fn key_problem(key: &str, path: &str) -> Option<String> {
    let problems = naming::qualified_name(key);
    (!problems.is_empty()).then(|| format!("{path}: Invalid value: {}: {}", quote(key), problems.join("; ")))
}

fn value_problem(key: &str, idx: usize, value: &str) -> Option<String> {
    let problems = naming::label_value(value);
    (!problems.is_empty())
        .then(|| format!("values[{idx}][{key}]: Invalid value: {}: {}", quote(value), problems.join("; ")))
}

/// What is wrong with the number of values, or with a bound.
fn values_problems(operator: Operator, values: &[Name]) -> Vec<String> {
    let wrong_number = match operator {
        Operator::In | Operator::NotIn => {
            values.is_empty().then_some("for 'in', 'notin' operators, values set can't be empty")
        }
        Operator::Equals | Operator::DoubleEquals | Operator::NotEquals => {
            (values.len() != 1).then_some("exact-match compatibility requires one single value")
        }
        Operator::Exists | Operator::DoesNotExist => {
            (!values.is_empty()).then_some("values set must be empty for exists and does not exist")
        }
        Operator::GreaterThan | Operator::LessThan => {
            (values.len() != 1).then_some("for 'Gt', 'Lt' operators, exactly one value is required")
        }
    };
    let mut problems: Vec<String> = Vec::new();
    problems
        .extend(wrong_number.map(|detail| format!("values: Invalid value: {}: {detail}", json_list(values))));
    if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
        let is_bound = |it: &Name| it.parse::<i64>().is_ok();
        problems.extend(values.iter().enumerate().filter(|(_, it)| !is_bound(it)).map(|(idx, it)| {
            let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
            format!("values[{idx}]: Invalid value: {}: {detail}", quote(it))
        }));
    }
    problems
}

/// To Go, a list without items is null.
fn json_list(values: &[Name]) -> String {
    if values.is_empty() {
        return "null".into();
    }
    serde_json::to_string(values).expect("texts are always JSON")
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.test {
            Test::Equals(value) => write!(f, "{key}={value}"),
            Test::DoubleEquals(value) => write!(f, "{key}=={value}"),
            Test::NotEquals(value) => write!(f, "{key}!={value}"),
            Test::In(values) => write!(f, "{key} in ({})", values.join(",")),
            Test::NotIn(values) => write!(f, "{key} notin ({})", values.join(",")),
            Test::Exists => write!(f, "{key}"),
            Test::DoesNotExist => write!(f, "!{key}"),
            Test::GreaterThan(_, bound) => write!(f, "{key}>{bound}"),
            Test::LessThan(_, bound) => write!(f, "{key}<{bound}"),
        }
    }
}

impl fmt::Display for RequirementError {
    /// Several problems stand in brackets, each of them once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut distinct: Vec<&str> = Vec::new();
        for problem in &self.problems {
            if !distinct.contains(&problem.as_str()) {
                distinct.push(problem);
            }
        }
        match distinct.as_slice() {
            [only] => f.write_str(only),
            several => write!(f, "[{}]", several.join(", ")),
        }
    }
}

impl std::error::Error for RequirementError {}
