//! What a run leaves in the cluster, so that its last message is exact, however the run ends.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;

use super::calls::Change;
use crate::collect::cluster::{Api, NoAnswer};

/// How long the pods that a run has made may take to be deleted at its end.
const TO_DELETE: Duration = Duration::from_secs(5);

/// The traces of a run; clones share them.
#[derive(Clone, Default)]
pub struct Cleanup(Arc<Mutex<Vec<Trace>>>);

#[derive(Clone)]
struct Trace {
    what: What,
    state: State,
}

#[derive(Clone)]
enum What {
    /// An ephemeral container cannot be removed.
    Container { name: String, pod: String },
    /// A pod can.
    Pod { api: Box<Api>, namespace: String, name: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was asked for; the answer has not come.
    Asked,
    /// It exists.
    Made,
    /// It was refused.
    Refused,
    /// It existed and was deleted.
    Deleted,
}

/// Something that this run is making.
#[must_use]
pub struct Making {
    cleanup: Cleanup,
    index: usize,
}

impl Cleanup {
    /// An ephemeral container is about to be asked for.
    pub(super) fn container(&self, name: &str, pod: &str) -> Making {
        self.add(What::Container { name: name.to_owned(), pod: pod.to_owned() })
    }

    /// A pod is about to be asked for.
    pub(super) fn pod(&self, api: &Api, namespace: &str, name: &str) -> Making {
        self.add(What::Pod {
            api: Box::new(api.clone()),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// True if a run has added this ephemeral container, as far as it knows.
    pub(super) fn has_added(&self, container: &str) -> bool {
        self.all()
            .iter()
            .any(|trace| matches!(&trace.what, What::Container { name, .. } if name == container))
    }

    /// Deletes the pods that are left; for the end of an interrupted run.
    pub async fn clean_up(&self) {
        let left: Vec<(usize, Trace)> = self.all().iter().cloned().enumerate().collect();
        let deletions = left.into_iter().map(|(index, trace)| async move {
            if let (What::Pod { api, namespace, name }, State::Asked | State::Made) =
                (trace.what, trace.state)
                && deleted(&api, &namespace, &name).await.is_ok()
            {
                self.set(index, State::Deleted);
            }
        });
        let _ = tokio::time::timeout(TO_DELETE, join_all(deletions)).await;
    }

    fn add(&self, what: What) -> Making {
        let mut all = self.all();
        all.push(Trace { what, state: State::Asked });
        Making { cleanup: self.clone(), index: all.len() - 1 }
    }

    fn set(&self, index: usize, state: State) {
        if let Some(trace) = self.all().get_mut(index) {
            trace.state = state;
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Trace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Making {
    /// It exists.
    pub(super) fn made(&self) {
        self.cleanup.set(self.index, State::Made);
    }

    /// It is not there.
    pub(super) fn refused(&self) {
        self.cleanup.set(self.index, State::Refused);
    }

    /// Deletes a pod that was made.
    pub(super) async fn delete(&self) -> Result<(), NoAnswer> {
        let what = self.cleanup.all().get(self.index).map(|trace| trace.what.clone());
        if let Some(What::Pod { api, namespace, name }) = what {
            deleted(&api, &namespace, &name).await?;
            self.cleanup.set(self.index, State::Deleted);
        }
        Ok(())
    }
}

/// A pod that is not there any more is as good as deleted.
async fn deleted(api: &Api, namespace: &str, name: &str) -> Result<(), NoAnswer> {
    // The run's deadline may be what ended it.
    match api.beyond_deadline(TO_DELETE).delete_pod(namespace, name, Change::Made).await {
        Err(NoAnswer::Status { code: http::StatusCode::NOT_FOUND, .. }) => Ok(()),
        other => other,
    }
}

impl fmt::Display for Cleanup {
    /// What of it stays.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all();
        let left: Vec<String> = all
            .iter()
            .filter_map(|trace| match (&trace.what, trace.state) {
                (_, State::Refused) | (What::Container { .. }, State::Deleted) => None,
                (What::Pod { name, .. }, State::Deleted) => Some(format!("pod/{name} was deleted again")),
                (What::Container { name, pod }, State::Made) => {
                    Some(format!("the ephemeral container {name} stays in pod/{pod}"))
                }
                (What::Container { name, pod }, State::Asked) => {
                    Some(format!("the ephemeral container {name} may have been added to pod/{pod}"))
                }
                (What::Pod { namespace, name, .. }, _) => Some(format!(
                    "pod/{name} may be left over; delete it: kubectl delete pod {name} -n {namespace}"
                )),
            })
            .collect();
        f.write_str(if left.is_empty() { "nothing was added to the cluster" } else { "" })?;
        f.write_str(&left.join("; "))
    }
}

impl fmt::Debug for Cleanup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_said() {
        let cleanup = Cleanup::default();
        assert_eq!(cleanup.to_string(), "nothing was added to the cluster");
        let first = cleanup.container("irsa-probe-x1", "checkout");
        assert_eq!(
            cleanup.to_string(),
            "the ephemeral container irsa-probe-x1 may have been added to pod/checkout"
        );
        first.made();
        let second = cleanup.container("irsa-probe-x2", "checkout");
        second.refused();
        assert_eq!(cleanup.to_string(), "the ephemeral container irsa-probe-x1 stays in pod/checkout");
    }
}
