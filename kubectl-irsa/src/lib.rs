//! kubectl-irsa says why a pod cannot reach AWS.
//!
//! The rooms, in the direction in which data flows:
//!
//! ```text
//! target ──> collect ──> facts ──> derive ──> checks ──> diagnosis ──> output
//!            (all I/O)   (data)    (pure)     (pure)     (pure)        (pure)
//! ```

pub mod aws_error;
pub mod checks;
pub mod cli;
pub mod collect;
pub mod derive;
pub mod diagnosis;
pub mod facts;
pub mod finding;
pub mod output;
pub mod policy;
pub mod shell;
pub mod step;
pub mod target;
