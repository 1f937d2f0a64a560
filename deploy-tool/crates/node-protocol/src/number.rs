//! Numbers of the catalogue that the installer fails with; `deploy-tool explain` has their texts.

/// The node cannot take the engine.
pub const UNFIT: u16 = 901;
/// The handler's name belongs to another runtime.
pub const HANDLER_TAKEN: u16 = 902;
/// The runtime does not take the new configuration.
pub const REFUSED: u16 = 903;
/// The runtime does not answer with the new configuration.
pub const SILENT: u16 = 904;
/// The runtime does not answer with the old configuration either.
pub const NO_WAY_BACK: u16 = 906;
/// Containers need the engine that is to go.
pub const IN_USE: u16 = 907;
/// The installer itself cannot do its work.
pub const INSTALLER: u16 = 909;
/// The engine's files are not as they should be, or do not run here.
pub const ENGINE: u16 = 910;

/// All of them.
pub const ALL: [u16; 8] = [
    UNFIT,
    HANDLER_TAKEN,
    REFUSED,
    SILENT,
    NO_WAY_BACK,
    IN_USE,
    INSTALLER,
    ENGINE,
];
