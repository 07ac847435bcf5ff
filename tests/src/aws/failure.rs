//! Why a call gets no answer, before a protocol words it.

/// A refusal, or the end of what the fake knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A refusal of this one action.
    Refused(Refusal),
    /// A refusal that every service has, each with a code of its own.
    Common(Common),
    /// The fake does not know what AWS would answer. It answers 500, and the test must fail.
    NotModelled(String),
    /// The connection ends without an answer.
    Cut,
}

/// Refusals that every service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Common {
    /// No signature.
    MissingToken,
    /// A key that does not exist in this partition.
    UnknownKey,
    /// Not signed with this key's secret.
    BadSignature,
    /// Signed for another Region or service.
    WrongScope(String),
    /// The credentials have expired.
    Expired,
    /// Not allowed.
    Denied(String),
    /// Too many requests.
    Throttled,
    /// A failure of the service, with its HTTP status.
    Broken(u16),
}

impl Failure {
    /// A refusal of one action.
    pub fn refused(status: u16, code: &'static str, message: impl Into<String>) -> Failure {
        Failure::Refused(Refusal { status, code, message: message.into() })
    }
}

/// A refusal as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Error code.
    pub code: &'static str,
    /// Message.
    pub message: String,
}

/// The wire protocols. They also differ in the codes and statuses of common refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// STS and IAM: forms in, XML out.
    Query,
    /// EKS: paths in, JSON out.
    RestJson,
    /// CloudTrail: JSON in and out.
    Json11,
}

impl Common {
    /// The refusal in this protocol.
    pub fn refusal(self, protocol: Protocol) -> Refusal {
        let query = protocol == Protocol::Query;
        let pick = |in_query, in_json| if query { in_query } else { in_json };
        // JSON 1.1 services answer 400 to everything that is the caller's fault.
        let forbidden = if protocol == Protocol::Json11 { 400 } else { 403 };
        let (status, code, message) = match self {
            Common::MissingToken if query => {
                (forbidden, "MissingAuthenticationToken", "Request is missing Authentication Token".to_owned())
            }
            Common::MissingToken => {
                (forbidden, "MissingAuthenticationTokenException", "Missing Authentication Token".to_owned())
            }
            Common::UnknownKey => (
                forbidden,
                pick("InvalidClientTokenId", "UnrecognizedClientException"),
                "The security token included in the request is invalid.".to_owned(),
            ),
            Common::BadSignature => (
                forbidden,
                pick("SignatureDoesNotMatch", "InvalidSignatureException"),
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details."
                    .to_owned(),
            ),
            Common::WrongScope(message) => {
                (forbidden, pick("SignatureDoesNotMatch", "InvalidSignatureException"), message)
            }
            Common::Expired => (
                forbidden,
                pick("ExpiredToken", "ExpiredTokenException"),
                "The security token included in the request is expired".to_owned(),
            ),
            Common::Denied(message) => {
                (forbidden, pick("AccessDenied", "AccessDeniedException"), message)
            }
            Common::Throttled => {
                let status = if protocol == Protocol::RestJson { 429 } else { 400 };
                (status, pick("Throttling", "ThrottlingException"), "Rate exceeded".to_owned())
            }
            Common::Broken(503) => {
                (503, pick("ServiceUnavailable", "ServiceUnavailableException"), "Service Unavailable".to_owned())
            }
            Common::Broken(status) => (
                status,
                "InternalFailure",
                "We encountered an internal error. Please try again.".to_owned(),
            ),
        };
        Refusal { status, code, message }
    }
}
