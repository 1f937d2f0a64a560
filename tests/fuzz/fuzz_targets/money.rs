//! An amount of money.

#![cfg_attr(fuzzing, no_main)]

fuzz::target!(money);
