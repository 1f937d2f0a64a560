//! The part of [bindgen]'s interface that the build script of mysql_common names, and never calls.
//!
//! The MySQL driver's build script makes bindings of the server's own library, for the driver's own tests: only with its
//! feature `test`. Cargo compiles bindgen and the twelve crates under it all the same, once for every service that is
//! built: a tenth of the time that a module takes.
//!
//! [bindgen]: https://docs.rs/bindgen

use std::{io, path::Path};

/// Where bindings begin.
pub fn builder() -> Builder {
    Builder(())
}

/// Takes what the build script says, and makes nothing.
#[derive(Debug)]
pub struct Builder(());

impl Builder {
    /// Would name a header.
    pub fn header<T: Into<String>>(self, _: T) -> Self {
        self
    }
    /// Would pass an argument to Clang.
    pub fn clang_arg<T: Into<String>>(self, _: T) -> Self {
        self
    }
    /// Would take also what an allowed item uses.
    pub fn allowlist_recursively(self, _: bool) -> Self {
        self
    }
    /// Would take a type.
    pub fn allowlist_type<T: AsRef<str>>(self, _: T) -> Self {
        self
    }
    /// Would take a function.
    pub fn allowlist_function<T: AsRef<str>>(self, _: T) -> Self {
        self
    }
    /// Would derive `Debug`.
    pub fn derive_debug(self, _: bool) -> Self {
        self
    }
    /// Would name `core` in the place of `std`.
    pub fn use_core(self) -> Self {
        self
    }
    /// Would keep comments.
    pub fn generate_comments(self, _: bool) -> Self {
        self
    }
    /// # Errors
    /// Always: a build script that gets here needs the real crate.
    pub fn generate(self) -> Result<Bindings, &'static str> {
        Err("this is the stand-in of app/bindgen, which makes no bindings: remove its line of [patch.crates-io]")
    }
}

/// There are none.
#[derive(Debug)]
pub enum Bindings {}

impl Bindings {
    /// # Errors
    /// There is no value of this type to call it with.
    pub fn write_to_file(&self, _: impl AsRef<Path>) -> io::Result<()> {
        match *self {}
    }
}
