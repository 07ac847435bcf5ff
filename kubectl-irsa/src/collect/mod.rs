//! Everything that does I/O: the Kubernetes API, AWS, the issuer, files. Fills facts, judges nothing.
//! Which objects are asked for in which round is [`irsa::rounds`]'s business.

pub mod aws;
pub mod bounded;
pub mod certificates;
pub mod cluster;
mod deadline;
pub mod files;
pub mod foreign;
mod gather;
mod identity;
pub mod issuer;
pub mod logs;
mod once;
pub mod probe;
mod progress;
mod signature;
mod sso;
mod surroundings;
pub mod token;
pub mod web;

pub use deadline::{Deadline, Late, Stop};
pub use gather::{Question, gather};
pub use identity::Cloud;
pub use progress::{Progress, for_stderr};
pub use surroundings::Surroundings;

/// An error and all its causes in one line, each said once: the innermost says what happened (`Connection refused`).
/// An error may repeat what it was sent.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.retain(|part| !text.contains(part.as_str()));
            parts.push(text);
        }
        next = error.source();
    }
    foreign::foreign(&parts.join(": "))
}
