//! Every form of the same diagnosis. Renders; decides nothing.

pub mod safe;
