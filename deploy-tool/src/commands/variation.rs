//! What an image is to be besides its definition.

use std::path::Path;

use crate::cli::Aot;
use wasm_build::native_form::NativeForm;

/// What an image is to be besides its definition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variation<'a> {
    /// With this module as it is, instead of one that is compiled.
    pub module: Option<&'a Path>,
    /// Whether there is native code in it.
    pub form: Form,
    /// Where that is.
    pub native: NativeForm,
    /// With the commit it is built from.
    pub revision: bool,
    /// Built while all else on this host comes first.
    pub low_priority: bool,
}

/// Whether there is native code in an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// There is, compiled ahead of time.
    #[default]
    Native,
    /// There is none.
    Plain,
    /// There is where it has been compiled already; else the module is compiled in seconds, and interpreted.
    Quick,
}

impl Form {
    /// What a command line asks for.
    pub fn new(aot: Option<Aot>, dev: bool) -> Self {
        match (dev, aot) {
            (true, _) => Self::Quick,
            (false, Some(Aot::None)) => Self::Plain,
            (false, _) => Self::Native,
        }
    }
}

/// Where native code is to be.
pub fn native_form(aot: Aot) -> NativeForm {
    match aot {
        Aot::SharedObject => NativeForm::SharedObject,
        Aot::Section | Aot::None => NativeForm::Section,
    }
}
