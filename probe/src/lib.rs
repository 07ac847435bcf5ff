//! The probe's report: what it saw from inside the pod, as plain observations.
//!
//! This crate is the contract between the plugin and the probe: the [`Options`] with which the plugin starts the probe, and
//! the [`Report`] that the probe writes and the plugin judges. The report has a version of its own, so that a newer plugin
//! reads what an older probe wrote: fields are only ever added, and what a reader does not know it ignores.
//!
//! # What the probe promises
//!
//! * It always writes one report: one line of JSON on stdout, in full, that ends in a newline. Also when its time is up, on
//!   SIGTERM or SIGINT, on wrong arguments, and when it panics; [`Report::ended`] says which.
//! * The same report is written to the termination log, within [`Options::budget`] bytes. What does not fit is left out in
//!   the order of `budget.rs` and named in [`Report::dropped`]; it is never cut in the middle.
//! * It observes and does not judge. A section that is missing was not looked at, or not in time ([`Report::unfinished`]).
//! * No token, signature, key or session token is in it; environment variables are named, and shown only where
//!   their value is no secret. STS is asked for credentials, which are wiped, unless [`Options::no_assume`] is set.
//! * It changes nothing: it opens files for reading only, and writes to stdout and to the termination log alone.
//!
//! It reads its settings where the application would: from the environment of the target's process if it may, else from
//! its own, into which the plugin has copied the container's.

mod options;
mod regions;
mod report;
pub mod secrets;
mod variables;

pub use options::{Options, UsageError};
pub use regions::{has_global_endpoint, sts_host};
pub use report::chain::{ContainerCredentials, Imds, Profile, Sdk, Sdks, SharedFile};
pub use report::fault::{Fault, FaultKind};
pub use report::file::{Claims, Directory, FileSeen, FileStat, Jwt, Kubernetes, Link, Object, TokenFile};
pub use report::network::{Connection, Lookup, Network, Proxy, Resolver, TcpAttempt, Tls, Why};
pub use report::process::{Environment, Identity, Origin, Other, Process, Target, Variable};
pub use report::sts::{Answer, Clock, Skipped, Sts};
pub use report::{Ended, Report, SCHEMA};
pub use variables::{is_public, matters_to_aws};
