//! Selects devices by what an expression in CEL says of their attributes and capacity.
//!
//! What cannot be told before evaluation is an error then: types are not checked, and costs are not limited. Of the
//! libraries that upstream has besides the standard one there are `cel.bind`, strings, lists, quantities and semantic
//! versions. Upstream: `staging/src/k8s.io/dynamic-resource-allocation/cel/compile.go`.

mod bind;
mod device;
mod functions;
mod quantity;
mod version;

use std::sync::Arc;

use api::Device;
use base::{Lookup, Name};
use cel::{Context, Env, ExecutionError, Program, Value};

use crate::device_selector::device::DeviceScope;

/// A compiled expression.
pub(crate) struct DeviceSelector {
    env: Arc<Env>,
    /// Or why it does not compile.
    program: Result<Program, Name>,
}

/// Why an expression has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectorError {
    #[error("CEL compile error: compilation failed: {0}")]
    Compile(Name),
    #[error("CEL runtime error: {0}")]
    Runtime(Name),
}

/// The expressions in use, each compiled once.
#[derive(Clone)]
pub(crate) struct Selectors {
    env: Arc<Env>,
    compiled: Lookup<Name, Arc<DeviceSelector>>,
}

impl Selectors {
    /// There is a handful of different ones in practice. When there are more, the rest is compiled as it is met.
    const KEPT_MAX: usize = 1024;

    pub(crate) fn new() -> Self {
        Self { env: Arc::new(environment()), compiled: Lookup::new() }
    }

    /// Compiles what will be asked for.
    pub(crate) fn learn(&mut self, expression: &Name) {
        if self.compiled.len() < Self::KEPT_MAX && self.compiled.get(expression).is_none() {
            let selector = self.compile(expression);
            self.compiled.insert(expression.clone(), selector);
        }
    }

    pub(crate) fn get(&self, expression: &Name) -> Arc<DeviceSelector> {
        self.compiled.get(expression).cloned().unwrap_or_else(|| self.compile(expression))
    }

    fn compile(&self, expression: &Name) -> Arc<DeviceSelector> {
        let program = self.env.compile(expression).map_err(|error| Name::from(error.to_string()));
        Arc::new(DeviceSelector { env: self.env.clone(), program })
    }
}

impl DeviceSelector {
    /// Upstream: `DeviceMatches`.
    pub(crate) fn matches(&self, driver: &Name, device: &Device) -> Result<bool, SelectorError> {
        let program = self.program.as_ref().map_err(|error| SelectorError::Compile(error.clone()))?;
        let scope = DeviceScope { driver, device };
        let mut context = Context::with_env(self.env.clone());
        context.set_variable_resolver(&scope);
        match program.execute(&context) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(SelectorError::Runtime(Name::from(format_args!(
                "CEL result of type {} could not be converted to bool",
                other.type_of()
            )))),
            Err(error) => Err(SelectorError::Runtime(in_upstreams_words(&error))),
        }
    }
}

fn in_upstreams_words(error: &ExecutionError) -> Name {
    if let ExecutionError::NoSuchKey(key) = error {
        return Name::from(format_args!("no such key: {key}"));
    }
    Name::from(error.to_string())
}

/// Upstream: `newCompiler` there, and `staging/src/k8s.io/apiserver/pkg/cel/environment/base.go`.
fn environment() -> Env {
    let mut env = Env::stdlib();
    let declare = |env: &mut Env| -> Result<(), cel::DeclarationError> {
        cel::extensions::strings(env)?;
        cel::extensions::lists(env)?;
        env.add_macro(bind::bind())?;
        functions::quantities(env)?;
        functions::versions(env)
    };
    declare(&mut env).expect("nothing is declared twice");
    env
}

impl std::fmt::Debug for Selectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Selectors").field("compiled", &self.compiled.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DeviceSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceSelector").field("program", &self.program).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gpu() -> Device {
        serde_json::from_value(json!({
            "name": "gpu-0",
            "attributes": {
                "model": {"string": "A100"},
                "index": {"int": 3},
                "mig": {"bool": true},
                "version": {"version": "1.20.0-rc.1"},
                "other.example.com/model": {"string": "B"}
            },
            "capacity": {"memory": {"value": "40Gi"}, "other.example.com/lanes": {"value": "16"}}
        }))
        .expect("the right types")
    }

    fn ask(expression: &str) -> Result<bool, SelectorError> {
        let driver = Name::from_static("gpu.example.com");
        Selectors::new().get(&Name::new(expression)).matches(&driver, &gpu())
    }

    #[test]
    fn devices_are_selected_by_driver_attributes_and_capacity() {
        let own = r#"device.attributes["gpu.example.com"]"#;
        let capacity = r#"device.capacity["gpu.example.com"]"#;
        let table = [
            (r#"device.driver == "gpu.example.com""#.to_owned(), true),
            (r#"device.driver.startsWith("tpu")"#.to_owned(), false),
            (format!(r#"{own}.model == "A100""#), true),
            (format!(r#"{own}["model"] == "A100""#), true),
            (format!("{own}.index > 2 && {own}.mig"), true),
            (format!(r#"{own}.model in ["H100", "A100"]"#), true),
            (format!(r#"{own}.model.lowerAscii().matches("^a1")"#), true),
            (r#"device.attributes["other.example.com"].model == "B""#.to_owned(), true),
            (format!(r#"{own}.version.isLessThan(semver("1.20.0"))"#), true),
            (format!(r#"{own}.version.compareTo(semver("v1.20", true)) == 0"#), false),
            (format!("{own}.version.minor() == 20"), true),
            (format!(r#"{capacity}.memory.isGreaterThan(quantity("39Gi"))"#), true),
            (format!(r#"{capacity}.memory.compareTo(quantity("40960Mi")) == 0"#), true),
            (format!(r#"{capacity}.memory == quantity("40Gi")"#), true),
            (format!(r#"{capacity}.memory.sub(quantity("10Gi")).isLessThan(quantity("31Gi"))"#), true),
            (r#"device.capacity["other.example.com"].lanes.asInteger() == 16"#.to_owned(), true),
            (format!(r#"cel.bind(gpu, {own}, gpu.mig && gpu.model == "A100")"#), true),
            (format!(r#"{own}.exists(name, name == "mig")"#), true),
            (format!("size({own}) == 4"), true),
        ];
        for (expression, expected) in table {
            assert_eq!(ask(&expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn an_unknown_domain_is_empty_and_an_unknown_attribute_is_an_error() {
        let unknown = r#"device.attributes["unknown.example.com"]"#;
        assert_eq!(ask(&format!("has({unknown}.model)")), Ok(false));
        assert_eq!(ask(r#""unknown.example.com" in device.attributes"#), Ok(false));
        assert_eq!(ask(r#""other.example.com" in device.attributes"#), Ok(true));
        assert_eq!(ask(r#""model" in device.attributes["gpu.example.com"]"#), Ok(true));
        let error = ask(&format!(r#"{unknown}.model == "A100""#)).unwrap_err();
        assert_eq!(error.to_string(), "CEL runtime error: no such key: model");
    }

    #[test]
    fn what_is_no_condition_is_an_error() {
        assert!(matches!(ask("device.driver =="), Err(SelectorError::Compile(_))));
        assert!(matches!(ask("device.driver"), Err(SelectorError::Runtime(_))));
        assert!(matches!(ask("semver(\"1.2\").major() == 1"), Err(SelectorError::Runtime(_))));
    }
}
