//! Why a pod cannot reach AWS: from facts to a diagnosis.
//!
//! The core of kubectl-irsa. Nothing in it, and nothing that it depends on, does I/O: whoever calls has collected the facts.
//! The rooms, in the direction in which data flows:
//!
//! ```text
//! documents ──> facts ──> derive ──> repair ──> checks ──> diagnosis ──> output
//!                                                 └──────> lint
//! ```

// What nobody outside needs is `pub(crate)`, so that the surface stays small and what is unused is seen.
#![deny(unreachable_pub)]

pub mod admission;
pub mod aws;
pub mod aws_error;
pub mod bundle;
pub mod checks;
pub mod derive;
pub mod diagnosis;
pub mod documents;
pub mod facts;
pub mod finding;
pub mod lint;
pub mod mechanism;
pub mod output;
pub mod policy;
pub mod repair;
pub mod rounds;
pub mod severity;
pub mod step;
pub mod target;
pub mod text;
pub mod trust;
