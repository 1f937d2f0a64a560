//! How a registry is reached: the same for every verb that talks to one.

use std::path::PathBuf;

use clap::Args;

use oci_artifacts::registry::{Credentials, Trust};

/// How a registry is reached
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct RegistryArguments {
    /// Who logs in, with the password on the standard input [default: who has logged in with `docker login`]
    ///
    /// Without it: REGISTRY_USERNAME and REGISTRY_PASSWORD, for Docker Hub also DOCKER_USERNAME and DOCKER_PASSWORD, then
    /// Docker's configuration and the credential helpers that it names.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub user: Option<String>,
    /// Read the password or access token from the standard input
    #[arg(long, requires = "user")]
    pub password_stdin: bool,
    /// Who is believed to be the registry
    #[command(flatten)]
    pub trust: TrustArguments,
}

/// Who is believed to be a registry
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct TrustArguments {
    /// Certificates of the authority to trust beside the system's [default: Docker's, /etc/docker/certs.d]
    #[arg(long, value_name = "FILE")]
    pub registry_ca: Option<PathBuf>,
    /// Talk to the registry without TLS: who sits between reads the password; not needed on this machine
    #[arg(long)]
    pub insecure_http: bool,
}

/// How images come to the nodes
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct PublishArguments {
    /// Push the images there, and let the nodes pull them: docker.io/you, registry.example.com/team
    ///
    /// Each image keeps the last part of its own name. With a login, a Secret of the release lets the nodes log in as well,
    /// unless a pod template names `imagePullSecrets` itself. Without it, images are loaded into the nodes of kind clusters.
    #[arg(long, value_name = "PREFIX", hide_env_values = true, env = "DEPLOY_TOOL_REGISTRY")]
    pub registry: Option<String>,
    /// How it is reached
    #[command(flatten)]
    pub reach: RegistryArguments,
}

impl RegistryArguments {
    /// What they say of the login.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            user: self.user.clone(),
            password_on_stdin: self.password_stdin,
        }
    }

    /// Who is believed to be the registry.
    pub fn trust(&self) -> Trust {
        self.trust.trust()
    }
}

impl TrustArguments {
    /// Who is believed to be the registry.
    pub fn trust(&self) -> Trust {
        Trust {
            authority: self.registry_ca.clone(),
            insecure_http: self.insecure_http,
        }
    }
}
