//! What the targets share: what must hold of every output, and the modules of the probe, which is a program.

#[path = "../../probe/program/src/aws/mod.rs"]
pub mod aws;
#[path = "../../probe/program/src/budget.rs"]
pub mod budget;
#[path = "../../probe/program/src/clock.rs"]
pub mod clock;
#[path = "../../probe/program/src/deadline.rs"]
pub mod deadline;
#[path = "../../probe/program/src/environment.rs"]
pub mod environment;
#[path = "../../probe/program/src/look/mod.rs"]
pub mod look;
#[path = "../../probe/program/src/net/mod.rs"]
pub mod net;
pub mod shell;
pub mod world;

use std::io::Write;

use irsa::text::safe;
pub use irsa_probe::secrets;
use tempfile::NamedTempFile;

/// Fails if the text holds what could drive a terminal.
pub fn assert_harmless(text: &str) {
    let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || safe::is_invisible(*c));
    assert_eq!(bad, None, "{text:?}");
}

/// A file of these bytes, for as long as it is held.
pub fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("a temporary file");
    file.write_all(bytes).expect("its content");
    file
}
