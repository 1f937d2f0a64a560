//! The form of the examples in the help of a verb.

/// A command line without the name of the program, and what it does.
pub type Example = (&'static str, &'static str);
