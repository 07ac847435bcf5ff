//! The volumes of a pod, as directories of the host.

use super::environment::Sources;
use super::pod::{Ownership, list, token_ownership};
use crate::kube_api::token::Issuer;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

/// Writes volumes.
pub struct Volumes<'s> {
    /// The pod, and what it refers to.
    pub sources: Sources<'s>,
    /// Signs tokens.
    pub issuer: &'s Issuer,
    /// The API server's clock.
    pub now: Timestamp,
}

/// The file of a volume.
struct File {
    path: String,
    content: String,
    ownership: Ownership,
    /// By the node's clock, which is not that of the machine.
    modified: Timestamp,
}

impl Volumes<'_> {
    /// Writes every volume into a directory of its own below `directory`, or refreshes it.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        for volume in list(&self.sources.pod["spec"]["volumes"]) {
            let path = directory.join(volume["name"].as_str().unwrap_or_default());
            fs::create_dir_all(&path)?;
            fs::set_permissions(&path, Permissions::from_mode(0o755))?;
            if ["projected", "secret", "configMap", "downwardAPI"].iter().any(|kind| !volume[*kind].is_null())
            {
                swap(&path, &self.files(volume))?;
            }
        }
        Ok(())
    }

    fn files(&self, volume: &Value) -> Vec<File> {
        let one = [volume.clone()];
        let sources = match &volume["projected"] {
            Value::Null => &one,
            projected => list(&projected["sources"]),
        };
        let kinds = ["projected", "secret", "configMap", "downwardAPI"];
        let mode = kinds.iter().find_map(|kind| volume[*kind]["defaultMode"].as_u64());
        let mode = mode.and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0o644);
        sources.iter().flat_map(|source| self.source(source, mode)).collect()
    }

    fn source(&self, source: &Value, mode: u32) -> Vec<File> {
        let group = &self.sources.pod["spec"]["securityContext"]["fsGroup"];
        let group = group.as_u64().and_then(|group| u32::try_from(group).ok());
        let mode = if group.is_some() { mode | 0o440 } else { mode };
        let plain = Ownership { uid: 0, gid: group.unwrap_or(0), mode };
        let token = &source["serviceAccountToken"];
        if !token.is_null() {
            let path = token["path"].as_str().unwrap_or("token").to_owned();
            let ownership = token_ownership(self.sources.pod);
            // Without a shared user or a group the volume's own mode holds.
            let open = ownership.mode == 0o644;
            let ownership = if open { Ownership { mode, ..ownership } } else { ownership };
            let (content, modified) = self.token(token);
            return vec![File { path, content, ownership, modified }];
        }
        let entries: Vec<(String, String)> = match &source["downwardAPI"] {
            Value::Null => self.entries(source),
            fields => list(&fields["items"])
                .iter()
                .map(|item| {
                    let field = item["fieldRef"]["fieldPath"].as_str().unwrap_or_default();
                    (item["path"].as_str().unwrap_or_default().to_owned(), self.sources.field(field))
                })
                .collect(),
        };
        let file = |(path, content)| File { path, content, ownership: plain, modified: self.now };
        entries.into_iter().map(file).collect()
    }

    /// The entries of a ConfigMap or a Secret under their paths. A world need not have every object that a real pod
    /// waits for: what is missing gives no files.
    fn entries(&self, source: &Value) -> Vec<(String, String)> {
        let (kind, reference) = match &source["configMap"] {
            Value::Null => ("secret", &source["secret"]),
            reference => ("configmap", reference),
        };
        let name = if reference["name"].is_null() { &reference["secretName"] } else { &reference["name"] };
        let named = json!({"name": name, "optional": true});
        let entries = self.sources.entries(kind, &named).ok().flatten().unwrap_or_default();
        let items = list(&reference["items"]);
        let path = |key: &str| match items {
            [] => Some(key.to_owned()),
            items => {
                let item = items.iter().find(|item| item["key"] == key)?;
                item["path"].as_str().map(str::to_owned)
            }
        };
        entries.into_iter().filter_map(|(key, value)| Some((path(&key)?, value))).collect()
    }

    /// A token and its time: it was asked for when the pod started, and since then whenever 80 % of its life or a day were over.
    fn token(&self, wanted: &Value) -> (String, Timestamp) {
        let pod = self.sources.pod;
        let seconds = wanted["expirationSeconds"].as_i64().unwrap_or(3600).max(600);
        let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let started =
            time(&pod["status"]["startTime"]).or_else(|| time(&pod["metadata"]["creationTimestamp"]));
        let age = started.map_or(0, |started| self.now.duration_since(started).as_secs().max(0));
        let period = (seconds / 5 * 4).min(86_400);
        let issued = self.now - SignedDuration::from_secs(age % period);
        let audience = &wanted["audience"];
        let audiences = if audience.is_null() { json!([self.issuer.url()]) } else { json!([audience]) };
        (self.issuer.mint_for(self.sources.store, pod, &audiences, issued, seconds), issued)
    }
}

/// Owner and mode of every file that the volumes below `directory` show, by `VOLUME/FILE`.
pub fn ownerships(directory: &Path) -> io::Result<BTreeMap<PathBuf, Ownership>> {
    let mut all = BTreeMap::new();
    for volume in fs::read_dir(directory)? {
        let volume = volume?;
        for file in fs::read_dir(volume.path())? {
            let file = file?;
            if file.file_name().as_encoded_bytes().starts_with(b"..") {
                continue;
            }
            let stat = fs::metadata(file.path())?;
            let ownership = Ownership { uid: stat.uid(), gid: stat.gid(), mode: stat.mode() & 0o7777 };
            all.insert(Path::new(&volume.file_name()).join(file.file_name()), ownership);
        }
    }
    Ok(all)
}

/// Replaces what a volume holds, as the kubelet's atomic writer does: files in a new directory, then one link.
fn swap(volume: &Path, files: &[File]) -> io::Result<()> {
    let data = volume.join("..data");
    let old = fs::read_link(&data).ok();
    // After the time it carries a random number; here they are counted.
    let last = old.as_ref().and_then(|old| old.extension()?.to_str()?.parse::<u32>().ok());
    let name = format!("..2026_11_22_00_00_00.{:09}", last.map_or(0, |last| last + 1));
    let directory = volume.join(&name);
    fs::create_dir(&directory)?;
    fs::set_permissions(&directory, Permissions::from_mode(0o755))?;
    for file in files {
        let path = directory.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &file.content)?;
        fs::File::options().write(true).open(&path)?.set_modified(file.modified.into())?;
        fs::set_permissions(&path, Permissions::from_mode(file.ownership.mode))?;
        chown(&path, Some(file.ownership.uid), Some(file.ownership.gid))?;
        let first = file.path.split('/').next().unwrap_or_default();
        let visible = volume.join(first);
        if fs::symlink_metadata(&visible).is_err() {
            symlink(Path::new("..data").join(first), visible)?;
        }
    }
    let next = volume.join("..data_tmp");
    symlink(&name, &next)?;
    fs::rename(next, data)?;
    old.map_or(Ok(()), |old| fs::remove_dir_all(volume.join(old)))
}
