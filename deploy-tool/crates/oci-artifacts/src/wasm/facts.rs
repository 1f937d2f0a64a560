//! Pure: reads the facts about a WebAssembly module, or a shared object that it was compiled to.

use std::collections::{BTreeMap, BTreeSet};

use super::elf::{self, ElfError};
use super::native_code::NativeCode;
use wasmparser::{BinaryReader, BinaryReaderError, Encoding, ExternalKind, Parser, Payload};

/// The custom section in which `wasmedge compile` puts native code beside the module.
const NATIVE_SECTION: &str = "wasmedge";

/// The facts about a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// It is a component of WASI preview 2, and nothing else is known of it.
    pub is_component: bool,
    /// The functions that it imports, by namespace.
    pub imports: BTreeMap<String, BTreeSet<String>>,
    /// It can be started: it exports `_start`.
    pub has_start: bool,
    /// It exports its memory, which WASI works on.
    pub has_memory: bool,
    /// It carries native code.
    pub native: Option<NativeCode>,
}

/// What cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FactsError {
    /// No module, or a damaged one.
    #[error(transparent)]
    Module(#[from] BinaryReaderError),
    /// A shared object without a module.
    #[error(transparent)]
    SharedObject(#[from] ElfError),
}

/// Reads a module.
///
/// # Errors
/// When it is none, or damaged.
pub fn read(bytes: &[u8]) -> Result<Facts, FactsError> {
    if elf::is_shared_object(bytes) {
        let (module, native) = elf::read(bytes)?;
        let facts = module_facts(module)?;
        return Ok(Facts {
            native: Some(native),
            ..facts
        });
    }
    Ok(module_facts(bytes)?)
}

fn module_facts(bytes: &[u8]) -> Result<Facts, BinaryReaderError> {
    let mut facts = Facts::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => {
                facts.is_component = true;
                return Ok(facts);
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    let names = facts.imports.entry(import.module.to_owned()).or_default();
                    names.insert(import.name.to_owned());
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    facts.has_start |= export.name == "_start" && export.kind == ExternalKind::Func;
                    facts.has_memory |= export.name == "memory" && export.kind == ExternalKind::Memory;
                }
            }
            Payload::CustomSection(section) if section.name() == NATIVE_SECTION => {
                facts.native = Some(native(BinaryReader::new(section.data(), section.data_offset()))?);
            }
            _ => {}
        }
    }
    Ok(facts)
}

fn native(mut section: BinaryReader<'_>) -> Result<NativeCode, BinaryReaderError> {
    let format = section.read_var_u32()?;
    let os = match section.read_u8()? {
        1 => "linux",
        2 => "darwin",
        3 => "windows",
        _ => "unknown",
    };
    let architecture = match section.read_u8()? {
        1 => "amd64",
        2 => "arm64",
        3 => "riscv64",
        _ => "unknown",
    };
    Ok(NativeCode {
        format,
        os: os.to_owned(),
        architecture: architecture.to_owned(),
        is_shared_object: false,
    })
}
