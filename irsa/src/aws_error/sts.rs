//! STS's own answers: a code and a message, as its API gives them.

use super::kind::Kind;
use super::{Because, Sighting, record};

/// What STS answered to `AssumeRoleWithWebIdentity`. Total: what is not known is [`Kind::Other`].
pub fn sts(code: &str, message: &str) -> Kind {
    if StsCode::of(code) == StsCode::Unknown {
        // Its message may be STS's own words all the same, quoted or imitated.
        return Kind::Other;
    }
    match read(code, message) {
        Some(sighting) if sighting.kind != Kind::AccessDenied => sighting.kind,
        _ => of_code(code),
    }
}

/// What the EKS Pod Identity agent answered: its own words, or those of EKS Auth that it passes on.
pub fn agent(message: &str) -> Option<Sighting> {
    record::read(&format!("operation error EKS Auth: {message}"), 1).into_iter().next()
}

/// Which policy STS says refused it.
pub fn sts_because(code: &str, message: &str) -> Option<Because> {
    read(code, message)?.because
}

fn read(code: &str, message: &str) -> Option<Sighting> {
    // The message tells more than the code, and the code makes common words STS's.
    record::read(&format!("operation error STS: {code}: {message}"), 1).into_iter().next()
}

/// What an error code is worth as STS's answer to `AssumeRoleWithWebIdentity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StsCode {
    /// STS refused the token, the role or the request.
    Final,
    /// STS turned the request away for now; it says nothing about the token.
    Passing,
    /// STS is not known to say it to a token, whatever comes with it: it may be a proxy's, or an imitation's.
    Unknown,
}

impl StsCode {
    /// Looks a code up.
    pub fn of(code: &str) -> Self {
        known(code).map_or(Self::Unknown, |(worth, _)| worth)
    }
}

fn of_code(code: &str) -> Kind {
    known(code).map_or(Kind::Other, |(_, kind)| kind)
}

/// The codes that STS is known to answer, and what each says where its message says no more. Documentation and wire differ in
/// whether a name ends in `Exception`.
///
/// Not among them are the other common errors: those of a signature, which this request does not have (`InvalidClientTokenId`,
/// `SignatureDoesNotMatch`, `RequestExpired`, …), and those of a request that lacks something (`MissingAction`,
/// `InvalidParameterValue`, …), which ours does not unless something on the way changed it.
fn known(code: &str) -> Option<(StsCode, Kind)> {
    use StsCode::{Final, Passing};
    Some(match code.strip_suffix("Exception").unwrap_or(code) {
        // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
        "ExpiredToken" => (Final, Kind::TokenExpired { now: None, expired: None }),
        "IDPCommunicationError" => (Final, Kind::IdpCommunication),
        "IDPRejectedClaim" => (Final, Kind::IdpRejectedClaim),
        "InvalidIdentityToken" => (Final, Kind::TokenNotValidated),
        "MalformedPolicyDocument" => (Final, Kind::RequestInvalid),
        "PackedPolicyTooLarge" => (Final, Kind::SessionTagsTooLarge),
        "RegionDisabled" => (Final, Kind::RegionDisabled),
        // https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
        "AccessDenied" => (Final, Kind::NotAuthorizedToAssume),
        "ValidationError" | "Validation" => (Final, Kind::RequestInvalid),
        "Throttling" => (Passing, Kind::Throttled),
        "InternalFailure" | "ServiceUnavailable" => (Passing, Kind::ServiceFailed),
        // What the SDKs take for throttling, and for a failure of the service, whichever it is:
        // https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
        "RequestLimitExceeded" | "TooManyRequests" => (Passing, Kind::Throttled),
        "InternalError" | "RequestTimeout" => (Passing, Kind::ServiceFailed),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_error::{Claim, Layer, Stage};

    #[test]
    fn the_policy_that_refused_is_named_by_stss_own_phrase() {
        let denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        for (words, because) in [
            (
                " because no VPC endpoint policy allows the sts:AssumeRoleWithWebIdentity action",
                Some(Because { layer: Layer::VpcEndpointPolicy, explicit: false }),
            ),
            (
                " with an explicit deny in a VPC endpoint policy",
                Some(Because { layer: Layer::VpcEndpointPolicy, explicit: true }),
            ),
            ("", None),
            (", whatever the VPC endpoint policy says", None),
        ] {
            assert_eq!(sts_because("AccessDenied", &format!("{denied}{words}")), because, "{words}");
        }
    }

    #[test]
    fn every_answer_has_its_kind_and_stage() {
        let issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE";
        for (code, message, kind, stage) in [
            ("ValidationError", "Request ARN is invalid", Kind::InvalidRoleArn, Some(Stage::Syntax)),
            (
                "ValidationError",
                "1 validation error detected: Value 'x' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
                Kind::RoleArnTooShort,
                Some(Stage::Syntax),
            ),
            (
                "ValidationError",
                "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64",
                Kind::SessionNameInvalid,
                Some(Stage::Syntax),
            ),
            (
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
                Kind::DurationTooLong,
                None,
            ),
            ("ValidationError", "something new", Kind::RequestInvalid, Some(Stage::Syntax)),
            (
                "RegionDisabledException",
                "STS is not activated in this region for account:111122223333. Your account administrator can activate STS in this region using the IAM Console.",
                Kind::RegionDisabled,
                Some(Stage::Region),
            ),
            ("RegionDisabledException", "", Kind::RegionDisabled, Some(Stage::Region)),
            (
                "InvalidIdentityToken",
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
                Kind::NotAJwt,
                Some(Stage::Token),
            ),
            (
                "InvalidIdentityToken",
                "Provided Token is not a Login With Amazon token",
                Kind::NotAnOidcToken,
                Some(Stage::Token),
            ),
            (
                "InvalidIdentityToken",
                "Missing a required claim: aud",
                Kind::MissingClaim(Claim::Aud),
                Some(Stage::Token),
            ),
            (
                "InvalidIdentityToken",
                "Missing a required claim: nbf",
                Kind::MissingClaim(Claim::Other),
                Some(Stage::Token),
            ),
            (
                "InvalidIdentityToken",
                &format!("No OpenIDConnect provider found in your account for {issuer}"),
                Kind::NoProvider,
                Some(Stage::Provider),
            ),
            (
                "InvalidIdentityToken",
                "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
                Kind::NoVerificationKey,
                Some(Stage::Keys),
            ),
            (
                "InvalidIdentityToken",
                "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
                Kind::ThumbprintMismatch,
                Some(Stage::Keys),
            ),
            (
                "InvalidIdentityToken",
                "The web identity token provided could not be validated",
                Kind::TokenNotValidated,
                None,
            ),
            ("InvalidIdentityToken", "something new", Kind::TokenNotValidated, None),
            (
                "InvalidIdentityToken",
                "Incorrect token audience",
                Kind::IncorrectAudience,
                Some(Stage::Audience),
            ),
            ("IDPCommunicationError", "", Kind::IdpCommunication, Some(Stage::Keys)),
            ("IDPRejectedClaim", "graph.example.com responded with 400", Kind::IdpRejectedClaim, None),
            (
                "ExpiredTokenException",
                "Token expired: current date/time 1731098245 must be before the expiration date/time 1731095240",
                Kind::TokenExpired { now: Some(1_731_098_245), expired: Some(1_731_095_240) },
                Some(Stage::Expiry),
            ),
            (
                "ExpiredTokenException",
                "",
                Kind::TokenExpired { now: None, expired: None },
                Some(Stage::Expiry),
            ),
            ("ExpiredTokenException", "Token too old: 441398", Kind::TokenTooOld, Some(Stage::Expiry)),
            (
                "AccessDenied",
                "Not authorized to perform sts:AssumeRoleWithWebIdentity",
                Kind::NotAuthorizedToAssume,
                Some(Stage::Trust),
            ),
            ("AccessDenied", "", Kind::NotAuthorizedToAssume, Some(Stage::Trust)),
            ("Throttling", "Rate exceeded", Kind::Throttled, Some(Stage::Throttled)),
            ("ThrottlingException", "", Kind::Throttled, Some(Stage::Throttled)),
            ("InternalFailure", "", Kind::ServiceFailed, None),
            ("", "", Kind::Other, None),
        ] {
            let found = sts(code, message);
            assert_eq!((found, found.stage()), (kind, stage), "{code}: {message}");
        }
    }

    #[test]
    fn a_code_that_sts_does_not_know_makes_its_words_nobodys() {
        for code in
            ["Forbidden", "InvalidAction", "InvalidClientTokenId", "accessdenied", "Exception", "", "<b>"]
        {
            for message in
                ["No OpenIDConnect provider found in your account for https://i", "Rate exceeded", ""]
            {
                assert_eq!(sts(code, message), Kind::Other, "{code}: {message}");
            }
            assert_eq!(StsCode::of(code), StsCode::Unknown, "{code}");
        }
    }

    #[test]
    fn stages_are_in_the_order_of_the_checks() {
        assert!(
            Stage::Syntax < Stage::Region && Stage::Provider < Stage::Keys && Stage::Keys < Stage::Expiry
        );
        assert!(
            Stage::Expiry < Stage::Audience
                && Stage::Audience < Stage::Trust
                && Stage::Network < Stage::Syntax
        );
        assert_eq!(Kind::NoSuchHost.stage(), Some(Stage::Network));
        assert_eq!(Kind::NotAuthorized.stage(), None);
    }
}
