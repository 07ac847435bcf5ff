//! Text from others: made harmless, quoted for people and for a shell; and durations for people.

pub mod duration;
pub mod foreign;
pub mod safe;
pub mod shell;
