//! Pure: the other form of a module compiled ahead of time, a shared object for this architecture alone. The system maps it:
//! all replicas on a node share its pages. The module itself is in it, as one of its symbols.
//! <https://github.com/WasmEdge/WasmEdge/blob/0.14.1/lib/loader/shared_library.cpp>

use object::read::elf::{ElfFile64, FileHeader};
use object::{Architecture, Endianness, Object, ObjectSegment, ObjectSymbol, elf};

use super::native_code::NativeCode;

/// A shared object that WasmEdge cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// It is damaged, or of another width.
    #[error("it is not a 64-bit shared object: {0}")]
    Damaged(String),
    /// Something else than WasmEdge has made it.
    #[error("it is a shared object without the symbol `{0}`: `wasmedge compile` did not make it")]
    Symbol(&'static str),
}

impl From<object::Error> for ElfError {
    fn from(error: object::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Whether this is a shared object rather than a module.
pub fn is_shared_object(bytes: &[u8]) -> bool {
    bytes.starts_with(&elf::ELFMAG)
}

/// The module in a shared object, and for whom its native code is.
///
/// # Errors
/// When there is none in it.
pub fn read(bytes: &[u8]) -> Result<(&[u8], NativeCode), ElfError> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    if !matches!(file.elf_header().e_type(file.endian()), elf::ET_DYN) {
        return Err(ElfError::Damaged("it is of another type".to_owned()));
    }
    let module = symbol(&file, "wasm.code")?;
    let format = symbol(&file, "version")?;
    let format = format.first_chunk().ok_or(ElfError::Symbol("version"))?;
    let architecture = match file.architecture() {
        Architecture::X86_64 => "amd64",
        Architecture::Aarch64 => "arm64",
        Architecture::Riscv64 => "riscv64",
        _ => "unknown",
    };
    let native = NativeCode {
        format: u32::from_le_bytes(*format),
        os: "linux".to_owned(),
        architecture: architecture.to_owned(),
        is_shared_object: true,
    };
    Ok((module, native))
}

fn symbol<'a>(file: &ElfFile64<'a>, name: &'static str) -> Result<&'a [u8], ElfError> {
    let missing = ElfError::Symbol(name);
    let symbol = file.dynamic_symbols().find(|symbol| symbol.name() == Ok(name));
    let symbol = symbol.ok_or_else(|| missing.clone())?;
    for segment in file.segments() {
        if let Some(data) = segment.data_range(symbol.address(), symbol.size())? {
            return Ok(data);
        }
    }
    Err(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_shared_object_of_wasmedges_is_told_apart() {
        assert!(!is_shared_object(b"\0asm\x01\0\0\0"));
        assert!(is_shared_object(b"\x7fELF"));
        assert!(matches!(read(b"\x7fELF"), Err(ElfError::Damaged(_))));
        // This very program.
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(read(&program), Err(ElfError::Symbol("wasm.code")));
        assert!(matches!(
            read(&program[..program.len() / 2]),
            Err(ElfError::Damaged(_) | ElfError::Symbol(_))
        ));
    }
}
