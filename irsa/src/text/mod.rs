//! Text from others: made harmless, quoted for a shell; and durations for people.

pub mod duration;
pub mod safe;
pub mod shell;
