//! Text from others: made harmless, quoted for a shell.

pub mod safe;
pub mod shell;
