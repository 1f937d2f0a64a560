//! The rule, situation by situation: a release that comes up is never failed, and one that does not stay up is never ready.

mod deadlines;
mod dependencies;
mod images;
mod jobs;
mod readiness;
mod workloads;
