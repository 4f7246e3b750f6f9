//! Containers: what they are to be, how they are probed, and how they are.

use std::sync::Arc;

use base::Name;

use crate::int_or_string::IntOrString;
use crate::resources::{ResourceList, ResourceRequirements};
use crate::time::Timestamp;
use crate::wire::{wire, words};

wire! {
    pub struct Container {
        pub name: Name,
        pub image: Name,
        pub image_pull_policy: PullPolicy,
        pub command: Vec<Name>,
        pub args: Vec<Name>,
        pub ports: Vec<ContainerPort>,
        pub resources: ResourceRequirements,
        pub resize_policy: Vec<ContainerResizePolicy>,
        pub liveness_probe: Option<Probe>,
        pub readiness_probe: Option<Probe>,
        pub startup_probe: Option<Probe>,
        pub lifecycle: Option<Lifecycle>,
        /// `Always` on an init container makes it a sidecar.
        pub restart_policy: Option<Name>,
    }
}

wire! {
    /// What becomes of a running container when a resource of it is resized.
    pub struct ContainerResizePolicy {
        /// `cpu` or `memory`.
        pub resource_name: Name,
        pub restart_policy: ResourceResizeRestartPolicy,
    }
}

words! {
    pub enum ResourceResizeRestartPolicy { NotRequired = "NotRequired", RestartContainer = "RestartContainer" }
}

wire! {
    pub struct ContainerPort {
        pub name: Name,
        pub host_port: i32,
        pub container_port: i32,
        /// TCP, UDP or SCTP.
        pub protocol: Name,
        #[serde(rename = "hostIP")]
        pub host_ip: Name,
    }
}

wire! {
    /// A check of a container's health. Seconds are whole; 0 means unset until defaulted.
    pub struct Probe {
        pub exec: Option<ExecAction>,
        pub http_get: Option<HttpGetAction>,
        pub tcp_socket: Option<TcpSocketAction>,
        pub grpc: Option<GrpcAction>,
        pub initial_delay_seconds: i32,
        pub timeout_seconds: i32,
        pub period_seconds: i32,
        pub success_threshold: i32,
        pub failure_threshold: i32,
        pub termination_grace_period_seconds: Option<i64>,
    }
}

wire! {
    pub struct Lifecycle {
        pub post_start: Option<LifecycleHandler>,
        pub pre_stop: Option<LifecycleHandler>,
    }
}

wire! {
    pub struct LifecycleHandler {
        pub exec: Option<ExecAction>,
        pub http_get: Option<HttpGetAction>,
        pub tcp_socket: Option<TcpSocketAction>,
        pub sleep: Option<SleepAction>,
    }
}

wire! {
    pub struct ExecAction {
        pub command: Vec<Name>,
    }
}

wire! {
    pub struct HttpGetAction {
        pub path: Name,
        pub port: IntOrString,
        pub host: Name,
        pub scheme: Name,
    }
}

wire! {
    pub struct TcpSocketAction {
        pub port: IntOrString,
        pub host: Name,
    }
}

wire! {
    pub struct GrpcAction {
        pub port: i32,
        pub service: Option<Name>,
    }
}

wire! {
    pub struct SleepAction {
        pub seconds: i64,
    }
}

words! {
    pub enum PullPolicy { Always = "Always", Never = "Never", IfNotPresent = "IfNotPresent" }
}

wire! {
    pub struct ContainerStatus {
        pub name: Name,
        pub state: ContainerState,
        pub last_state: ContainerState,
        pub ready: bool,
        pub restart_count: i32,
        pub image: Name,
        #[serde(rename = "imageID")]
        pub image_id: Name,
        #[serde(rename = "containerID")]
        pub container_id: Name,
        pub started: Option<bool>,
        /// Requests that the kubelet has set aside for it.
        pub allocated_resources: ResourceList,
        /// What it runs with; behind its spec while it is being resized.
        pub resources: Option<Arc<ResourceRequirements>>,
    }
}

wire! {
    /// At most one of the three is set.
    pub struct ContainerState {
        pub waiting: Option<Box<ContainerWaiting>>,
        pub running: Option<ContainerRunning>,
        pub terminated: Option<Box<ContainerTerminated>>,
    }
}

wire! {
    pub struct ContainerWaiting {
        pub reason: Name,
        pub message: Name,
    }
}

wire! {
    pub struct ContainerRunning {
        pub started_at: Option<Timestamp>,
    }
}

wire! {
    pub struct ContainerTerminated {
        pub exit_code: i32,
        pub signal: i32,
        pub reason: Name,
        pub message: Name,
        pub started_at: Option<Timestamp>,
        pub finished_at: Option<Timestamp>,
        #[serde(rename = "containerID")]
        pub container_id: Name,
    }
}

impl Container {
    /// A restartable init container: it starts before the main ones and runs beside them.
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy.as_ref().is_some_and(|it| it == "Always")
    }

    /// Whether it must be started anew when this resource of it changes: it need not, unless it says so.
    pub fn restarts_on_resize_of(&self, resource: &str) -> bool {
        let policy = self.resize_policy.iter().find(|it| it.resource_name == resource);
        policy.is_some_and(|it| it.restart_policy == ResourceResizeRestartPolicy::RestartContainer)
    }
}
