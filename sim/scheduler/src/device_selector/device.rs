//! A device as expressions see it: `device.driver`, `device.attributes[domain].name`, `device.capacity[domain].name`.

use std::sync::OnceLock;

use api::{Device, DeviceAttribute};
use base::Name;
use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as ValIterator, Sizer};
use cel::common::types::{CelBool, CelInt, CelString, MAP_TYPE, Type};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use crate::device_selector::quantity::QuantityVal;
use crate::device_selector::version::{Version, VersionVal};

/// The only variable there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceScope<'a> {
    pub(super) driver: &'a Name,
    pub(super) device: &'a Device,
}

impl VariableResolver for DeviceScope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        (variable == "device").then(|| CowVal::owned(DeviceVal::new(*self, Level::Device)))
    }
}

/// The device, or a map within it.
#[derive(Clone, Debug)]
struct DeviceVal<'a> {
    scope: DeviceScope<'a>,
    level: Level,
    /// Only if someone goes through them.
    keys: OnceLock<Vec<CelString<'static>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Device,
    /// By domain. A domain that nothing is in is an empty map.
    Domains(Part),
    /// What is in this domain, by name.
    Names(Part, Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Attributes,
    Capacity,
}

impl<'a> DeviceVal<'a> {
    fn new(scope: DeviceScope<'a>, level: Level) -> Self {
        Self { scope, level, keys: OnceLock::new() }
    }

    fn find(&self, key: &str) -> Result<Option<Box<dyn Val + 'a>>, ExecutionError> {
        let level = match (&self.level, key) {
            (Level::Device, "driver") => {
                return Ok(Some(Box::new(CelString::from(self.scope.driver.as_str()))));
            }
            (Level::Device, "attributes") => Level::Domains(Part::Attributes),
            (Level::Device, "capacity") => Level::Domains(Part::Capacity),
            (Level::Device, _) => return Ok(None),
            (Level::Domains(part), domain) => Level::Names(*part, Name::new(domain)),
            (Level::Names(part, domain), name) => return self.value(*part, domain, name),
        };
        Ok(Some(Box::new(Self::new(self.scope, level))))
    }

    /// Where a name stands both with the driver's domain and without any, the former counts.
    fn value(
        &self,
        part: Part,
        domain: &str,
        name: &str,
    ) -> Result<Option<Box<dyn Val + 'a>>, ExecutionError> {
        let is_it = |key: &&Name| key.split_once('/') == Some((domain, name));
        let is_own = |key: &&Name| domain == self.scope.driver.as_str() && key.as_str() == name;
        let names = || self.names(part);
        let Some(key) = names().find(is_it).or_else(|| names().find(is_own)) else { return Ok(None) };
        match part {
            Part::Attributes => self.scope.device.attributes.get(key).map(attribute).transpose(),
            Part::Capacity => {
                let capacity = self.scope.device.capacity.get(key);
                Ok(capacity.map(|it| QuantityVal(it.value.unwrap_or_default())).map(|it| Box::new(it) as _))
            }
        }
    }

    fn names(&self, part: Part) -> impl Iterator<Item = &'a Name> + use<'a> {
        let device = self.scope.device;
        let (attributes, capacity) = match part {
            Part::Attributes => (Some(device.attributes.keys()), None),
            Part::Capacity => (None, Some(device.capacity.keys())),
        };
        attributes.into_iter().flatten().chain(capacity.into_iter().flatten())
    }

    /// Upstream: `parseQualifiedName`.
    fn split(&self, name: &'a Name) -> (&'a str, &'a str) {
        name.split_once('/').unwrap_or((self.scope.driver.as_str(), name.as_str()))
    }

    fn keys(&self) -> &[CelString<'static>] {
        self.keys.get_or_init(|| {
            let mut keys: Vec<&str> = match &self.level {
                Level::Device => vec!["attributes", "capacity", "driver"],
                Level::Domains(part) => self.names(*part).map(|it| self.split(it).0).collect(),
                Level::Names(part, domain) => {
                    let split = self.names(*part).map(|it| self.split(it));
                    split.filter(|it| it.0 == domain.as_str()).map(|it| it.1).collect()
                }
            };
            keys.sort();
            keys.dedup();
            keys.into_iter().map(|it| CelString::from(it.to_owned())).collect()
        })
    }
}

/// Upstream: `getAttributeValue`.
fn attribute(attribute: &DeviceAttribute) -> Result<Box<dyn Val + '_>, ExecutionError> {
    Ok(match attribute {
        DeviceAttribute { int: Some(it), .. } => Box::new(CelInt::from(*it)),
        DeviceAttribute { bool: Some(it), .. } => Box::new(CelBool::from(*it)),
        DeviceAttribute { string: Some(it), .. } => Box::new(CelString::from(it.as_str())),
        DeviceAttribute { version: Some(it), .. } => {
            let version = Version::parse(it).ok_or_else(|| {
                let message = format!("`{it}` is not a semantic version");
                ExecutionError::function_error("semver", message)
            })?;
            Box::new(VersionVal(version))
        }
        _ => return Err(ExecutionError::function_error("device", "unsupported attribute value")),
    })
}

impl Indexer for DeviceVal<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(key) = key.downcast_ref::<CelString<'_>>() else {
            let (got, want) = (key.get_type().name().to_owned(), "string".to_owned());
            return Err(ExecutionError::UnexpectedType { got, want });
        };
        let found = self.find(key.inner())?;
        found.map(CowVal::Owned).ok_or_else(|| ExecutionError::no_such_key(key.inner()))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Container for DeviceVal<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        let key = key.downcast_ref::<CelString<'_>>();
        Ok(key.is_some_and(|key| self.keys().iter().any(|it| it.inner() == key.inner())))
    }
}

impl Sizer for DeviceVal<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.keys().len()).unwrap_or(i64::MAX))
    }
}

impl Iterable for DeviceVal<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn ValIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Keys(self.keys()))
    }
}

struct Keys<'b>(&'b [CelString<'static>]);

impl<'b, 'v> ValIterator<'b, 'v> for Keys<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }
}

impl Val for DeviceVal<'_> {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}
