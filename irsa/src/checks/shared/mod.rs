//! What checks of several links have in common.

pub(super) mod hearsay;
pub(super) mod inside;
pub(super) mod missing_role;
pub(super) mod trust;
