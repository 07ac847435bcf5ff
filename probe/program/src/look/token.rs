//! A token file, seen by the probe and through the target's eyes.

use super::path::{self, View};
use super::{jwt, process};
use irsa_probe::{Identity, Target, TokenFile};
use std::path::Path;
use zeroize::Zeroizing;

/// Looks at a token file. The probe's own mount of it comes first: it has the same volume.
pub fn look(
    proc: &Path,
    path: &str,
    me: Option<&Identity>,
    target: Option<&mut Target>,
) -> (TokenFile, Option<Zeroizing<Vec<u8>>>) {
    let root = process::root_of(proc, target.as_deref());
    let theirs = target.as_deref().and_then(|target| target.identity.clone());
    let own_view = View { root: Path::new("/"), me, target: theirs.as_ref() };
    let (own, own_content) = path::look(own_view, path);
    let target_view = root.as_deref().map(|root| View { root, ..own_view });
    let (in_target, target_content) = match target_view.map(|view| path::look(view, path)) {
        Some((seen, content)) => (Some(seen), content),
        None => (None, None),
    };
    if let Some(target) = target {
        for other in &mut target.others {
            let who = Identity {
                uid: [other.uid; 4],
                gid: [other.gid; 4],
                groups: other.groups.clone(),
                capabilities: other.capabilities.clone(),
                ..Identity::default()
            };
            let judge = |view| path::may_read(view, path, &who);
            other.may_read_token = target_view.and_then(judge).or_else(|| judge(own_view));
        }
    }
    let content = own_content.or(target_content);
    let jwt = content.as_deref().map(|content| jwt::read(content));
    (TokenFile { own, target: in_target, jwt }, content)
}
