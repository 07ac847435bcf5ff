//! Text from others: made harmless, quoted for people and for a shell; names that
//! somebody may have meant; and durations for people.

pub mod duration;
pub mod foreign;
pub mod near;
pub mod safe;
pub mod shell;
pub(crate) mod yaml;
