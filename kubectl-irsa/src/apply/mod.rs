//! All that changes anything: the steps of a repair, one by one, with the user's own credentials, each with its way back.
//!
//! A step is taken only if what it changes is still as it was diagnosed; what is in the way is an error, and never overwritten.

mod aws;
mod cluster;
pub mod undo;

use irsa::repair::{Change, PolicyChange};
use serde_json::Value;
use thiserror::Error;

use crate::collect::aws::Session;
use crate::collect::cluster::{Api, NoAnswer};
use irsa::facts::Why;
use undo::Back;

/// What makes changes: a connection to the cluster, and the user's session with AWS.
pub struct Hands {
    /// The cluster.
    pub api: Api,
    /// AWS, or why it cannot be asked.
    pub session: Result<Session, Why>,
}

/// Why a step was not taken.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The API server did not do it.
    #[error("{what}: {why}")]
    Cluster {
        /// What was to be done.
        what: String,
        /// Its words.
        why: Why,
    },
    /// AWS did not do it.
    #[error("{action}: {why}")]
    Aws {
        /// `iam:UpdateAssumeRolePolicy`.
        action: String,
        /// Its words.
        why: Why,
    },
    /// No answer came, so that it may have been done.
    #[error("{what}: {why}; whether it was done is not known: run the diagnosis again")]
    Open {
        /// What was to be done.
        what: String,
        /// Why there is no answer.
        why: Why,
    },
    /// It is not as it was diagnosed.
    #[error("{0} is not as it was diagnosed: somebody changed it in the meantime; run the diagnosis again")]
    Changed(String),
    /// The document is longer than IAM takes.
    #[error(
        "the trust policy would have {length} characters, and IAM takes {quota} unless the quota was raised: use the printed command"
    )]
    OverQuota {
        /// Characters, not counting white space.
        length: usize,
        /// IAM's quota.
        quota: usize,
    },
    /// The credentials are another account's.
    #[error(
        "you are signed in to account {signed_in}, and this is in account {needed}: choose a profile of that account with --profile"
    )]
    OtherAccount {
        /// The account of the credentials.
        signed_in: String,
        /// The account that the step is for.
        needed: String,
    },
    /// A value is still missing.
    #[error("it needs a value that only you know: run the printed command")]
    Asks,
    /// A patch cannot be put together.
    #[error("cannot be put together: {0}")]
    Malformed(String),
}

impl Refusal {
    /// The API server did not answer what only reads.
    fn unread(what: String, cause: &NoAnswer) -> Self {
        Self::Cluster { why: cause.unknown(String::new(), None).why, what }
    }

    /// The API server did not confirm a change.
    fn unchanged(what: String, cause: &NoAnswer) -> Self {
        let why = cause.unknown(String::new(), None).why;
        if cause.is_refusal() { Self::Cluster { what, why } } else { Self::Open { what, why } }
    }

    /// True if it may have been done all the same.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

impl Hands {
    /// The object of the cluster that a change is about, as it is now; `None` for what is not there, and for AWS.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn present(&self, change: &Change) -> Result<Option<Value>, Refusal> {
        match change {
            Change::Kubernetes(change) => cluster::present(&self.api, &change.object).await,
            Change::Aws(_) => Ok(None),
        }
    }

    /// Makes the change; how to go back from it.
    ///
    /// # Errors
    /// Nothing was changed, unless the refusal [is open](Refusal::is_open).
    pub async fn apply(&self, change: &Change, policy: Option<&PolicyChange>) -> Result<Back, Refusal> {
        if change.asks().is_some() {
            return Err(Refusal::Asks);
        }
        match change {
            Change::Kubernetes(change) => cluster::apply(&self.api, change).await,
            Change::Aws(change) => {
                let call = aws::Call { session: self.session()?, account: change.account.as_deref() };
                call.apply(&change.call, policy).await
            }
        }
    }

    /// Goes back.
    ///
    /// # Errors
    /// What is to be restored has been changed since, or the server refuses.
    pub async fn go_back(&self, back: &Back) -> Result<(), Refusal> {
        match back {
            Back::Patch { object, patch } => cluster::restore(&self.api, object, patch).await,
            Back::Delete { object, uid } => cluster::delete(&self.api, object, Some(uid)).await,
            Back::Aws { account, undo } => {
                aws::Call { session: self.session()?, account: account.as_deref() }.go_back(undo).await
            }
            Back::Restart { object } => cluster::restart(&self.api, object).await,
            Back::Nothing { .. } => Ok(()),
        }
    }

    fn session(&self) -> Result<&Session, Refusal> {
        self.session.as_ref().map_err(|why| Refusal::Aws { action: String::from("AWS"), why: why.clone() })
    }
}
