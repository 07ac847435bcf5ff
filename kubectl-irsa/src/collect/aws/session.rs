//! Access to AWS with the user's own credentials, found the way every AWS tool finds them.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use tokio::sync::OnceCell;

use super::EksHints;
use super::own::{Foreign, ItsOwn};
use super::profile::{NoSuchProfile, Profile};
use crate::collect::foreign::{foreign, hold};
use crate::collect::web::{Silence, Web, silence};
use crate::collect::{Late, causes, sso};
use irsa::facts::aws::Caller;
use irsa::facts::{Fact, Grant, Unknown, Why};

/// How the user asks AWS.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// `--cluster-name`.
    pub cluster: Option<String>,
    /// What the kubeconfig tells.
    pub hints: EksHints,
}

impl Settings {
    /// The cluster's name in EKS.
    pub fn cluster(&self) -> Option<&str> {
        self.cluster.as_deref().or(self.hints.cluster.as_deref())
    }

    /// The region that the flags or the kubeconfig name.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref().or(self.hints.region.as_deref())
    }
}

/// The connection to AWS.
pub struct Session {
    pub(super) sdk: SdkConfig,
    pub(super) web: Web,
    settings: Settings,
    profile: Option<Profile>,
    signed_in: OnceCell<Result<(), Why>>,
    caller: OnceCell<Fact<Caller>>,
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// AWS says that it does not exist.
    NotFound,
    /// It is not known.
    Unknown(Why),
}

impl Session {
    /// Reads the AWS configuration of the user, unless it is `given`; nothing is asked yet.
    ///
    /// # Errors
    /// It does not have the profile that was chosen.
    pub async fn open(settings: Settings, given: Option<SdkConfig>, web: Web) -> Result<Self, NoSuchProfile> {
        // The deadline of an answer is ours; one more try within it.
        let retry = RetryConfig::standard().with_max_attempts(2);
        let region = settings.region().map(|region| Region::new(region.to_owned()));
        let profile = match (Profile::chosen(&settings), &given) {
            (Some(profile), None) => profile.existing().await?,
            (chosen, _) => chosen,
        };
        let mut sdk = match given {
            Some(given) => {
                let region = region.or_else(|| given.region().cloned());
                given.into_builder().region(region).http_client(web.for_sdk()).retry_config(retry).build()
            }
            None => {
                let mut loader = aws_config::defaults(BehaviorVersion::latest())
                    .http_client(web.for_sdk())
                    .retry_config(retry);
                if let Some(region) = region {
                    loader = loader.region(region);
                }
                match &profile {
                    Some(profile) => {
                        let sdk = loader.profile_name(&profile.name).load().await;
                        profile.over_environment(sdk, &web)
                    }
                    None => loader.load().await,
                }
            }
        };
        if sdk.region().is_none() {
            // IAM and STS need one to know the partition.
            sdk = sdk.into_builder().region(Region::new("us-east-1")).build();
        }
        Ok(Self { sdk, web, settings, profile, signed_in: OnceCell::new(), caller: OnceCell::new() })
    }

    /// What the user chose.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The flags that let the AWS CLI ask as this run does.
    pub fn cli_flags(&self) -> Vec<String> {
        self.profile.as_ref().map(Profile::cli_flags).unwrap_or_default()
    }

    fn profile_name(&self) -> Option<&str> {
        self.profile.as_ref().map(|profile| profile.name.as_str())
    }

    /// A client of STS. Each client looks at whose answer it reads.
    pub(super) fn sts(&self) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.sdk).interceptor(ItsOwn).build();
        aws_sdk_sts::Client::from_conf(config)
    }

    /// A client of IAM.
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::config::Builder::from(&self.sdk).interceptor(ItsOwn).build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// A client of EKS.
    pub(super) fn eks(&self) -> aws_sdk_eks::Client {
        self.eks_in(None)
    }

    /// A client of EKS in a Region; that of the session if none is given.
    pub(crate) fn eks_in(&self, region: Option<Region>) -> aws_sdk_eks::Client {
        let config = aws_sdk_eks::config::Builder::from(&self.sdk).interceptor(ItsOwn);
        let region = region.or_else(|| self.sdk.region().cloned());
        aws_sdk_eks::Client::from_conf(config.region(region).build())
    }

    /// Who the user is; asked once.
    pub async fn caller(&self) -> &Fact<Caller> {
        self.caller
            .get_or_init(|| async {
                let client = self.sts();
                let answer = self.ask("sts:GetCallerIdentity", client.get_caller_identity().send()).await;
                let what = "your AWS identity";
                let source = super::source("sts:GetCallerIdentity", "");
                match answer {
                    Ok(answer) => match (answer.account, answer.arn) {
                        (Some(account), Some(arn)) => super::known(Caller { account, arn }, source),
                        _ => Fact::unknown_because(what, incomplete(), None),
                    },
                    Err(NoAnswer::NotFound) => Fact::Absent { source },
                    Err(NoAnswer::Unknown(why)) => Fact::unknown_because(what, why, None),
                }
            })
            .await
    }

    /// Why `account` cannot be asked: the user is signed in to another account.
    pub(super) async fn elsewhere(&self, account: &str) -> Option<Why> {
        let caller = self.caller().await.known()?;
        (caller.value.account != account).then(|| Why::OtherAccount {
            signed_in: caller.value.account.clone(),
            needed: account.to_owned(),
        })
    }

    /// Waits for an answer to a signed question. The SDK's future is large, and many are held at once: it goes to the heap.
    pub(crate) fn ask<T, E>(
        &self,
        action: &str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> impl Future<Output = Result<T, NoAnswer>>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let call = Box::pin(call);
        async move {
            self.signed_in().await.map_err(NoAnswer::Unknown)?;
            match self.web.within(action, call).await {
                Err(late) => Err(NoAnswer::Unknown(late.into())),
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(no_answer(&error, self.profile_name())),
            }
        }
    }

    /// Looks up the credentials once, so that ten requests do not search for them ten times.
    async fn signed_in(&self) -> Result<(), Why> {
        let find = || async {
            let Some(provider) = self.sdk.credentials_provider() else {
                return Err(Why::NoCredentials(String::from("none are configured")));
            };
            match self.web.within("your AWS credentials", provider.provide_credentials()).await {
                Err(Late::Answer(limit)) => {
                    Err(Why::NoCredentials(format!("none were found within {} s", limit.as_secs())))
                }
                Err(late) => Err(late.into()),
                Ok(Err(error)) => Err(Why::NoCredentials(credentials_words(&error, self.profile_name()))),
                Ok(Ok(found)) => {
                    hold(found.secret_access_key());
                    found.session_token().into_iter().for_each(hold);
                    Ok(())
                }
            }
        };
        self.signed_in.get_or_init(find).await.clone()
    }
}

/// What is wrong with the credentials. The providers' own words are not repeated: a credential process may have printed
/// anything.
fn credentials_words(error: &CredentialsError, profile: Option<&str>) -> String {
    if let Some(command) = sso::sign_in(&causes(error), profile) {
        return format!("the session has expired or was never started; run `{command}`");
    }
    match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            String::from("none in the environment, the profile, SSO or the instance")
        }
        CredentialsError::ProviderTimedOut(_) => String::from("the provider did not answer in time"),
        CredentialsError::InvalidConfiguration(_) => {
            String::from("the AWS configuration cannot be used; `aws sts get-caller-identity` says why")
        }
        _ => String::from("the provider failed; `aws sts get-caller-identity` says why"),
    }
}

fn no_answer<E>(error: &SdkError<E, HttpResponse>, profile: Option<&str>) -> NoAnswer
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let service = match error {
        SdkError::ServiceError(service) => service.err(),
        SdkError::DispatchFailure(failure) => return NoAnswer::Unknown(Why::Failed(unsent(failure))),
        other => {
            let words = Foreign::of(other).map_or_else(|| causes(other), ToString::to_string);
            return NoAnswer::Unknown(Why::Failed(words));
        }
    };
    let code = &*foreign(service.code().unwrap_or_default());
    let message = foreign(service.message().unwrap_or_default());
    NoAnswer::Unknown(match code {
        "NoSuchEntity" | "ResourceNotFoundException" => return NoAnswer::NotFound,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Why::Denied(message),
        "ExpiredToken" | "ExpiredTokenException" => {
            let again = sso::command(profile);
            Why::NoCredentials(format!("those found here have expired; sign in again, with SSO by `{again}`"))
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException" => {
            Why::NoCredentials(format!("AWS rejects the ones found here: {code}: {message}"))
        }
        "Throttling" | "ThrottlingException" | "TooManyRequestsException" => {
            Why::Failed(String::from(THROTTLED))
        }
        _ => Why::Failed(format!("{ANSWERED} {code}: {message}")),
    })
}

/// What a code that is none of those above is told with.
const ANSWERED: &str = "AWS answered";
const THROTTLED: &str = "AWS is throttling this call";

impl NoAnswer {
    /// True if the service itself said no, so that nothing was done; false if what was asked may have been done all the same.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::NotFound => true,
            Self::Unknown(why) => match why {
                Why::Denied(_) | Why::NoCredentials(_) | Why::OtherAccount { .. } | Why::NotAsked(_) => true,
                Why::Failed(words) => words.starts_with(ANSWERED) || words == THROTTLED,
                Why::TimedOut(_)
                | Why::TimeIsUp(_)
                | Why::Interrupted
                | Why::Incomplete(_)
                | Why::NotInFiles
                | Why::Excluded(_)
                | Why::OneOfMany(_)
                | Why::LeftOut(_) => false,
            },
        }
    }
}

/// Why a request could not be sent.
pub(super) fn unsent(failure: &DispatchFailure) -> String {
    match failure.as_connector_error().map(|error| silence(error)) {
        Some(Silence::NoSuchHost) => String::from("the host name does not exist"),
        Some(Silence::Untrusted(why)) => format!("the server's certificate is not trusted here: {why}"),
        Some(Silence::Unreachable(words)) => words,
        Some(Silence::Late(_)) | None => String::from("the request could not be sent"),
    }
}

/// An answer that lacks what it must have.
pub(super) fn incomplete() -> Why {
    Why::Failed(String::from("AWS's answer lacks a required field"))
}

/// The fact that an answer, or its absence, amounts to.
pub(super) fn fact<T>(
    answer: Result<T, NoAnswer>,
    what: impl Into<String>,
    action: &str,
    object: &str,
) -> Fact<T> {
    let source = super::source(action, object);
    match answer {
        Ok(value) => Fact::observed(value, source),
        Err(NoAnswer::NotFound) => Fact::Absent { source },
        Err(NoAnswer::Unknown(why)) => unknown(what, why, action, object),
    }
}

/// Not known; with the permission that would allow it, where a permission is what is missing.
pub(super) fn unknown<T>(what: impl Into<String>, why: Why, action: &str, object: &str) -> Fact<T> {
    let object = if object.is_empty() { "*" } else { object };
    // Whoever is not signed in, or to another account, is not helped by a permission.
    let helps = matches!(why, Why::Denied(_));
    Fact::Unknown(Unknown { what: what.into(), why, grant: helps.then(|| Grant::iam(action, object)) })
}
