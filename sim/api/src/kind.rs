//! The registry of kinds: one row each. A new kind is its type, in a file of its own, and a row here.

use std::sync::Arc;

use base::Name;

use crate::meta::{Key, Meta};
use crate::raw::Raw;

/// What the API server knows about a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindInfo {
    pub group: &'static str,
    /// The version that v1.34 stores and prefers.
    pub version: &'static str,
    pub name: &'static str,
    /// As in request paths: `deployments`.
    pub plural: &'static str,
    /// As `kubectl` takes them besides singular and plural: `deploy`.
    pub short: &'static [&'static str],
    pub namespaced: bool,
    /// Whether its behaviour is simulated, as opposed to being stored only.
    pub modelled: bool,
}

/// A kind that no built-in API has: from a CustomResourceDefinition, or just met in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomKind {
    pub group: Name,
    pub version: Name,
    pub name: Name,
    pub plural: Name,
    pub namespaced: bool,
}

/// One kind of our own type.
pub trait Resource: Sized + Send + Sync + 'static {
    const KIND: Kind;

    fn meta(&self) -> &Meta;

    fn meta_mut(&mut self) -> &mut Meta;

    /// The object as this kind, if it is of this kind.
    fn of(object: &Object) -> Option<&Arc<Self>>;

    /// The object as this kind, to be changed: it is copied first if it is shared.
    fn of_mut(object: &mut Object) -> Option<&mut Self>;

    fn into_object(self: Arc<Self>) -> Object;

    fn key(&self) -> Key {
        Key { kind: Self::KIND, namespace: self.meta().namespace.clone(), name: self.meta().name.clone() }
    }
}

macro_rules! kinds {
    (
        modelled { $($kind:ident : $group:literal $version:literal $plural:literal [$($short:literal)*] $scope:ident;)* }
        stored { $($raw:ident : $rgroup:literal $rversion:literal $rplural:literal [$($rshort:literal)*] $rscope:ident;)* }
    ) => {
        /// A kind of object. Every built-in kind of v1.34 that can be stored, and any custom one.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($kind,)*
            $($raw,)*
            Custom(Arc<CustomKind>),
        }

        /// Any object. Cloning copies a pointer; writing copies the object once (`Arc::make_mut`).
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object {
            $($kind(Arc<crate::$kind>),)*
            /// Of a kind that is stored, shown and selected, but has no behaviour here.
            Raw(Arc<Raw>),
        }

        impl Kind {
            /// Every built-in kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)* $(Self::$raw,)*];

            /// What is known of a built-in kind.
            pub const fn info(&self) -> Option<&'static KindInfo> {
                match self {
                    $(Self::$kind => Some(&KindInfo {
                        group: $group, version: $version, name: stringify!($kind), plural: $plural,
                        short: &[$($short),*], namespaced: kinds!(@ $scope), modelled: true,
                    }),)*
                    $(Self::$raw => Some(&KindInfo {
                        group: $rgroup, version: $rversion, name: stringify!($raw), plural: $rplural,
                        short: &[$($rshort),*], namespaced: kinds!(@ $rscope), modelled: false,
                    }),)*
                    Self::Custom(_) => None,
                }
            }
        }

        impl Object {
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                    Self::Raw(it) => it.kind.clone(),
                }
            }

            pub fn meta(&self) -> &Meta {
                match self {
                    $(Self::$kind(it) => &it.meta,)*
                    Self::Raw(it) => &it.meta,
                }
            }

            /// The metadata to be changed: the object is copied first if it is shared.
            pub fn meta_mut(&mut self) -> &mut Meta {
                match self {
                    $(Self::$kind(it) => &mut Arc::make_mut(it).meta,)*
                    Self::Raw(it) => &mut Arc::make_mut(it).meta,
                }
            }

            /// Whether both are the very same stored object, which is cheaper than comparing them.
            pub fn is_same(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$kind(a), Self::$kind(b)) => Arc::ptr_eq(a, b),)*
                    (Self::Raw(a), Self::Raw(b)) => Arc::ptr_eq(a, b),
                    _ => false,
                }
            }

            pub(crate) fn decode(kind: &Kind, value: serde_json::Value) -> Result<Self, serde_json::Error> {
                Ok(match kind {
                    $(Kind::$kind => Self::$kind(Arc::new(serde_json::from_value(value)?)),)*
                    $(Kind::$raw)|* | Kind::Custom(_) => Self::Raw(Arc::new(Raw::decode(kind.clone(), value)?)),
                })
            }

            /// Writes all fields but `apiVersion` and `kind`. What we do not model is marked as [`crate::UNMODELLED`].
            pub fn serialize_fields<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$kind(it) => serde::Serialize::serialize(it.as_ref(), serializer),)*
                    Self::Raw(it) => it.serialize_fields(serializer),
                }
            }
        }

        $(impl Resource for crate::$kind {
            const KIND: Kind = Kind::$kind;

            fn meta(&self) -> &Meta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.meta
            }

            fn of(object: &Object) -> Option<&Arc<Self>> {
                if let Object::$kind(it) = object { Some(it) } else { None }
            }

            fn of_mut(object: &mut Object) -> Option<&mut Self> {
                if let Object::$kind(it) = object { Some(Arc::make_mut(it)) } else { None }
            }

            fn into_object(self: Arc<Self>) -> Object {
                Object::$kind(self)
            }
        })*
    };
    (@ Namespaced) => { true };
    (@ Cluster) => { false };
}

kinds! {
    modelled {
        CSIDriver: "storage.k8s.io" "v1" "csidrivers" [] Cluster;
        CSINode: "storage.k8s.io" "v1" "csinodes" [] Cluster;
        CSIStorageCapacity: "storage.k8s.io" "v1" "csistoragecapacities" [] Namespaced;
        ControllerRevision: "apps" "v1" "controllerrevisions" [] Namespaced;
        CronJob: "batch" "v1" "cronjobs" ["cj"] Namespaced;
        DaemonSet: "apps" "v1" "daemonsets" ["ds"] Namespaced;
        Deployment: "apps" "v1" "deployments" ["deploy"] Namespaced;
        DeviceClass: "resource.k8s.io" "v1" "deviceclasses" [] Cluster;
        DeviceTaintRule: "resource.k8s.io" "v1alpha3" "devicetaintrules" [] Cluster;
        EndpointSlice: "discovery.k8s.io" "v1" "endpointslices" [] Namespaced;
        Event: "" "v1" "events" ["ev"] Namespaced;
        HorizontalPodAutoscaler: "autoscaling" "v2" "horizontalpodautoscalers" ["hpa"] Namespaced;
        Job: "batch" "v1" "jobs" [] Namespaced;
        Lease: "coordination.k8s.io" "v1" "leases" [] Namespaced;
        LimitRange: "" "v1" "limitranges" ["limits"] Namespaced;
        Namespace: "" "v1" "namespaces" ["ns"] Cluster;
        Node: "" "v1" "nodes" ["no"] Cluster;
        PersistentVolume: "" "v1" "persistentvolumes" ["pv"] Cluster;
        PersistentVolumeClaim: "" "v1" "persistentvolumeclaims" ["pvc"] Namespaced;
        Pod: "" "v1" "pods" ["po"] Namespaced;
        PodDisruptionBudget: "policy" "v1" "poddisruptionbudgets" ["pdb"] Namespaced;
        PriorityClass: "scheduling.k8s.io" "v1" "priorityclasses" ["pc"] Cluster;
        ReplicaSet: "apps" "v1" "replicasets" ["rs"] Namespaced;
        ReplicationController: "" "v1" "replicationcontrollers" ["rc"] Namespaced;
        ResourceClaim: "resource.k8s.io" "v1" "resourceclaims" [] Namespaced;
        ResourceClaimTemplate: "resource.k8s.io" "v1" "resourceclaimtemplates" [] Namespaced;
        ResourceSlice: "resource.k8s.io" "v1" "resourceslices" [] Cluster;
        Service: "" "v1" "services" ["svc"] Namespaced;
        StatefulSet: "apps" "v1" "statefulsets" ["sts"] Namespaced;
        StorageClass: "storage.k8s.io" "v1" "storageclasses" ["sc"] Cluster;
        VolumeAttachment: "storage.k8s.io" "v1" "volumeattachments" [] Cluster;
    }
    stored {
        APIService: "apiregistration.k8s.io" "v1" "apiservices" [] Cluster;
        CertificateSigningRequest: "certificates.k8s.io" "v1" "certificatesigningrequests" ["csr"] Cluster;
        ClusterRole: "rbac.authorization.k8s.io" "v1" "clusterroles" [] Cluster;
        ClusterRoleBinding: "rbac.authorization.k8s.io" "v1" "clusterrolebindings" [] Cluster;
        ClusterTrustBundle: "certificates.k8s.io" "v1beta1" "clustertrustbundles" [] Cluster;
        ConfigMap: "" "v1" "configmaps" ["cm"] Namespaced;
        CustomResourceDefinition: "apiextensions.k8s.io" "v1" "customresourcedefinitions" ["crd" "crds"] Cluster;
        Endpoints: "" "v1" "endpoints" ["ep"] Namespaced;
        FlowSchema: "flowcontrol.apiserver.k8s.io" "v1" "flowschemas" [] Cluster;
        IPAddress: "networking.k8s.io" "v1" "ipaddresses" ["ip"] Cluster;
        Ingress: "networking.k8s.io" "v1" "ingresses" ["ing"] Namespaced;
        IngressClass: "networking.k8s.io" "v1" "ingressclasses" [] Cluster;
        LeaseCandidate: "coordination.k8s.io" "v1beta1" "leasecandidates" [] Namespaced;
        MutatingAdmissionPolicy: "admissionregistration.k8s.io" "v1beta1" "mutatingadmissionpolicies" [] Cluster;
        MutatingAdmissionPolicyBinding: "admissionregistration.k8s.io" "v1beta1" "mutatingadmissionpolicybindings" [] Cluster;
        MutatingWebhookConfiguration: "admissionregistration.k8s.io" "v1" "mutatingwebhookconfigurations" [] Cluster;
        NetworkPolicy: "networking.k8s.io" "v1" "networkpolicies" ["netpol"] Namespaced;
        PodTemplate: "" "v1" "podtemplates" [] Namespaced;
        PriorityLevelConfiguration: "flowcontrol.apiserver.k8s.io" "v1" "prioritylevelconfigurations" [] Cluster;
        ResourceQuota: "" "v1" "resourcequotas" ["quota"] Namespaced;
        Role: "rbac.authorization.k8s.io" "v1" "roles" [] Namespaced;
        RoleBinding: "rbac.authorization.k8s.io" "v1" "rolebindings" [] Namespaced;
        RuntimeClass: "node.k8s.io" "v1" "runtimeclasses" [] Cluster;
        Secret: "" "v1" "secrets" [] Namespaced;
        ServiceAccount: "" "v1" "serviceaccounts" ["sa"] Namespaced;
        ServiceCIDR: "networking.k8s.io" "v1" "servicecidrs" [] Cluster;
        ValidatingAdmissionPolicy: "admissionregistration.k8s.io" "v1" "validatingadmissionpolicies" [] Cluster;
        ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io" "v1" "validatingadmissionpolicybindings" [] Cluster;
        ValidatingWebhookConfiguration: "admissionregistration.k8s.io" "v1" "validatingwebhookconfigurations" [] Cluster;
        VolumeAttributesClass: "storage.k8s.io" "v1" "volumeattributesclasses" ["vac"] Cluster;
    }
}

impl Kind {
    /// The built-in kind called `name` in the group of `api_version`, whichever version that states.
    pub fn find(api_version: &str, name: &str) -> Option<Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let group = if group == "events.k8s.io" { "" } else { group }; // One storage, two groups.
        let found = |kind: &&Self| kind.info().is_some_and(|it| it.name == name && it.group == group);
        Self::ALL.iter().find(found).cloned()
    }

    /// The built-in kind that `kubectl` means by `word`: singular, plural or short name, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let (word, group) = word.split_once('.').unwrap_or((&word, ""));
        let found = |kind: &&Self| {
            kind.info().is_some_and(|it| {
                (it.plural == word || it.name.eq_ignore_ascii_case(word) || it.short.contains(&word))
                    && it.group.starts_with(group)
            })
        };
        Self::ALL.iter().find(found).cloned()
    }

    pub fn group(&self) -> Name {
        self.part(|it| &it.group, |it| it.group)
    }

    /// `apps/v1`, `v1`.
    pub fn api_version(&self) -> Name {
        let (group, version) = (self.group(), self.part(|it| &it.version, |it| it.version));
        if group.is_empty() { version } else { Name::from(format_args!("{group}/{version}")) }
    }

    /// `Deployment`.
    pub fn name(&self) -> Name {
        self.part(|it| &it.name, |it| it.name)
    }

    /// `deployment`.
    pub fn singular(&self) -> Name {
        Name::from(self.name().to_ascii_lowercase())
    }

    /// `deployments`.
    pub fn plural(&self) -> Name {
        self.part(|it| &it.plural, |it| it.plural)
    }

    /// `deployments.apps`, `pods`: how the API server names the resource in its messages.
    pub fn qualified_plural(&self) -> Name {
        let group = self.group();
        if group.is_empty() { self.plural() } else { Name::from(format_args!("{}.{group}", self.plural())) }
    }

    pub fn is_namespaced(&self) -> bool {
        if let Self::Custom(custom) = self {
            custom.namespaced
        } else {
            self.info().is_some_and(|it| it.namespaced)
        }
    }

    fn part(&self, of_custom: fn(&CustomKind) -> &Name, of_builtin: fn(&KindInfo) -> &'static str) -> Name {
        if let Self::Custom(custom) = self {
            return of_custom(custom).clone();
        }
        let info = self.info().expect("all kinds but custom ones are in the registry");
        Name::from_static(of_builtin(info))
    }
}
