//! ServiceAccount: every pod runs as somebody.
//!
//! The `default` account of a namespace is taken to be there, since the controller that creates it is not modelled;
//! nor is the volume with the account's token. Other accounts must exist.
//!
//! Upstream: `plugin/pkg/admission/serviceaccount/admission.go`

use api::{Kind, Object, Pod, PodSpec, Status};
use base::Name;
use serde_json::Value;

use super::Context;
use crate::refusal::forbidden_pod;
use crate::storage::StoreKey;

const DEFAULT: Name = Name::from_static("default");
/// Set by a kubelet on what it runs from a file.
const MIRROR: &str = "kubernetes.io/config.mirror";

pub(super) fn admit(context: Context<'_>, pod: &mut Pod) -> Result<(), Status> {
    let name = account_of(&pod.spec);
    if pod.meta.annotation(MIRROR).is_some() {
        return match name {
            Some(_) => Err(forbidden_pod(pod, "a mirror pod may not reference service accounts")),
            None => Ok(()),
        };
    }
    let name = name.unwrap_or(DEFAULT);
    let key = api::Key::new(Kind::ServiceAccount, pod.meta.namespace.clone(), name.clone());
    let account = context.storage.get(&StoreKey::from(key));
    if account.is_none() && name != DEFAULT {
        let namespace = &pod.meta.namespace;
        let why = format!(
            "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
        );
        return Err(forbidden_pod(pod, &why));
    }
    let secrets = account.and_then(pull_secrets).filter(|_| !has_pull_secrets(&pod.spec)).cloned();
    PodSpec::edit(&mut pod.spec, |spec| {
        spec.rest.set("serviceAccount", name.as_str().into());
        spec.service_account_name = name;
        if let Some(secrets) = secrets {
            spec.rest.set("imagePullSecrets", secrets);
        }
    });
    Ok(())
}

/// `serviceAccount` is the old name of the field, and still read.
fn account_of(spec: &PodSpec) -> Option<Name> {
    let old = || spec.rest.get("serviceAccount").and_then(Value::as_str).map(Name::new);
    let new = Some(spec.service_account_name.clone()).filter(|it| !it.is_empty());
    new.or_else(old).filter(|it| !it.is_empty())
}

fn has_pull_secrets(spec: &PodSpec) -> bool {
    spec.rest.get("imagePullSecrets").and_then(Value::as_array).is_some_and(|it| !it.is_empty())
}

fn pull_secrets(account: &Object) -> Option<&Value> {
    let Object::Raw(account) = account else { return None };
    account.body.get("imagePullSecrets").filter(|it| it.as_array().is_some_and(|it| !it.is_empty()))
}
