//! Pure: whether a module can run under crun's WasmEdge, and whether it carries code compiled ahead of time.

use wasmparser::{ExternalKind, Parser, Payload};

/// The custom section in which `wasmedge compile` puts native code beside the module.
const AOT_SECTION: &str = "wasmedge";
/// The import module of WASI preview 1.
const WASI: &str = "wasi_snapshot_preview1";

/// What crun's WasmEdge 0.14 offers to a guest: preview 1 and WasmEdge's sockets. No plugin is loaded under crun.
/// <https://github.com/WasmEdge/WasmEdge/blob/0.14.1/lib/host/wasi/wasimodule.cpp>
const FUNCTIONS: &str = "args_get args_sizes_get environ_get environ_sizes_get clock_res_get clock_time_get \
    fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights \
    fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_dir_name fd_prestat_get \
    fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write path_create_directory \
    path_filestat_get path_filestat_set_times path_link path_open path_readlink path_remove_directory \
    path_rename path_symlink path_unlink_file poll_oneoff proc_exit proc_raise sched_yield random_get \
    sock_open sock_bind sock_connect sock_listen sock_accept sock_recv sock_recv_from sock_send sock_send_to \
    sock_shutdown sock_getsockopt sock_setsockopt sock_getlocaladdr sock_getpeeraddr sock_getaddrinfo \
    sock_open_v2 sock_bind_v2 sock_connect_v2 sock_listen_v2 sock_accept_v2 sock_recv_v2 sock_recv_from_v2 \
    sock_send_v2 sock_send_to_v2 sock_getlocaladdr_v2 sock_getpeeraddr_v2";

/// A module that would not run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// No Wasm at all, or damaged.
    #[error("it is no valid WebAssembly module: {0}")]
    Invalid(String),
    /// A WASI preview 2 component.
    #[error("it is a component; WasmEdge under crun runs modules, so compile for wasm32-wasip1")]
    Component,
    /// Wants something that nobody offers.
    #[error("it imports what WasmEdge under crun does not offer: {0}")]
    Imports(String),
    /// Cannot be started.
    #[error("it exports no `{0}`: is the package a binary?")]
    Export(&'static str),
}

/// What is known of a module that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    /// It carries code compiled ahead of time.
    pub ahead_of_time: bool,
}

/// Looks at a module.
///
/// # Errors
/// When it would not run.
pub fn inspect(bytes: &[u8]) -> Result<Module, ModuleError> {
    let invalid = |error: wasmparser::BinaryReaderError| ModuleError::Invalid(error.to_string());
    let mut ahead_of_time = false;
    let (mut start, mut memory) = (false, false);
    let mut foreign = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(invalid)? {
            Payload::Version {
                encoding: wasmparser::Encoding::Component,
                ..
            } => return Err(ModuleError::Component),
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(invalid)?;
                    let known = import.module == WASI && FUNCTIONS.split_whitespace().any(|name| name == import.name);
                    if !known {
                        foreign.push(format!("{}.{}", import.module, import.name));
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(invalid)?;
                    start |= export.name == "_start" && export.kind == ExternalKind::Func;
                    memory |= export.name == "memory" && export.kind == ExternalKind::Memory;
                }
            }
            Payload::CustomSection(section) => ahead_of_time |= section.name() == AOT_SECTION,
            _ => {}
        }
    }
    match (foreign.is_empty(), start, memory) {
        (false, ..) => Err(ModuleError::Imports(foreign.join(", "))),
        (_, false, _) => Err(ModuleError::Export("_start")),
        (_, _, false) => Err(ModuleError::Export("memory")),
        _ => Ok(Module { ahead_of_time }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one imported function of type () -> (), exported as `_start`, and a memory.
    fn module(import: (&str, &str), exports: &[(&str, u8)], custom: &[&str]) -> Vec<u8> {
        let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        let section = |id: u8, body: Vec<u8>| [vec![id, body.len() as u8], body].concat();
        let exported: Vec<u8> = exports
            .iter()
            .flat_map(|(name, kind)| [text(name), vec![*kind, 0]].concat())
            .collect();
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.extend(section(1, vec![1, 0x60, 0, 0]));
        bytes.extend(section(
            2,
            [vec![1], text(import.0), text(import.1), vec![0, 0]].concat(),
        ));
        bytes.extend(section(5, vec![1, 0, 1]));
        bytes.extend(section(7, [vec![exports.len() as u8], exported].concat()));
        for name in custom {
            bytes.extend(section(0, [text(name), vec![1, 2, 3]].concat()));
        }
        bytes
    }

    const RUNS: [(&str, u8); 2] = [("_start", 0), ("memory", 2)];

    #[test]
    fn tells_plain_from_ahead_of_time() {
        let plain = module((WASI, "sock_accept_v2"), &RUNS, &["producers"]);
        assert_eq!(inspect(&plain), Ok(Module { ahead_of_time: false }));
        let compiled = module((WASI, "fd_write"), &RUNS, &["producers", "wasmedge"]);
        assert_eq!(inspect(&compiled), Ok(Module { ahead_of_time: true }));
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
