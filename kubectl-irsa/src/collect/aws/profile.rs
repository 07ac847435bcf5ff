//! The profile that signs in to AWS: whose choice counts, and whether it exists. As botocore has it, so that the commands of a report
//! ask as this run did: one that is asked for by name wins over keys in the environment, and one that the environment names does not.

use std::fmt;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::os_shim_internal::{Env, Fs};
use irsa::text::near;
use thiserror::Error;

use super::Settings;
use crate::collect::web::Web;

/// The variables that name a profile, in botocore's order.
const VARIABLES: [&str; 2] = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"];

/// A profile, and who chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub(super) name: String,
    by: By,
}

/// Who chose a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// `--profile`.
    Flag,
    /// The environment.
    Variable(&'static str),
    /// The kubeconfig's exec plugin.
    Kubeconfig,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "--profile",
            Self::Variable(name) => name,
            Self::Kubeconfig => "the kubeconfig",
        })
    }
}

/// The user's AWS configuration has no such profile.
#[derive(Debug, Error)]
#[error("there is no AWS profile \"{name}\" ({by}){}", .hint)]
pub struct NoSuchProfile {
    name: String,
    by: By,
    /// What is there instead.
    hint: String,
}

/// The names of the profiles in the user's AWS configuration; `None` if it cannot be read.
pub async fn names() -> Option<Vec<String>> {
    let (fs, env) = (Fs::default(), Env::default());
    let set = aws_config::profile::load(&fs, &env, &Default::default(), None).await.ok()?;
    let mut names: Vec<String> = set.profiles().map(str::to_owned).collect();
    names.sort();
    Some(names)
}

impl Profile {
    /// The one that counts, if somebody chose one. That of the kubeconfig counts only where the environment chooses nothing.
    pub fn chosen(settings: &Settings) -> Option<Self> {
        Self::among(settings.profile.as_deref(), settings.hints.profile.as_deref(), |name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })
    }

    /// The profile if this machine has it. One that only the kubeconfig names is no choice where it does not.
    ///
    /// # Errors
    /// The user chose one that does not exist.
    pub async fn existing(self) -> Result<Option<Self>, NoSuchProfile> {
        // What cannot be read is named where the credentials are looked for.
        let Some(names) = names().await else { return Ok(Some(self)) };
        if names.contains(&self.name) {
            return Ok(Some(self));
        }
        let hint = near::hint(&self.name, &names, "profiles");
        match self.by {
            By::Kubeconfig => Ok(None),
            by @ (By::Flag | By::Variable(_)) => Err(NoSuchProfile { name: self.name, by, hint }),
        }
    }

    fn among(
        flag: Option<&str>,
        kubeconfig: Option<&str>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let of = |name: &str, by| Self { name: name.to_owned(), by };
        let variable = || VARIABLES.into_iter().find_map(|name| Some(of(&var(name)?, By::Variable(name))));
        let kubeconfig = || kubeconfig.filter(|_| var("AWS_ACCESS_KEY_ID").is_none());
        flag.map(|name| of(name, By::Flag))
            .or_else(variable)
            .or_else(|| kubeconfig().map(|name| of(name, By::Kubeconfig)))
    }

    /// The flags that let the AWS CLI ask as this run does; what the environment says, it reads itself.
    pub fn cli_flags(&self) -> Vec<String> {
        match self.by {
            By::Flag | By::Kubeconfig => vec![String::from("--profile"), self.name.clone()],
            By::Variable(_) => Vec::new(),
        }
    }

    /// The configuration with the profile's own credentials, where keys in the environment must not win over them. Where the
    /// profile holds none, botocore asks the machine for its role.
    pub(super) fn over_environment(&self, sdk: SdkConfig, web: &Web) -> SdkConfig {
        if matches!(self.by, By::Variable(_)) {
            return sdk;
        }
        let config = ProviderConfig::without_region()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(web.for_sdk())
            .with_region(sdk.region().cloned());
        let profile = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(&self.name);
        let chain = CredentialsProviderChain::first_try("Profile", profile.build())
            .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&config).build())
            .or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().configure(&config).build());
        let provider = SharedCredentialsProvider::new(chain);
        sdk.into_builder().credentials_provider(provider).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_then_the_environment_then_the_kubeconfig() {
        let chosen = |flag, kubeconfig, env: &[&str]| {
            let var = |name: &str| {
                env.iter().find_map(|set| Some(set.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
            };
            Profile::among(flag, kubeconfig, var).map(|profile| format!("{} {}", profile.name, profile.by))
        };
        let all = ["AWS_PROFILE=p", "AWS_DEFAULT_PROFILE=d", "AWS_ACCESS_KEY_ID=AKIA"];
        for (flag, kubeconfig, env, expected) in [
            (Some("f"), Some("k"), &all[..], Some("f --profile")),
            (None, Some("k"), &all, Some("d AWS_DEFAULT_PROFILE")),
            (None, Some("k"), &["AWS_PROFILE=p"], Some("p AWS_PROFILE")),
            (None, Some("k"), &["AWS_ACCESS_KEY_ID=AKIA"], None),
            (None, Some("k"), &[], Some("k the kubeconfig")),
            (None, None, &[], None),
        ] {
            assert_eq!(chosen(flag, kubeconfig, env).as_deref(), expected, "{env:?}");
        }
    }
}
