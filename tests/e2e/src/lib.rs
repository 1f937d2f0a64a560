//! What every test with a cluster uses: the tool, kubectl, HTTP from outside the cluster, conditions that are waited for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod browser;
mod case;
mod command;
mod command_output;
mod deployment;
mod environment;
mod http;
mod kubernetes;
mod local_server;
mod machine;
mod namespace;
pub mod proxy;
pub mod random;
pub mod registry;
mod running;

pub use service_tests::{await_that, container_label, eventually, scaled, time_limit};

pub use case::Case;
pub use command::{
    bench_command, built, cargo, copy_sources, deploy_tool, deploy_tool_command, deploy_tool_exactly, script,
    tool_timeout,
};
pub use command_output::CommandOutput;
pub use deployment::Deployment;
pub use environment::{cluster, context, node_image, pause_image, pinned, repository, url};
pub use http::{answered, http_client, order, reachable, request};
pub use kubernetes::{NodePort, kubectl, kubectl_with_input, object, pods, worker_address};
pub use machine::Machine;
pub use namespace::{Namespace, unique};
pub use running::Running;
