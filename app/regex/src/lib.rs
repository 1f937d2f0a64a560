//! [regex-lite] behind the part of [regex]'s interface that the dependencies of this workspace use.
//!
//! The MySQL driver asks one regular expression for the release of the server, once for each connection. For that,
//! regex with its automata and its tables of Unicode was two fifths of a service's code, which is compiled ahead of
//! time, pulled and loaded with it. Both crates have the same authors and the same syntax. regex-lite is slower, its
//! `\d`, `\w` and `\b` know ASCII alone, and [`bytes`] matches nothing that is not UTF-8: more than the driver, the
//! client of Kubernetes and the tools of tests ask for.
//!
//! [regex]: https://docs.rs/regex
//! [regex-lite]: https://docs.rs/regex-lite

pub mod bytes;
mod set;

pub use regex_lite::{Captures, Error, Match, Regex};
pub use set::{RegexSet, SetMatches};
