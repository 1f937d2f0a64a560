//! Edge: the API server of an explicit context.

pub mod apply;
pub mod bench;
pub mod client;
mod connection;
pub mod custom;
pub mod delete;
pub mod discover;
pub mod doctor;
pub mod establish;
pub mod foreign;
pub mod forward;
pub mod leaving;
pub mod list;
pub mod live;
pub mod logs;
pub mod node;
pub mod plan;
pub mod pods;
pub mod preflight;
mod resend;
pub mod restart;
pub mod revisions;
pub mod saved;
pub mod scale;
mod trace;
pub mod watch;
pub mod workloads;

pub use client::Cluster;
