use clap::ValueEnum;

/// Where the code is that is compiled ahead of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Aot {
    /// In a shared object in place of the module: less memory, for nodes with the builder's release of WasmEdge alone
    SharedObject,
    /// In a section of the module: another engine ignores it, and interprets the module
    Section,
    /// Nowhere: quicker to build, and many times slower to run
    None,
}
