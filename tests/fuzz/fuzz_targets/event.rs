//! A body that brings an event.

#![cfg_attr(fuzzing, no_main)]

fuzz::target!(event);
