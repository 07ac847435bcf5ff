//! The shared config and credentials files of the AWS SDKs: which profiles there are, and what they name. No key's value.

use super::path::{self, View};
use crate::environment::{Env, showable};
use irsa_probe::{Identity, Profile, SharedFile, Variable};
use std::path::Path;

/// The settings whose values are shown.
const PUBLIC: [&str; 9] = [
    "credential_source",
    "endpoint_url",
    "region",
    "role_arn",
    "role_session_name",
    "source_profile",
    "sts_regional_endpoints",
    "use_fips_endpoint",
    "web_identity_token_file",
];
/// No more profiles, and no more settings of one, are reported.
const MOST: usize = 24;

/// Looks at both, in the target's file system. Nothing is said of files that it has and the probe may not see.
pub fn look(root: &Path, env: &Env, me: Option<&Identity>, target: Option<&Identity>) -> Vec<SharedFile> {
    let view = View { root, me, target };
    let home = env.get("HOME").map(str::to_owned).or_else(|| home(root, target?.uid[1]));
    let home = home.as_deref().map(|home| home.trim_end_matches('/'));
    let file = |variable: &str, name: &str| {
        let path = match (env.get(variable), home) {
            (Some(path), Some(home)) if path.starts_with("~/") => path.replacen('~', home, 1),
            (Some(path), _) => path.to_owned(),
            (None, Some(home)) => format!("{home}/.aws/{name}"),
            (None, None) => return None,
        };
        let (file, content) = path::look(view, &path);
        let profiles = content.map(|content| parse(&String::from_utf8_lossy(&content))).unwrap_or_default();
        Some(SharedFile { file, profiles })
    };
    let files = [file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), file("AWS_CONFIG_FILE", "config")];
    files.into_iter().flatten().collect()
}

/// The home directory of `/etc/passwd`.
fn home(root: &Path, uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string(path::resolve(root, Path::new("/etc/passwd")).ok()?).ok()?;
    let line = passwd.lines().find(|line| line.split(':').nth(2) == Some(uid.to_string().as_str()))?;
    line.split(':').nth(5).map(str::to_owned)
}

fn parse(content: &str) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = Vec::new();
    for line in content.lines() {
        if let Some(heading) = line.trim().strip_prefix('[') {
            if profiles.len() == MOST {
                break;
            }
            let name = heading.split(']').next().unwrap_or_default().trim();
            profiles.push(Profile { name: showable(name), settings: Vec::new() });
            continue;
        }
        // What is indented belongs to the setting above it.
        let indented = line.starts_with([' ', '\t']);
        let setting = line.split_once('=').filter(|_| !indented && !line.starts_with(['#', ';']));
        let (Some((name, value)), Some(profile)) = (setting, profiles.last_mut()) else { continue };
        if profile.settings.len() < MOST {
            let (name, value) = (name.trim(), value.trim());
            let public = PUBLIC.contains(&name.to_ascii_lowercase().as_str()) && !value.is_empty();
            let shown = public.then(|| showable(value));
            profile.settings.push(Variable { name: showable(name), value: shown, empty: value.is_empty() });
        }
    }
    profiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const FILE: &str = "# comment\n[default]\naws_access_key_id = AKIA\naws_secret_access_key=verysecret\nregion =\n\n\
                        [profile other]\nrole_arn = arn:aws:iam::1:role/r\ns3 =\n  max = 1\n";

    #[test]
    fn keys_are_named_and_not_shown() {
        let profiles = parse(FILE);
        assert!(!format!("{profiles:?}").contains("verysecret"));
        let [default, other] = profiles.as_slice() else { panic!("{profiles:?}") };
        let names: Vec<_> = default.settings.iter().map(|setting| setting.name.as_str()).collect();
        assert_eq!(names, ["aws_access_key_id", "aws_secret_access_key", "region"]);
        assert!(default.settings[2].empty);
        assert_eq!(other.name, "profile other");
        assert_eq!(other.settings[0].value.as_deref(), Some("arn:aws:iam::1:role/r"));
        assert_eq!(other.settings.len(), 2);
    }

    #[test]
    fn they_are_looked_for_where_the_application_does() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::create_dir_all(root.path().join("home/app/.aws")).unwrap();
        fs::write(root.path().join("etc/passwd"), "root:x:0:0::/root:/bin/sh\napp:x:7:7::/home/app:\n")
            .unwrap();
        fs::write(root.path().join("home/app/.aws/credentials"), FILE).unwrap();
        let target = Identity { uid: [7; 4], ..Identity::default() };
        let look = |variables: &[(&str, &str)]| look(root.path(), &Env::of(variables), None, Some(&target));
        let paths =
            |files: &[SharedFile]| files.iter().map(|file| file.file.path.clone()).collect::<Vec<_>>();

        let files = look(&[]);
        assert_eq!(paths(&files), ["/home/app/.aws/credentials", "/home/app/.aws/config"]);
        assert_eq!(files[0].profiles.len(), 2);
        assert!(files[1].file.fault.is_some());
        let files = look(&[("HOME", "/srv/"), ("AWS_CONFIG_FILE", "~/aws.ini")]);
        assert_eq!(paths(&files), ["/srv/.aws/credentials", "/srv/aws.ini"]);
    }
}
