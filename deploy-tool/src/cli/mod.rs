//! The command line: structures only, one file a verb. Their comments are the help texts; examples stand below them.

mod aot;
mod apply;
mod build;
mod bundle;
mod cluster;
mod cluster_arguments;
mod completion;
mod dev;
mod docker;
mod doctor;
mod down;
mod example;
mod explain;
mod global;
pub mod help;
mod hint;
mod history;
mod init;
mod inspect;
mod logs;
mod man;
mod new;
mod node;
mod open;
mod parse;
mod plan;
mod push;
mod registry;
mod restart;
mod rollback;
mod scale;
mod sign;
mod signed;
mod status;
mod up;
mod wait;

pub use aot::Aot;
pub use apply::ApplyArguments;
pub use build::{BuildArguments, SourceArguments};
pub use bundle::BundleArguments;
pub use cluster::{ClusterCommand, ClusterDownArguments, ClusterUpArguments};
pub use cluster_arguments::ClusterArguments;
pub use completion::CompletionArguments;
pub use dev::DevArguments;
pub use docker::{DockerCommand, DockerInstallArguments};
pub use doctor::DoctorArguments;
pub use down::DownArguments;
pub use explain::ExplainArguments;
pub use global::{Color, GlobalArguments, OutputFormat, color_of};
pub use history::HistoryArguments;
pub use init::InitArguments;
pub use inspect::InspectArguments;
pub use logs::LogsArguments;
pub use man::ManArguments;
pub use new::{Database, NewArguments, Server, Vcs};
pub use node::{NodeArguments, NodeCommand, NodeInstallArguments, NodeRemoveArguments, NodeStatusArguments};
pub use open::OpenArguments;
pub use parse::parse;
pub use plan::PlanArguments;
pub use push::PushArguments;
pub use registry::{PublishArguments, RegistryArguments, TlsArguments};
pub use restart::RestartArguments;
pub use rollback::RollbackArguments;
pub use scale::ScaleArguments;
pub use sign::{SignArguments, VerifyArguments};
pub use signed::SignedArguments;
pub use status::StatusArguments;
pub use up::UpArguments;
pub use wait::WaitArguments;

use clap::{Parser, Subcommand};

/// Deploys to Kubernetes: builds, applies, waits, and says why when it does not work
///
/// Takes any manifests, and Rust services as Wasm images beside ordinary containers. It acts on the local cluster of
/// `deploy-tool cluster up` unless --context names another: the current context of a kubeconfig is never used.
#[derive(Debug, Parser)]
#[command(name = "deploy-tool", version, max_term_width = 110, infer_long_args = false)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// What every command has
    #[command(flatten)]
    pub global: GlobalArguments,
}

/// What to do. A verb needs a group and a row of EXAMPLES in help.rs, and a snapshot of its help: see CONTRIBUTING.md.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a project: a service that builds, tests and deploys
    ///
    /// A small HTTP service on hyper and tokio that runs natively and as Wasm, with tests, manifests and a CI workflow. Asks
    /// nothing and needs neither network nor Docker nor a cluster.
    New(NewArguments),
    /// Check whether an existing crate runs as Wasm; add what it lacks
    ///
    /// Threads, C code, sockets of other runtimes: each reason with its file and line, before a compiler says it in its own
    /// words. Where other dependencies are enough, the difference of Cargo.toml is shown. Adds manifests and a workflow;
    /// what is there already stays as it is. Needs neither network nor Docker nor a cluster.
    Init(InitArguments),
    /// Build, apply, wait until everything is ready, report
    ///
    /// Builds the images that the manifests name as deploy-tool://NAME, brings them to the nodes, applies the objects in
    /// the order in which they need each other, and waits until exactly what was applied is ready. What is
    /// wrong is shown as soon as it is seen; it gives up when nothing can put it right any more, or with --fail-fast at
    /// once. Run again, it changes nothing.
    Up(UpArguments),
    /// Deploy each change as it is saved; follow logs, keep a port open
    ///
    /// Watches the sources, the manifests and the image definitions. A change is compiled in seconds, and interpreted; what
    /// does not compile is shown, and the version before it is still served. The port and the logs follow the pods. Ctrl-C
    /// leaves what runs. For kind clusters alone, into whose nodes images are loaded.
    Dev(DevArguments),
    /// Show what `up` would change, field by field; changes nothing
    ///
    /// The cluster itself tries every object without storing it (server-side dry run), so that what it would refuse is
    /// found here: wrong fields, fields that others have set, fields that never change, quotas, missing permissions.
    /// Only the fields of the manifests are compared, and Secrets are shown by their length.
    #[command(visible_alias = "diff")]
    Plan(PlanArguments),
    /// Apply and wait like `up`, without building
    ///
    /// Where a manifest names an image as deploy-tool://NAME, the one that the release has already stays.
    Apply(ApplyArguments),
    /// Compile a service to Wasm and pack its image; touches no cluster
    ///
    /// The same source and versions give the same image on every machine. What is there already is not made again.
    Build(BuildArguments),
    /// Unpack an image into an OCI runtime bundle, for `crun run`
    ///
    /// A folder with the files of the image and a config.json that crun with WasmEdge, and for Linux images runc as well, run
    /// without an engine or a cluster. The container has the host's network, and sees nothing else of the host.
    Bundle(BundleArguments),
    /// Say what is in an image or a Wasm module, and warn of known traps
    ///
    /// Platforms, layers, entrypoint, what the module imports and who offers that, native code and for which engine, what is
    /// attached. Takes images here and in registries. Runs nothing and asks no cluster.
    Inspect(InspectArguments),
    /// Push an image to a registry; touches no cluster
    ///
    /// What the registry has already is not sent again, an upload that is cut goes on where it was, and the tags move last:
    /// whoever pulls gets the whole image. Prints the exact reference. Never tags `latest` unless told.
    Push(PushArguments),
    /// Sign an image in a registry, for `verify` and cosign
    ///
    /// The signature is of the image's digest and is kept beside it in the registry, in the form of cosign. The provenance
    /// that is attached is signed as well. What the key has signed already is left as it is.
    Sign(SignArguments),
    /// Check that an image in a registry is signed by the holder of a key
    ///
    /// Prints the exact reference that is signed: deploy that one, for a tag may lead elsewhere later. Also tells who built
    /// it from which sources, as signed provenance says.
    Verify(VerifyArguments),
    /// Bring back an earlier revision, manifests and images, as a new one
    ///
    /// Objects that only the newer revision has are deleted; data stays as it is.
    Rollback(RollbackArguments),
    /// Delete what the release has made, except the data
    ///
    /// Volumes, generated passwords, the namespace and the history stay, and are named: `rollback` or `up` bring the rest
    /// back. What others made stays as well, also with --delete-data, and with it the namespace that it is in.
    Down(DownArguments),
    /// Show what runs: pods, workloads, Services, CronJobs
    ///
    /// All of the namespace, Wasm or not, Ingresses and autoscalers included, as far as this user may see it; what is left
    /// out is named. MODE says how a Wasm service runs: `aot` is compiled ahead of time, `interpreter` is fifteen times
    /// slower and means that node and builder have different engines.
    Status(StatusArguments),
    /// Print what containers write, of one pod or of many
    ///
    /// Pods are found by the name of their workload, by their own, or all of them. With --follow, restarts, rollouts and
    /// new pods are followed as well, at most 50 containers at once. A container that has not started says why.
    Logs(LogsArguments),
    /// Open a port of this host that leads to a Service, until Ctrl-C
    ///
    /// Connections go through the API server to a ready pod of the Service, and to another one when that goes. Only this
    /// host can use the port.
    Open(OpenArguments),
    /// List the revisions of the release, or show the objects of one
    ///
    /// The last ten are kept in the cluster, and the newest that came up.
    History(HistoryArguments),
    /// Change the number of replicas and wait for them
    ///
    /// Several workloads at once, or none: everything is checked before anything is changed. Refuses more replicas than the
    /// database has connections for, and counts that an autoscaler would undo.
    Scale(ScaleArguments),
    /// Replace the pods of some workloads, or of all, and wait
    ///
    /// Nothing else changes. Pods are replaced as in a rollout, so a Service keeps answering, and a later `up` leaves it at
    /// that. Refused where pods would stay: a paused rollout, or the update strategy OnDelete.
    Restart(RestartArguments),
    /// Create or delete a local kind cluster
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Pull or make the images that builds and local clusters need
    ///
    /// That of the compiler, that of a kind cluster's nodes, and that of `node install`, before they are needed: other verbs
    /// do the same for the one that they lack. A release pulls those of exactly its version; DEPLOY_TOOL_IMAGES names another registry that has them.
    /// Where there is none, they are made here, which takes 20 to 40 minutes once; what was made here is brought up to date.
    Images,
    /// Install the Wasm runtime on nodes of a cluster, or remove it
    #[command(subcommand)]
    Node(NodeCommand),
    /// Register crun with WasmEdge at the Docker engine, or remove it
    #[command(subcommand)]
    Docker(DockerCommand),
    /// Diagnose Wasm support on the nodes
    ///
    /// From the API server over RuntimeClass, nodes and containerd to a tiny guest that a pod on each node runs for a few
    /// seconds: what reaches it, whom it reaches, how it ends, and whether native code has its effect. After a check that fails
    /// the others are skipped. Nothing but those pods is written, and they are deleted.
    Doctor(DoctorArguments),
    /// Explain an error code, and what to do about it
    Explain(ExplainArguments),
    /// Print the version, and the versions it is made for
    Version,
    /// Print the completion of a shell
    Completion(CompletionArguments),
    /// Print the manual page, or write all pages into a folder
    Man(ManArguments),
}

/// What the first signal does to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalHandling {
    /// It stops the work, wherever that is.
    Abort,
    /// The work handles it, and ends by itself.
    Graceful,
}

impl Command {
    /// What the first signal does to it.
    pub fn signal_handling(&self) -> SignalHandling {
        match self {
            Self::Dev(_) => SignalHandling::Graceful,
            _ => SignalHandling::Abort,
        }
    }

    /// Whether it changes something and takes its time: with `--output json` it then prints events while it works. The
    /// others print one document.
    pub fn prints_events(&self) -> bool {
        match self {
            Self::Up(_)
            | Self::Apply(_)
            | Self::Rollback(_)
            | Self::Build(_)
            | Self::Push(_)
            | Self::Sign(_)
            | Self::Verify(_)
            | Self::Down(_)
            | Self::Scale(_)
            | Self::Restart(_)
            | Self::Cluster(_)
            | Self::Images
            | Self::Docker(DockerCommand::Install(_) | DockerCommand::Remove)
            | Self::Dev(_)
            | Self::Node(NodeCommand::Install(_) | NodeCommand::Remove(_)) => true,
            Self::Plan(_) | Self::Status(_) | Self::History(_) | Self::Logs(_) | Self::Open(_) | Self::Doctor(_) => {
                false
            }
            Self::Docker(DockerCommand::Status) | Self::Node(NodeCommand::Status(_)) => false,
            Self::New(_)
            | Self::Init(_)
            | Self::Bundle(_)
            | Self::Inspect(_)
            | Self::Explain(_)
            | Self::Version
            | Self::Completion(_)
            | Self::Man(_) => false,
        }
    }
}
