//! The EKS Pod Identity association of the service account.

use super::Derived;
use super::issuer::Issuer;
use crate::facts::aws::Association;
use crate::facts::{Fact, Source};

/// Whether there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Associated<'f> {
    /// There is.
    Yes(&'f Association, &'f Source),
    /// There is none.
    No(&'f Source),
    /// It is not known, or the cluster that was asked is another one than the pod's.
    Unknown,
}

impl<'f> Associated<'f> {
    /// Reads EKS's answer.
    pub(crate) fn of(derived: &Derived<'f>) -> Self {
        let facts = derived.facts;
        let Fact::Known(associations) = &facts.aws.associations else { return Self::Unknown };
        let own = Issuer::of(derived).ok().and_then(|issuer| issuer.is_of_described_cluster(facts));
        match associations.value.first() {
            _ if own == Some(false) => Self::Unknown,
            Some(association) => Self::Yes(association, &associations.source),
            None => Self::No(&associations.source),
        }
    }
}
