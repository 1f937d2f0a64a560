//! Who is measured.

/// Who builds and pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// `docker build`, then `docker push`.
    Docker,
    /// `crane push`.
    Crane,
    /// `deploy-tool push`.
    DeployTool,
}

impl Client {
    /// For names and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Crane => "crane",
            Self::DeployTool => "deploy-tool",
        }
    }
}
