//! A body that brings orders.

#![cfg_attr(fuzzing, no_main)]

fuzz::target!(orders);
