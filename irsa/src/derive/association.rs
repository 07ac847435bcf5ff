//! The EKS Pod Identity association of the service account.

use super::Derived;
use super::issuer::Issuer;
use crate::facts::aws::{Association, OtherAssociation};
use crate::facts::{Fact, Source, Sourced, Unknown, Why};

/// Whether there is one.
#[derive(Debug, Clone)]
pub(crate) enum Associated<'f> {
    /// There is.
    Yes(&'f Association, &'f Source),
    /// There is none.
    No(&'f Source),
    /// It is not known, or the cluster that was asked is another one than the pod's.
    Unknown(Unknown),
}

impl<'f> Associated<'f> {
    /// Reads EKS's answer.
    pub(crate) fn of(derived: &Derived<'f>) -> Self {
        let facts = derived.facts;
        let what = || {
            format!(
                "EKS Pod Identity associations of {}/{}",
                facts.namespace_name, facts.service_account_name
            )
        };
        let associations = match &facts.aws.associations {
            Fact::Known(associations) => associations,
            Fact::Unknown(unknown) => return Self::Unknown(unknown.clone()),
            Fact::Absent { .. } => {
                let why =
                    Why::Failed(String::from("EKS has no cluster of that name in this account and region"));
                return Self::Unknown(Unknown { what: what(), why, grant: None });
            }
        };
        if Issuer::of(derived).ok().and_then(|issuer| issuer.is_of_described_cluster(facts)) == Some(false) {
            let why = Why::Failed(String::from(
                "the EKS cluster that was asked is not the pod's; see --cluster-name",
            ));
            return Self::Unknown(Unknown { what: what(), why, grant: None });
        }
        match associations.value.first() {
            Some(association) => Self::Yes(association, &associations.source),
            None => Self::No(&associations.source),
        }
    }
}

/// In how many letters a misspelt name may differ.
const TYPO: usize = 2;

/// Associations that may have been meant for the service account, the likeliest first: one letter off, or in another namespace.
/// An association may name what does not exist.
pub(crate) fn near_misses<'f>(derived: &Derived<'f>) -> Vec<&'f Sourced<OtherAssociation>> {
    let facts = derived.facts;
    let (namespace, name) = (facts.namespace_name.as_str(), facts.service_account_name.as_str());
    let exists = |other: &OtherAssociation| {
        let own = facts.service_accounts.known().into_iter();
        let elsewhere = facts.namesakes.known().into_iter();
        own.chain(elsewhere).flat_map(|listing| &listing.value.items).any(|account| {
            let meta = &account.value.metadata;
            meta.namespace == other.namespace && meta.name == other.service_account
        })
    };
    let near = |one: &str, other: &str| one.len() > TYPO && strsim::damerau_levenshtein(one, other) <= TYPO;
    let others = facts.aws.other_associations.known().into_iter().flat_map(|listing| &listing.value.items);
    let mut misses: Vec<(usize, &Sourced<OtherAssociation>)> = others
        .filter_map(|found| {
            let other = &found.value;
            let rank = match (other.namespace == namespace, other.service_account == name) {
                (true, true) => return None,
                (true, false) if near(name, &other.service_account) && !exists(other) => 0,
                (false, true) if near(namespace, &other.namespace) && !exists(other) => 0,
                // Every namespace has a `default`.
                (false, true) if name != "default" => {
                    if exists(other) {
                        2
                    } else {
                        1
                    }
                }
                _ => return None,
            };
            Some((rank, found))
        })
        .collect();
    misses.sort_by(|(one, a), (other, b)| (one, &a.value.namespace).cmp(&(other, &b.value.namespace)));
    misses.into_iter().map(|(_, found)| found).collect()
}
