//! A query string, a path or an origin.

#![cfg_attr(fuzzing, no_main)]

fuzz::target!(text);
