//! The decisive experiment: a token of the service account, tried at STS from here.

use std::time::Duration;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role_with_web_identity::{
    AssumeRoleWithWebIdentityError, AssumeRoleWithWebIdentityOutput,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::retry::RetryConfig;
use aws_types::service_config::ServiceConfigKey;
use tokio::time::Instant;

use super::own::{Foreign, ItsOwn};
use super::session::{Session, incomplete, unsent};
use crate::collect::foreign::{foreign, hold};
use crate::collect::token::Token;
use irsa::aws::endpoint::{host_of_url, is_loopback};
use irsa::facts::aws::{StsAnswer, StsAttempt};
use irsa::facts::{Fact, Why};

/// The shortest session that STS issues, in seconds.
const SECONDS: i32 = 900;
/// How often the token is tried, where what comes is no answer that would last.
const TRIES: u32 = 3;
/// The wait before the second try, where STS does not name one; twice that before the third.
const BACKOFF: Duration = Duration::from_millis(250);
/// What an answer takes at least.
const LEAST: Duration = Duration::from_millis(500);

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// The role.
    pub role_arn: String,
    /// Host of the endpoint.
    pub host: String,
    /// Name of the session.
    pub session_name: String,
}

/// The user's own choice of an endpoint for STS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its URL.
    pub url: String,
    /// The setting.
    pub by: &'static str,
}

type Answer = Result<AssumeRoleWithWebIdentityOutput, SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>;

impl Session {
    /// The endpoint of STS that the user's environment or profile names, as the SDK reads it for every other call.
    pub fn chosen_sts(&self) -> Option<Chosen> {
        let key =
            ServiceConfigKey::builder().service_id("STS").env("AWS_ENDPOINT_URL").profile("endpoint_url");
        let of_sts = key.build().ok().and_then(|key| self.sdk.service_config()?.load_config(key));
        let url = of_sts.or_else(|| self.sdk.endpoint_url().map(str::to_owned))?;
        // The SDK does not say which of them it is.
        let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let by = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"].into_iter().find(set);
        Some(Chosen { url, by: by.unwrap_or("endpoint_url") })
    }

    /// Calls `AssumeRoleWithWebIdentity`. It is not signed, so it needs no AWS credentials. Those that STS issues are thrown
    /// away unread. What does not last (throttling, a failure of STS's own, a cut connection) is tried again.
    pub async fn try_token(&self, token: &Token, attempt: &Attempt) -> Fact<StsAttempt> {
        let action = "sts:AssumeRoleWithWebIdentity";
        let what = "STS's answer to a fresh token";
        let unknown = |why| Fact::unknown_because(what, why, None);
        let chosen = self.chosen_sts();
        let url = match &chosen {
            Some(chosen) if !keeps_secrets(&chosen.url) => {
                let words = "sends the token over plain HTTP to another machine, so it was not tried";
                return unknown(Why::Failed(format!(
                    "your own {} ({}) {words}",
                    chosen.by,
                    shown(&chosen.url)
                )));
            }
            Some(chosen) => chosen.url.clone(),
            None => format!("https://{}", attempt.host),
        };
        let host = host_of_url(&url).unwrap_or(&attempt.host).to_owned();
        let config = aws_sdk_sts::config::Builder::from(&self.sdk)
            .endpoint_url(url)
            .interceptor(ItsOwn)
            // What was tried again is part of the answer.
            .retry_config(RetryConfig::disabled())
            .build();
        let client = aws_sdk_sts::Client::from_conf(config);
        // The SDK's future is large.
        let call = || {
            let call = client
                .assume_role_with_web_identity()
                .role_arn(&attempt.role_arn)
                .role_session_name(&attempt.session_name)
                .duration_seconds(SECONDS)
                .web_identity_token(token.expose());
            Box::pin(call.send())
        };
        let deadline = self.web.until();
        let tries = async {
            let mut before = Vec::new();
            for wait in (0..TRIES - 1).map(|exponent| BACKOFF * 2_u32.pow(exponent)) {
                let answer = call().await;
                let Some((words, asked)) = passing(&answer) else { return (answer, before) };
                let wait = asked.unwrap_or(wait);
                if Instant::now() + wait + LEAST > deadline {
                    return (answer, before);
                }
                before.push(words);
                tokio::time::sleep(wait).await;
            }
            (call().await, before)
        };
        let label = format!("{action} at {host}");
        let (answer, before) = match self.web.within(&label, tries).await {
            Ok(answered) => answered,
            Err(late) => return unknown(late.into()),
        };
        if let Some(issued) = answer.as_ref().ok().and_then(|accepted| accepted.credentials.as_ref()) {
            hold(&issued.secret_access_key);
            hold(&issued.session_token);
        }
        let answer = match answer {
            Ok(accepted) => match accepted.assumed_role_user {
                Some(user) => StsAnswer::Accepted { assumed_role_arn: user.arn },
                None => return unknown(incomplete()),
            },
            Err(SdkError::ServiceError(refused)) => StsAnswer::Refused {
                status: refused.raw().status().as_u16(),
                code: foreign(refused.err().code().unwrap_or_default()),
                message: foreign(refused.err().message().unwrap_or_default()).into(),
                request_id: refused.err().request_id().map(foreign),
            },
            Err(SdkError::DispatchFailure(failure)) => {
                return unknown(Why::Failed(format!("cannot reach {host}: {}", unsent(&failure))));
            }
            // The other errors are made before anything is sent, or of an answer that is not STS's; neither holds the token.
            Err(other) => {
                let words = Foreign::of(&other).map(ToString::to_string);
                return unknown(Why::Failed(
                    words.unwrap_or_else(|| format!("{host} did not answer like STS")),
                ));
            }
        };
        let source = super::source(action, host.clone());
        let chosen_by = chosen.map(|chosen| format!("your own {}", chosen.by));
        let role_arn = attempt.role_arn.clone();
        Fact::observed(StsAttempt { host, role_arn, answer, chosen_by, before }, source)
    }
}

/// What came instead of an answer that lasts, and how long STS asks to wait.
fn passing(answer: &Answer) -> Option<(String, Option<Duration>)> {
    match answer {
        Err(SdkError::ServiceError(refused)) => {
            let (status, code) = (refused.raw().status().as_u16(), refused.err().code().unwrap_or_default());
            let throttled = status == 429 || code.starts_with("Throttling") || code == "RequestLimitExceeded";
            let seconds =
                refused.raw().headers().get("retry-after").and_then(|text| text.trim().parse().ok());
            (throttled || status >= 500)
                .then(|| (format!("{status} {}", foreign(code)), seconds.map(Duration::from_secs)))
        }
        Err(SdkError::DispatchFailure(failure)) => {
            let words = unsent(failure);
            let cut = ["reset", "closed", "broken pipe", "unexpected end", "incomplete"];
            let lower = words.to_ascii_lowercase();
            cut.iter().any(|known| lower.contains(known)).then_some((words, None))
        }
        // A load balancer's own page, of AWS or of a proxy.
        Err(SdkError::ResponseError(answer)) => {
            let status = answer.raw().status().as_u16();
            (status >= 500).then(|| (status.to_string(), None))
        }
        Ok(_) | Err(_) => None,
    }
}

/// False for a URL by which the token would leave this machine in the clear.
fn keeps_secrets(url: &str) -> bool {
    url.starts_with("https://") || host_of_url(url).is_some_and(is_loopback)
}

/// A URL without what may be a password.
fn shown(url: &str) -> &str {
    host_of_url(url).unwrap_or("not a URL")
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

    use super::*;

    /// One of each partition that the SDK knows, and the Regions whose names are special.
    const REGIONS: [&str; 21] = [
        "af-south-1",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-west-1",
        "il-central-1",
        "mx-central-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "cn-north-1",
        "cn-northwest-1",
        "us-gov-east-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "us-isof-south-1",
        "eu-isoe-west-1",
        "eusc-de-east-1",
    ];

    #[tokio::test]
    async fn names_of_sts_are_those_that_the_sdk_builds() {
        let resolver = DefaultResolver::new();
        let all = REGIONS.iter().flat_map(|region| {
            [(false, false), (true, false), (false, true), (true, true)].map(|it| (*region, it))
        });
        for (region, (fips, dual)) in all {
            let params =
                Params::builder().region(region).use_fips(fips).use_dual_stack(dual).build().unwrap();
            let built = resolver.resolve_endpoint(&params).await.unwrap();
            let ours = format!("https://{}", irsa_probe::sts_host(region, fips, dual));
            assert_eq!(built.url(), ours, "{region}, fips {fips}, dual stack {dual}");
        }
    }

    #[test]
    fn a_token_leaves_this_machine_over_tls_alone() {
        for url in
            ["https://sts.example.com", "http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:1"]
        {
            assert!(keeps_secrets(url), "{url}");
        }
        for url in
            ["http://sts.example.com", "http://10.0.0.7:4566", "http://127.0.0.1.example.com", "sts:80", ""]
        {
            assert!(!keeps_secrets(url), "{url}");
        }
    }
}
