//! How a registry is reached: the same for every verb that talks to one.

use std::path::PathBuf;

use clap::Args;

use oci_artifacts::registry::{Credentials, TlsOptions};

/// How a registry is reached
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct RegistryArguments {
    /// Who logs in, with the password on the standard input [default: who has logged in with `docker login`]
    ///
    /// Without it: REGISTRY_USERNAME and REGISTRY_PASSWORD, for the registry that REGISTRY_HOST names, or without that for one
    /// that is written to; for Docker Hub also DOCKER_USERNAME and DOCKER_PASSWORD; then the files of podman and Docker and the
    /// credential helpers that they name.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub user: Option<String>,
    /// Read the password or access token from the standard input
    #[arg(long, requires = "user")]
    pub password_stdin: bool,
    /// Who is believed to be the registry
    #[command(flatten)]
    pub tls: TlsArguments,
}

/// How connections to a registry are secured
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct TlsArguments {
    /// Certificates to trust beside the system's [default: Docker's and podman's, in /etc/docker/certs.d and the like]
    #[arg(long, value_name = "FILE")]
    pub registry_ca: Option<PathBuf>,
    /// Use plain HTTP: passwords can be read on the network; not needed for a registry on this machine
    #[arg(long)]
    pub insecure_http: bool,
}

/// How images come to the nodes
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct PublishArguments {
    /// Push the images there, and let the nodes pull them: docker.io/you, registry.example.com/team
    ///
    /// Each image keeps the last part of its own name. Without it, images are loaded into the nodes of kind clusters.
    #[arg(long, value_name = "PREFIX", hide_env_values = true, env = "DEPLOY_TOOL_REGISTRY")]
    pub registry: Option<String>,
    /// Secret with which the nodes pull from there, as `kubectl create secret docker-registry` makes it
    ///
    /// It has to be in each namespace with such images. Pod templates that name `imagePullSecrets` themselves are left as
    /// they are. The login of this command stays here.
    #[arg(long, value_name = "NAME", hide_env_values = true, env = "DEPLOY_TOOL_PULL_SECRET")]
    pub pull_secret: Option<String>,
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

    /// How connections to the registry are secured.
    pub fn tls_options(&self) -> TlsOptions {
        self.tls.options()
    }
}

impl TlsArguments {
    /// How connections to the registry are secured.
    pub fn options(&self) -> TlsOptions {
        TlsOptions {
            authority: self.registry_ca.clone(),
            insecure_http: self.insecure_http,
        }
    }
}
