//! The bytes of one connection.

#![cfg_attr(fuzzing, no_main)]

fuzz::target!(request);
