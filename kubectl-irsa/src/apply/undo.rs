//! The file that leads back from a repair.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::collect::bounded::{self, Limit};
use irsa::repair::{Object, ObjectKind};

/// Every step that was taken, in order, each with its way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Undo {
    api_version: String,
    kind: String,
    /// The API server whose objects were changed.
    pub server: String,
    /// The steps.
    pub steps: Vec<Taken>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taken {
    /// What it did, in an imperative sentence.
    pub title: String,
    /// How to go back.
    pub back: Back,
}

/// How to go back from a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Back {
    /// A JSON patch, which tests what it replaces.
    Patch {
        /// The object.
        object: ObjectRef,
        /// The operations.
        patch: Vec<Value>,
    },
    /// The object is deleted that the step created.
    Delete {
        /// The object.
        object: ObjectRef,
        /// Its uid: another of its name stays.
        uid: String,
    },
    /// A call of AWS.
    Aws {
        /// The account that it is for; `None` for the user's own.
        account: Option<String>,
        /// The call.
        undo: AwsUndo,
    },
    /// The pods that the step replaced are replaced again, once all else is as it was.
    Restart {
        /// The workload.
        object: ObjectRef,
    },
    /// There is nothing to go back to.
    Nothing {
        /// Why.
        why: String,
    },
}

/// A call of AWS that leads back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "PascalCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum AwsUndo {
    /// `iam:UpdateAssumeRolePolicy` with the document from before.
    UpdateAssumeRolePolicy {
        /// Name of the role.
        role: String,
        /// The document from before, as text.
        document: String,
        /// The document that the step wrote: another one stays.
        written: String,
    },
    /// `iam:DeleteRole`.
    DeleteRole {
        /// Name of the role.
        role: String,
    },
    /// `iam:DeleteRolePolicy`.
    DeleteRolePolicy {
        /// Name of the role.
        role: String,
        /// Name of the inline policy.
        policy: String,
    },
    /// `iam:DeleteOpenIDConnectProvider`.
    DeleteOpenIdConnectProvider {
        /// Its ARN.
        provider: String,
    },
    /// `iam:RemoveClientIDFromOpenIDConnectProvider`.
    RemoveClientId {
        /// ARN of the provider.
        provider: String,
        /// The audience.
        client_id: String,
    },
    /// `eks:DeletePodIdentityAssociation`.
    DeletePodIdentityAssociation {
        /// Region of the cluster.
        region: String,
        /// Name of the cluster.
        cluster: String,
        /// Id of the association.
        association: String,
    },
    /// `eks:UpdatePodIdentityAssociation`: whether EKS sets session tags.
    SetSessionTags {
        /// Region of the cluster.
        region: String,
        /// Name of the cluster.
        cluster: String,
        /// Id of the association.
        association: String,
        /// True if it sets them.
        enabled: bool,
    },
    /// `eks:DeleteAddon`.
    DeleteAddon {
        /// Region of the cluster.
        region: String,
        /// Name of the cluster.
        cluster: String,
        /// Name of the add-on.
        addon: String,
    },
}

/// An object of the cluster, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: String,
    /// Its namespace; `None` for what has none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// That of an object.
    pub fn of(object: &Object) -> Self {
        let Object { kind, namespace, name } = object;
        Self { kind: kind.name().to_owned(), namespace: namespace.clone(), name: name.clone() }
    }

    /// The object; `None` if no repair changes its kind.
    pub fn object(&self) -> Option<Object> {
        let kind = ObjectKind::of(&self.kind)?;
        Some(Object { kind, namespace: self.namespace.clone(), name: self.name.clone() })
    }
}

/// Why the file cannot be written or read.
#[derive(Debug, Error)]
pub enum UndoError {
    /// It cannot be written.
    #[error("cannot write {path}, and without it there is no way back: {cause}")]
    Write {
        /// The file.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// It cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: String,
        /// The system's words.
        cause: bounded::FileError,
    },
    /// It is something else.
    #[error("{path} is not a file that --fix wrote: {cause}")]
    Other {
        /// The file.
        path: String,
        /// What does not fit.
        cause: String,
    },
}

const API_VERSION: &str = "irsa/v1";
const KIND: &str = "Undo";
/// A trust policy has at most a few thousand characters, and a patch holds what it restores.
const LARGEST: Limit = Limit::mib(8);

impl Undo {
    /// The steps in the order in which they are taken back: the last first, and pods are replaced after everything else.
    pub fn way_back(&self) -> Vec<&Taken> {
        let is_restart = |taken: &&&Taken| matches!(taken.back, Back::Restart { .. });
        let steps: Vec<&Taken> = self.steps.iter().rev().collect();
        let others = steps.iter().filter(|taken| !is_restart(taken));
        others.chain(steps.iter().filter(is_restart)).copied().collect()
    }

    /// Nothing was done yet.
    pub fn new(server: String) -> Self {
        Self { api_version: API_VERSION.to_owned(), kind: KIND.to_owned(), server, steps: Vec::new() }
    }

    /// Reads what `--fix` wrote.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    pub fn read(path: &Path) -> Result<Self, UndoError> {
        let name = path.display().to_string();
        let bytes =
            bounded::file(path, LARGEST).map_err(|cause| UndoError::Read { path: name.clone(), cause })?;
        let other = |cause: String| UndoError::Other { path: name.clone(), cause };
        let undo: Self = serde_json::from_slice(&bytes).map_err(|error| other(error.to_string()))?;
        match undo.api_version == API_VERSION && undo.kind == KIND {
            true => Ok(undo),
            false => Err(other(format!("it is a {} of {}", undo.kind, undo.api_version))),
        }
    }
}

/// The file on the disk, which is there before anything is changed.
pub struct UndoFile {
    path: PathBuf,
    undo: Undo,
}

impl UndoFile {
    /// Makes a new file, which only the user can read.
    ///
    /// # Errors
    /// It is there already, or cannot be written.
    pub fn create(path: PathBuf, undo: Undo) -> Result<Self, UndoError> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = Self { path, undo };
        options.open(&file.path).map_err(|cause| file.not_written(cause))?;
        file.write()?;
        Ok(file)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a step that was taken.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, taken: Taken) -> Result<(), UndoError> {
        self.undo.steps.push(taken);
        self.write()
    }

    fn write(&self) -> Result<(), UndoError> {
        let write = || {
            let text = serde_json::to_string_pretty(&self.undo)?;
            let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(&self.path)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        };
        write().map_err(|cause| self.not_written(cause))
    }

    fn not_written(&self, cause: std::io::Error) -> UndoError {
        UndoError::Write { path: self.path.display().to_string(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("undo.json");
        let mut file = UndoFile::create(path.clone(), Undo::new(String::from("https://cluster"))).unwrap();
        let undo = AwsUndo::DeleteRole { role: String::from("r") };
        let taken = Taken { title: String::from("create the role"), back: Back::Aws { account: None, undo } };
        file.add(taken.clone()).unwrap();
        let object = ObjectRef { kind: String::from("Deployment"), namespace: None, name: String::from("d") };
        let patched = Taken { title: String::from("t"), back: Back::Patch { object, patch: Vec::new() } };
        file.add(patched.clone()).unwrap();
        assert_eq!(Undo::read(&path).unwrap().steps, [taken, patched]);
        assert!(UndoFile::create(path.clone(), Undo::new(String::new())).is_err(), "it is not written over");
        std::fs::write(&path, r#"{"apiVersion":"v1","kind":"Pod","server":"","steps":[]}"#).unwrap();
        assert_eq!(
            Undo::read(&path).unwrap_err().to_string(),
            format!("{} is not a file that --fix wrote: it is a Pod of v1", path.display())
        );
    }
}
