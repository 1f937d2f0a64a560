//! Pure: whether a module can run under crun's WasmEdge, and which host module provides each import.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{self, Facts};

/// The import module of WASI preview 1.
const WASI: &str = "wasi_snapshot_preview1";

/// Preview 1, as WasmEdge 0.14 offers it.
/// <https://github.com/WasmEdge/WasmEdge/blob/0.14.1/lib/host/wasi/wasimodule.cpp>
const PREVIEW1: &str = "args_get args_sizes_get environ_get environ_sizes_get clock_res_get clock_time_get \
    fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights \
    fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_dir_name fd_prestat_get \
    fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write path_create_directory \
    path_filestat_get path_filestat_set_times path_link path_open path_readlink path_remove_directory \
    path_rename path_symlink path_unlink_file poll_oneoff proc_exit proc_raise sched_yield random_get \
    sock_accept sock_recv sock_send sock_shutdown";
/// WasmEdge's extensions in the same namespace, which no other engine has.
const SOCKETS: &str = "sock_open sock_bind sock_connect sock_listen sock_recv_from sock_send_to \
    sock_getsockopt sock_setsockopt sock_getlocaladdr sock_getpeeraddr sock_getaddrinfo \
    sock_open_v2 sock_bind_v2 sock_connect_v2 sock_listen_v2 sock_accept_v2 sock_recv_v2 sock_recv_from_v2 \
    sock_send_v2 sock_send_to_v2 sock_getlocaladdr_v2 sock_getpeeraddr_v2";
/// The beginnings of the namespaces of WasmEdge's plugins, and the plugins' names. No plugin is loaded under crun.
/// <https://wasmedge.org/docs/contribute/plugin/intro>
const PLUGINS: &[(&str, &str)] = &[
    ("wasi_ephemeral_nn", "wasi_nn"),
    ("wasi_nn", "wasi_nn"),
    ("wasi_ephemeral_crypto_", "wasi_crypto"),
    ("wasi:logging/", "wasi_logging"),
    ("wasmedge_process", "wasmedge_process"),
    ("wasmedge_tensorflowlite", "wasmedge_tensorflowlite"),
    ("wasmedge_tensorflow", "wasmedge_tensorflow"),
    ("wasmedge_image", "wasmedge_image"),
    ("wasmedge_opencvmini", "wasmedge_opencvmini"),
    ("wasmedge_stablediffusion", "wasmedge_stablediffusion"),
    ("wasm_bpf", "wasm_bpf"),
    ("rustls_client", "wasmedge_rustls"),
];

/// A module that would not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// No Wasm at all, or damaged.
    #[error("it is not a valid WebAssembly module: {0}")]
    Invalid(String),
    /// A WASI preview 2 component.
    #[error("it is a component; WasmEdge under crun runs modules, so compile for wasm32-wasip1")]
    Component,
    /// An import that is not provided.
    #[error("it imports what WasmEdge under crun does not offer: {0}")]
    Imports(String),
    /// Cannot be started.
    #[error("it exports no `{0}`: is the package a binary?")]
    Export(&'static str),
}

/// The facts about a module that can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    /// It carries code compiled ahead of time.
    pub ahead_of_time: bool,
}

/// Who offers a function to a guest under crun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportProvider {
    /// Every engine with WASI preview 1.
    Preview1,
    /// WasmEdge's socket functions.
    Sockets,
    /// A plugin of WasmEdge, which is not loaded under crun.
    Plugin(&'static str),
    /// It is not provided.
    Nobody,
}

impl std::fmt::Display for ImportProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Preview1 => f.write_str("WASI preview 1"),
            Self::Sockets => f.write_str("WasmEdge sockets"),
            Self::Plugin(name) => write!(f, "WasmEdge plugin {name}"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

/// The imports of a module by who offers them, and by namespace.
pub type Imports = BTreeMap<(ImportProvider, String), BTreeSet<String>>;

/// Looks at a module.
///
/// # Errors
/// When it would not run.
pub fn inspect(bytes: &[u8]) -> Result<Module, ModuleError> {
    let facts = facts::read(bytes).map_err(|error| ModuleError::Invalid(error.to_string()))?;
    check(&facts)
}

/// Checks whether a module can run.
///
/// # Errors
/// When it would not run.
pub fn check(facts: &Facts) -> Result<Module, ModuleError> {
    let foreign: Vec<String> = imports(facts)
        .into_iter()
        .filter(|((provider, _), _)| !matches!(provider, ImportProvider::Preview1 | ImportProvider::Sockets))
        .flat_map(|((_, namespace), names)| names.into_iter().map(move |name| format!("{namespace}.{name}")))
        .collect();
    match (
        facts.is_component,
        foreign.is_empty(),
        facts.has_start,
        facts.has_memory,
    ) {
        (true, ..) => Err(ModuleError::Component),
        (_, false, ..) => Err(ModuleError::Imports(foreign.join(", "))),
        (_, _, false, _) => Err(ModuleError::Export("_start")),
        (.., false) => Err(ModuleError::Export("memory")),
        _ => Ok(Module {
            ahead_of_time: facts.native.is_some(),
        }),
    }
}

/// Sorts the imports of a module.
pub fn imports(facts: &Facts) -> Imports {
    let mut imports = Imports::new();
    for (namespace, names) in &facts.imports {
        for name in names {
            let key = (provider(namespace, name), namespace.clone());
            imports.entry(key).or_default().insert(name.clone());
        }
    }
    imports
}

fn provider(namespace: &str, name: &str) -> ImportProvider {
    let is_in = |names: &str| names.split_whitespace().any(|known| known == name);
    if namespace == WASI {
        return match (is_in(PREVIEW1), is_in(SOCKETS)) {
            (true, _) => ImportProvider::Preview1,
            (_, true) => ImportProvider::Sockets,
            _ => ImportProvider::Nobody,
        };
    }
    let plugin = PLUGINS.iter().find(|(start, _)| namespace.starts_with(start));
    plugin.map_or(ImportProvider::Nobody, |(_, plugin)| ImportProvider::Plugin(plugin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::example::module;

    const RUNS: [(&str, u8); 2] = [("_start", 0), ("memory", 2)];

    #[test]
    fn tells_plain_from_ahead_of_time() {
        let plain = module((WASI, "sock_accept_v2"), &RUNS, &["producers"]);
        assert_eq!(inspect(&plain), Ok(Module { ahead_of_time: false }));
        let compiled = module((WASI, "fd_write"), &RUNS, &["producers", "wasmedge"]);
        assert_eq!(inspect(&compiled), Ok(Module { ahead_of_time: true }));
    }

    #[test]
    fn imports_are_sorted_by_who_offers_them() {
        let cases = [
            (WASI, "fd_write", "WASI preview 1"),
            (WASI, "sock_getaddrinfo", "WasmEdge sockets"),
            (WASI, "fd_fly", "nobody"),
            ("wasi_ephemeral_nn", "load", "WasmEdge plugin wasi_nn"),
            (
                "wasi_ephemeral_crypto_common",
                "options_open",
                "WasmEdge plugin wasi_crypto",
            ),
            (
                "wasmedge_tensorflowlite",
                "x",
                "WasmEdge plugin wasmedge_tensorflowlite",
            ),
            ("env", "puts", "nobody"),
        ];
        for (namespace, name, expected) in cases {
            let facts = facts::read(&module((namespace, name), &RUNS, &[])).unwrap();
            let found: Vec<String> = imports(&facts)
                .keys()
                .map(|(provider, _)| provider.to_string())
                .collect();
            assert_eq!(found, [expected], "{namespace}.{name}");
        }
    }

    #[test]
    fn the_head_of_native_code_says_for_whom_it_is() {
        let facts = facts::read(&module((WASI, "fd_write"), &RUNS, &["wasmedge"])).unwrap();
        let expected = crate::wasm::native_code::NativeCode {
            format: 1,
            os: "linux".into(),
            architecture: "amd64".into(),
            is_shared_object: false,
        };
        assert_eq!(facts.native, Some(expected));
        // Cut off in the middle of the head.
        let mut cut = module((WASI, "fd_write"), &RUNS, &["producers"]);
        cut.extend([0, 10, 8, b'w', b'a', b's', b'm', b'e', b'd', b'g', b'e', 1]);
        assert!(facts::read(&cut).is_err());
    }

    #[test]
    fn refuses_what_would_not_run() {
        let plugin = inspect(&module(("rustls_client", "connect"), &RUNS, &[])).unwrap_err();
        assert!(plugin.to_string().contains("rustls_client.connect"));
        assert!(matches!(
            inspect(&module((WASI, "fd_fly"), &RUNS, &[])),
            Err(ModuleError::Imports(_))
        ));
        assert_eq!(
            inspect(&module((WASI, "fd_read"), &RUNS[1..], &[])),
            Err(ModuleError::Export("_start"))
        );
        assert_eq!(
            inspect(&module((WASI, "fd_read"), &RUNS[..1], &[])),
            Err(ModuleError::Export("memory"))
        );
        assert_eq!(inspect(b"\0asm\x0d\0\x01\0"), Err(ModuleError::Component));
        assert!(matches!(inspect(b"hello"), Err(ModuleError::Invalid(_))));
    }
}
