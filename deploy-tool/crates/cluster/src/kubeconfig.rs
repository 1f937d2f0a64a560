//! Edge: where a context's API server is, and who the user is there: from kubeconfig files, or from the pod that this runs
//! in.

use std::path::{Path, PathBuf};

use kube::Config;
use kube::config::{ExecAuthCluster, ExecConfig, Kubeconfig, KubeconfigError};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::context::{DEFAULT_CONTEXT, IN_CLUSTER, cluster_hint};
use crate::proxy::{Environment, Proxy};
use diagnostics::{Error, Result};

/// Where a pod finds the token of its service account.
/// <https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The context that is meant when none is named: that of the cluster around, for a pod without any kubeconfig.
pub fn default_context() -> &'static str {
    let in_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && std::path::Path::new(TOKEN).exists();
    if in_pod && !files().iter().any(|file| file.exists()) {
        IN_CLUSTER
    } else {
        DEFAULT_CONTEXT
    }
}

/// The configuration of a connection.
#[derive(Debug)]
pub struct Access {
    /// The server and the user.
    pub config: Config,
    /// The proxy, if there is one.
    pub proxy: Option<Proxy>,
}

/// Finds a context.
///
/// # Errors
/// When it is in no kubeconfig, or there is something wrong with it.
pub fn access(context: &str) -> Result<Access> {
    let files = files();
    let kubeconfig = read(&files)?;
    let environment = Environment::new(|name| std::env::var(name).ok());
    let known = |name: &str| kubeconfig.contexts.iter().any(|known| known.name == name);
    let (mut config, named) = match context {
        IN_CLUSTER if !known(IN_CLUSTER) => {
            let config = Config::incluster().map_err(|error| {
                Error::input("this does not run in a pod that may use the API server")
                    .cause(error)
                    .hint("name a context of a kubeconfig with --context")
            })?;
            (config, None)
        }
        _ if known(context) => of_context(kubeconfig, context)?,
        _ => return Err(unknown(context, &kubeconfig, &files)),
    };
    let proxy = environment
        .proxy(&config.cluster_url, named.as_deref())
        .map_err(|error| unusable(context, &error))?;
    config.proxy_url = proxy.as_ref().map(|proxy| proxy.url.clone());
    Ok(Access { config, proxy })
}

/// Whether the kubeconfig has a context.
///
/// # Errors
/// When one of its files cannot be read.
pub fn has_context(context: &str) -> Result<bool> {
    let contexts = read(&files())?.contexts;
    Ok(contexts.iter().any(|known| known.name == context))
}

/// The files that the kubeconfig is made of, whether they are there or not.
/// <https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/>
pub(crate) fn files() -> Vec<PathBuf> {
    let listed = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let listed: Vec<PathBuf> = std::env::split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if listed.is_empty() {
        std::env::home_dir()
            .map(|home| home.join(".kube/config"))
            .into_iter()
            .collect()
    } else {
        listed
    }
}

/// All files as one; as with `kubectl`, those that are not there do not count.
fn read(files: &[PathBuf]) -> Result<Kubeconfig> {
    let unreadable = |file: &Path, error: KubeconfigError| {
        // Its own words have the file's name a second time, or an extract that may hold a secret.
        let why = match error {
            KubeconfigError::ReadConfig(error, _) => error.to_string(),
            error => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        Error::input(format!("the kubeconfig `{}` cannot be read", file.display()))
            .cause(why)
            .hint("correct the file, or leave it out of KUBECONFIG")
    };
    files.iter().try_fold(Kubeconfig::default(), |before, file| {
        match Kubeconfig::read_from(file) {
            Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == std::io::ErrorKind::NotFound => Ok(before),
            found => found
                .and_then(|next| before.merge(next))
                .map_err(|error| unreadable(file, error)),
        }
    })
}

/// As kube makes it, but without kube's reading of `NO_PROXY`, which it compares with the proxy in place of the server.
/// With it comes the proxy that the kubeconfig names.
fn of_context(kubeconfig: Kubeconfig, name: &str) -> Result<(Config, Option<String>)> {
    let lacks = |message: String| unusable(name, &message);
    let context = kubeconfig.contexts.into_iter().find(|context| context.name == name);
    let context = context.and_then(|context| context.context);
    let context = context.ok_or_else(|| lacks("it is empty".to_owned()))?;
    let cluster = kubeconfig
        .clusters
        .into_iter()
        .find(|entry| entry.name == context.cluster);
    let cluster = cluster.and_then(|cluster| cluster.cluster);
    let cluster = cluster.ok_or_else(|| lacks(format!("the kubeconfig has no cluster `{}`", context.cluster)))?;
    // As in kubectl, a missing user means anonymous requests.
    let user = context.user.as_ref().and_then(|user| {
        let mut users = kubeconfig.auth_infos.into_iter();
        users.find(|entry| entry.name == *user)?.auth_info
    });
    let mut user = user.unwrap_or_default();
    let described = ExecAuthCluster::try_from(&cluster).map_err(|error| unusable(name, &error))?;
    let server = cluster.server.as_deref().unwrap_or_default();
    let server = server
        .parse()
        .map_err(|error| lacks(format!("its server is `{server}`: {error}")))?;
    let mut config = Config::new(server);
    if let Some(pem) = &described.certificate_authority_data {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|error| lacks(format!("its certificate authority: {error:?}")))?;
        config.root_cert = Some(certificates.iter().map(|certificate| certificate.to_vec()).collect());
    }
    if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        exec.cluster = Some(described);
    }
    config.default_namespace = context.namespace.unwrap_or_else(|| "default".to_owned());
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name;
    config.auth_info = user;
    Ok((config, cluster.proxy_url))
}

/// A context that there is and that does not work.
pub(crate) fn unusable(context: &str, error: &dyn std::fmt::Display) -> Error {
    unusable_for(context, error).hint("correct the kubeconfig, or name another context with --context")
}

fn unusable_for(context: &str, error: &dyn std::fmt::Display) -> Error {
    Error::input(format!("the kubeconfig's context `{context}` cannot be used")).cause(error)
}

/// The program that the kubeconfig names for the login does not start: most often it is not installed.
pub(crate) fn no_login_program(context: &str, exec: &ExecConfig, error: &std::io::Error) -> Error {
    let program = exec.command.as_deref().unwrap_or_default();
    let failure = unusable_for(
        context,
        &format!("the program `{program}`, which it names for the login: {error}"),
    );
    let hint = exec
        .install_hint
        .as_deref()
        .map(str::trim)
        .filter(|hint| !hint.is_empty());
    failure.hint(hint.map_or_else(
        || format!("install `{program}`, or put its folder into PATH"),
        str::to_owned,
    ))
}

fn unknown(context: &str, kubeconfig: &Kubeconfig, files: &[PathBuf]) -> Error {
    let known: Vec<&str> = kubeconfig.contexts.iter().map(|known| known.name.as_str()).collect();
    let (existing, missing): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|file| file.exists());
    let listed = |files: &[&PathBuf]| {
        let names = files.iter().map(|file| format!("`{}`", file.display()));
        names.collect::<Vec<_>>().join(", ")
    };
    let mut failure = Error::input(format!("the kubeconfig has no context `{context}`"));
    failure = match (known.is_empty(), existing.is_empty()) {
        (false, _) => failure.cause(format!("it has: {}", known.join(", "))),
        (true, false) => failure.cause(format!("it has none: {}", listed(&existing))),
        (true, true) => failure.cause("it has none"),
    };
    if !missing.is_empty() {
        failure = failure.cause(format!("not there: {}", listed(&missing)));
    }
    match cluster_hint(context) {
        Some(hint) => failure.hint(hint).hint("or name another context with --context"),
        None => failure.hint("name another context with --context"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &std::path::Path, name: &str, context: &str) -> PathBuf {
        let path = folder.join(name);
        let text = format!(
            "contexts:\n- name: {context}\n  context: {{cluster: c}}\nclusters:\n- name: c\n  cluster: {{server: \"https://192.0.2.1:6443\"}}\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_missing_login_program_is_named() {
        let exec = |text: &str| serde_json::from_str::<ExecConfig>(text).unwrap();
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        let cases = [
            (r#"{"command": "login-plugin"}"#, "install `login-plugin`"),
            (
                r#"{"command": "login-plugin", "installHint": "get it there\n"}"#,
                "next: get it there",
            ),
        ];
        for (text, expected) in cases {
            let failure = no_login_program("c", &exec(text), &error).to_string();
            assert!(
                failure.contains("`login-plugin`, which")
                    && failure.contains(expected)
                    && !failure.contains("correct the kubeconfig"),
                "{failure}"
            );
        }
    }

    #[test]
    fn files_that_are_not_there_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (written(folder.path(), "a", "one"), written(folder.path(), "b", "other"));
        let missing = folder.path().join("missing");
        let names = |files: &[&PathBuf]| {
            let files: Vec<PathBuf> = files.iter().copied().cloned().collect();
            let contexts = read(&files).unwrap().contexts.into_iter();
            contexts.map(|context| context.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[&missing, &first]), ["one"]);
        assert_eq!(names(&[&first, &missing]), ["one"]);
        assert_eq!(names(&[&first, &missing, &second]), ["one", "other"]);
        assert!(names(&[&missing]).is_empty());
        let broken = folder.path().join("broken");
        std::fs::write(&broken, "contexts: [").unwrap();
        let failure = read(&[first, broken]).unwrap_err().to_string();
        assert!(
            failure.contains("/broken` cannot be read") && !failure.contains("-->"),
            "{failure}"
        );
    }

    #[test]
    fn an_unknown_context_says_which_there_are_and_how_to_make_it() {
        let folder = tempfile::tempdir().unwrap();
        let existing = written(folder.path(), "a", "a");
        let missing = folder.path().join("missing");
        let kubeconfig = read(std::slice::from_ref(&existing)).unwrap();
        let text = unknown("kind-wasm-demo", &kubeconfig, &[existing, missing.clone()]).to_string();
        assert!(
            text.contains("it has: a") && text.contains("`deploy-tool cluster up`"),
            "{text}"
        );
        assert!(text.contains(&format!("not there: `{}`", missing.display())), "{text}");
        let text = unknown("production", &Kubeconfig::default(), &[missing]).to_string();
        assert!(text.contains("it has none") && !text.contains("cluster up"), "{text}");
    }

    #[test]
    fn a_context_without_its_parts_says_which() {
        let kubeconfig = |text: &str| Kubeconfig::from_yaml(text).unwrap();
        let failure = |text: &str| of_context(kubeconfig(text), "x").unwrap_err().to_string();
        let text = failure("contexts: [{name: x, context: {cluster: gone}}]");
        assert!(
            text.contains("no cluster `gone`") && text.contains("next: correct the kubeconfig"),
            "{text}"
        );
        let text =
            failure("contexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: \"a b\"}}]");
        assert!(text.contains("its server is `a b`"), "{text}");
    }
}
