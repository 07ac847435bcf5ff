//! The decisive experiment: a token of the service account, tried at STS from here.

use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::retry::RetryConfig;

use super::session::Session;
use crate::collect::token::Token;
use irsa::facts::aws::{StsAnswer, StsAttempt};
use irsa::facts::{Fact, Why};

/// The shortest session that STS issues, in seconds.
const SECONDS: i32 = 900;

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

impl Session {
    /// Calls `AssumeRoleWithWebIdentity`. It is not signed, so it needs no AWS credentials. Those that STS issues are thrown
    /// away unread.
    pub async fn try_token(&self, token: &Token, attempt: &Attempt) -> Fact<StsAttempt> {
        let action = "sts:AssumeRoleWithWebIdentity";
        let what = "STS's answer to a fresh token";
        let config = aws_sdk_sts::config::Builder::from(&self.sdk)
            .endpoint_url(format!("https://{}", attempt.host))
            // Its first answer is what counts.
            .retry_config(RetryConfig::disabled())
            .build();
        let call = aws_sdk_sts::Client::from_conf(config)
            .assume_role_with_web_identity()
            .role_arn(&attempt.role_arn)
            .role_session_name(&attempt.session_name)
            .duration_seconds(SECONDS)
            .web_identity_token(token.expose())
            .send();
        let label = format!("{action} at {}", attempt.host);
        let answer = match self.web.within(&label, call).await {
            None => return Fact::unknown_because(what, Why::TimedOut(self.web.timeout().as_secs()), None),
            Some(Ok(accepted)) => match accepted.assumed_role_user {
                Some(user) => StsAnswer::Accepted { assumed_role_arn: user.arn },
                None => return Fact::unknown_because(what, super::session::incomplete(), None),
            },
            Some(Err(SdkError::ServiceError(refused))) => StsAnswer::Refused {
                status: refused.raw().status().as_u16(),
                code: refused.err().code().unwrap_or_default().to_owned(),
                message: refused.err().message().unwrap_or_default().to_owned(),
                request_id: refused.err().request_id().map(str::to_owned),
            },
            Some(Err(SdkError::DispatchFailure(failure))) => {
                let words = format!("cannot reach {}: {}", attempt.host, super::session::unsent(&failure));
                return Fact::unknown_because(what, Why::Failed(words), None);
            }
            // The other errors are made before anything is sent, or of an answer that is not STS's; neither holds the token.
            Some(Err(_)) => {
                let why = Why::Failed(format!("{} did not answer like STS", attempt.host));
                return Fact::unknown_because(what, why, None);
            }
        };
        let source = super::source(action, attempt.host.clone());
        Fact::observed(
            StsAttempt { host: attempt.host.clone(), role_arn: attempt.role_arn.clone(), answer },
            source,
        )
    }
}
