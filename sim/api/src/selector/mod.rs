//! Which labels are meant: label selectors as objects state them, compiled for matching.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/labels/selector.go`, `…/pkg/apis/meta/v1/helpers.go`.

mod parse;
mod requirement;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use base::Name;

use crate::affinity::{NodeSelectorOperator, NodeSelectorRequirement};
use crate::labels::Labels;
use crate::quote::quote;
use crate::wire::{wire, words};

pub use self::parse::SelectorSyntaxError;
pub use self::requirement::{Operator, Requirement, RequirementError};

/// Labels that are meant: none, or all that meet every requirement. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selector {
    /// No object at all: what a selector that is not stated means.
    #[default]
    Nothing,
    /// By key. Without requirements, every object.
    AllOf(Arc<[Requirement]>),
}

wire! {
    /// `metav1.LabelSelector`. Its two parts must both be met; without either it means everything.
    pub struct LabelSelector {
        pub match_labels: Labels,
        pub match_expressions: Vec<LabelSelectorRequirement>,
    }
}

wire! {
    pub struct LabelSelectorRequirement {
        pub key: Name,
        pub operator: LabelSelectorOperator,
        pub values: Vec<Name>,
    }
}

words! {
    pub enum LabelSelectorOperator { In = "In", NotIn = "NotIn", Exists = "Exists", DoesNotExist = "DoesNotExist" }
}

/// Why a selector cannot be compiled, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    #[error("{} is not a valid label selector operator", quote(word))]
    Operator { word: Name },
    #[error("operator: Unsupported value: {}: supported values: {supported}", quote(word))]
    Unsupported { word: Name, supported: String },
    #[error(transparent)]
    Requirement(#[from] RequirementError),
}

impl Selector {
    pub fn everything() -> Self {
        Self::AllOf(Arc::default())
    }

    /// Exactly these labels, as a Service states them; none of them means everything. Nothing is checked.
    pub fn from_labels(labels: &Labels) -> Self {
        Self::AllOf(
            labels.iter().map(|(key, value)| Requirement::equals(key.clone(), value.clone())).collect(),
        )
    }

    pub fn all_of(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        let mut requirements: Vec<Requirement> = requirements.into_iter().collect();
        requirements.sort_by(|a, b| a.key().cmp(b.key()));
        Self::AllOf(requirements.into())
    }

    /// The labels that meet all `requirements` of a term on nodes. A term without any matches no node: that is for
    /// the caller to know, since both its parts must be empty.
    ///
    /// Upstream: `nodeSelectorRequirementsAsSelector` in `component-helpers/scheduling/corev1/nodeaffinity`.
    pub fn from_node_requirements(requirements: &[NodeSelectorRequirement]) -> Result<Self, SelectorError> {
        let compile = |it: &NodeSelectorRequirement| -> Result<Requirement, SelectorError> {
            Ok(Requirement::new(it.key.clone(), it.operator.compile()?, &it.values)?)
        };
        requirements.iter().map(compile).collect::<Result<Vec<_>, _>>().map(Self::all_of)
    }

    /// The same for `matchFields`: to be matched against fields as if they were labels. Values need not be valid
    /// as such: names of nodes may be longer.
    ///
    /// Upstream: `nodeSelectorRequirementsAsFieldSelector`, in the same file.
    pub fn from_field_requirements(requirements: &[NodeSelectorRequirement]) -> Result<Self, SelectorError> {
        let compile = |it: &NodeSelectorRequirement| match (&it.operator, it.values.as_slice()) {
            (NodeSelectorOperator::In, [value]) => Ok(Requirement::equals(it.key.clone(), value.clone())),
            (NodeSelectorOperator::NotIn, [value]) => {
                Ok(Requirement::not_equals(it.key.clone(), value.clone()))
            }
            (NodeSelectorOperator::In | NodeSelectorOperator::NotIn, values) => {
                Err(RequirementError::field_values(values).into())
            }
            (operator, _) => Err(unsupported(operator, &NodeSelectorOperator::ALL[..2])),
        };
        requirements.iter().map(compile).collect::<Result<Vec<_>, _>>().map(Self::all_of)
    }

    /// Reads the form of `kubectl -l`: `a=b,c!=d,e in (x,y),!f`.
    pub fn parse(text: &str) -> Result<Self, SelectorSyntaxError> {
        parse::requirements(text).map(Self::all_of)
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        match self {
            Self::Nothing => false,
            Self::AllOf(requirements) => requirements.iter().all(|it| it.matches(labels)),
        }
    }

    /// For asking about many objects in a row.
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher { selector: self, last: None }
    }

    pub fn is_everything(&self) -> bool {
        self.requirements().is_some_and(<[_]>::is_empty)
    }

    /// By key; `None` if nothing is meant.
    pub fn requirements(&self) -> Option<&[Requirement]> {
        match self {
            Self::Nothing => None,
            Self::AllOf(requirements) => Some(requirements),
        }
    }

    /// The only value that the label `key` may have. Upstream: `RequiresExactMatch`.
    pub fn exact_value(&self, key: &str) -> Option<&Name> {
        self.requirements()?.iter().find(|it| it.key() == key)?.exact_value()
    }
}

impl fmt::Display for Selector {
    /// As upstream's `labels.Selector.String()`: what [`Selector::parse`] reads. Empty for both extremes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (idx, requirement) in self.requirements().unwrap_or_default().iter().enumerate() {
            let separator = if idx == 0 { "" } else { "," };
            write!(f, "{separator}{requirement}")?;
        }
        Ok(())
    }
}

/// A selector that is asked about many objects in a row, most of which share their labels with the one before.
#[derive(Debug)]
pub struct Matcher<'a> {
    selector: &'a Selector,
    last: Option<(&'a Labels, bool)>,
}

impl<'a> Matcher<'a> {
    pub fn matches(&mut self, labels: &'a Labels) -> bool {
        if let Some((last, matched)) = self.last
            && last.is_same(labels)
        {
            return matched;
        }
        let matches = self.selector.matches(labels);
        self.last = Some((labels, matches));
        matches
    }
}

impl LabelSelector {
    /// Upstream: `LabelSelectorAsSelector`. A selector that is not there at all compiles to [`Selector::Nothing`].
    pub fn compile(&self) -> Result<Selector, SelectorError> {
        let labels = self.match_labels.iter().map(|(key, value)| {
            Ok(Requirement::new(key.clone(), Operator::Equals, std::slice::from_ref(value))?)
        });
        let expressions = self.match_expressions.iter().map(|it| {
            let operator = it.operator.compile()?;
            Ok(Requirement::new(it.key.clone(), operator, &it.values)?)
        });
        labels.chain(expressions).collect::<Result<Vec<_>, SelectorError>>().map(Selector::all_of)
    }

    /// For people: `<none>` and `<error>` instead of nothing. Upstream: `FormatLabelSelector`.
    pub fn describe(selector: Option<&Self>) -> String {
        match selector.map_or(Ok(Selector::Nothing), Self::compile).map(|it| it.to_string()) {
            Ok(text) if text.is_empty() => "<none>".into(),
            Ok(text) => text,
            Err(_) => "<error>".into(),
        }
    }
}

impl LabelSelectorOperator {
    fn compile(&self) -> Result<Operator, SelectorError> {
        match self {
            Self::In => Ok(Operator::In),
            Self::NotIn => Ok(Operator::NotIn),
            Self::Exists => Ok(Operator::Exists),
            Self::DoesNotExist => Ok(Operator::DoesNotExist),
            Self::Other(word) => Err(SelectorError::Operator { word: word.clone() }),
        }
    }
}

impl NodeSelectorOperator {
    fn compile(&self) -> Result<Operator, SelectorError> {
        match self {
            Self::In => Ok(Operator::In),
            Self::NotIn => Ok(Operator::NotIn),
            Self::Exists => Ok(Operator::Exists),
            Self::DoesNotExist => Ok(Operator::DoesNotExist),
            Self::Gt => Ok(Operator::GreaterThan),
            Self::Lt => Ok(Operator::LessThan),
            Self::Other(_) => Err(unsupported(self, Self::ALL)),
        }
    }
}

fn unsupported(operator: &NodeSelectorOperator, supported: &[NodeSelectorOperator]) -> SelectorError {
    let supported: Vec<String> = supported.iter().map(|it| quote(it.as_str())).collect();
    SelectorError::Unsupported { word: Name::new(operator.as_str()), supported: supported.join(", ") }
}
