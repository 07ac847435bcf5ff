//! Service accounts.

use serde::{Deserialize, Serialize};

use super::{Meta, null_default, outlined};

object!(
    /// A service account.
    ServiceAccount {
        /// Metadata; the annotations are the point.
        metadata: Meta,
    }
);
