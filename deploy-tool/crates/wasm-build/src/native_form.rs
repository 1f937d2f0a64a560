//! Pure: the two forms of native code.

/// Where native code is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NativeForm {
    /// In a section of the module: another engine than the one it was made for ignores it, and interprets the module.
    #[default]
    Section,
    /// In a shared object that the system maps, once for all replicas of a node: less memory and a quicker start. Another
    /// engine cannot run it at all.
    SharedObject,
}

impl NativeForm {
    /// The extension of its files: `wasmedge compile` goes by it.
    pub fn file_extension(self) -> &'static str {
        match self {
            Self::Section => "wasm",
            Self::SharedObject => "so",
        }
    }

    /// Whether it is a shared object.
    pub fn is_shared_object(self) -> bool {
        self == Self::SharedObject
    }
}
