//! Pure: reads WebAssembly modules, and checks whether they can run under crun's WasmEdge.

pub mod crates;
pub mod elf;
#[cfg(test)]
mod example;
pub mod facts;
pub mod inspect;
pub mod native_code;

/// The engine that runs the modules on the nodes, and compiles them: of one version, `oci/versions` pins it.
pub const ENGINE_VERSION: &str = "0.14.1";
/// The form of the native code that this version takes, and makes.
/// <https://github.com/WasmEdge/WasmEdge/blob/0.14.1/include/aot/version.h>
pub const NATIVE_CODE_FORMAT: u32 = 1;
