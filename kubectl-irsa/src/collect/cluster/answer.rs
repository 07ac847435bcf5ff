//! Why there is no answer, and what that means for a fact.

use http::StatusCode;
use kube::core::Status;

use super::own::{Type, decode};
use crate::collect::bounded::TooLarge;
use crate::collect::foreign::foreign;
use crate::collect::{Late, causes};
use irsa::facts::{Grant, Unknown, Why};

/// Characters kept of an answer that is no Kubernetes status, such as a proxy's page.
const SHOWN: usize = 200;

/// Why an answer could not be had.
#[derive(Debug, Clone)]
pub enum NoAnswer {
    /// The server answered, with an error.
    Status {
        /// HTTP status.
        code: StatusCode,
        /// The server's words.
        message: String,
        /// True if the message is about this very object, and not about the resource.
        about_object: bool,
    },
    /// Nothing came in time.
    Late(Late),
    /// The server could not be reached, or it could not be authenticated.
    Unreachable(String),
    /// An answer came that could not be read.
    Unreadable(String),
}

impl NoAnswer {
    /// Reads the body of an error. The code is HTTP's: a gateway's body has none, or another.
    pub(super) fn of_status(code: StatusCode, body: &[u8]) -> Self {
        match decode::<Status>(body) {
            Ok(own) => {
                let message = foreign(&own.whatever().message);
                // A gateway's body may look like one. That an object is not there is the API server's to say.
                let details = own.among(&[Type::status()]).ok().and_then(|status| status.details);
                Self::Status {
                    code,
                    about_object: details.is_some_and(|details| !details.name.is_empty()),
                    message,
                }
            }
            // Unknown API groups are answered in plain text: `404 page not found`.
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                let message = foreign(text.trim()).chars().take(SHOWN).collect();
                Self::Status { code, about_object: false, message }
            }
        }
    }

    /// An answer whose body was not read to its end.
    pub(super) fn of_body(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        match causes(&*error) {
            words if error.is::<TooLarge>() => Self::Unreadable(words),
            words => Self::Unreachable(words),
        }
    }

    /// True if the server refused, so that nothing was done.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status { code, .. } if code.is_client_error())
    }

    /// The same with the server's words changed.
    pub(crate) fn with_words(self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Status { code, message, about_object } => {
                Self::Status { code, message: change(&message), about_object }
            }
            other => other,
        }
    }

    /// What it means for a fact.
    pub(crate) fn unknown(&self, what: String, grant: Option<Grant>) -> Unknown {
        let failed = |words: String| (Why::Failed(words), None);
        let (why, grant) = match self {
            Self::Status { code: StatusCode::FORBIDDEN, message, .. } => {
                (Why::Denied(message.clone()), grant)
            }
            Self::Status { code: StatusCode::NOT_FOUND, .. } => {
                failed(String::from("the server does not have this resource"))
            }
            Self::Status { code, message, .. } => failed(format!("the server answered {code}: {message}")),
            Self::Late(late) => (Why::from(*late), None),
            Self::Unreachable(words) | Self::Unreadable(words) => failed(words.clone()),
        };
        Unknown { what, why, grant }
    }

    /// In words, where nobody asks what could be granted.
    pub(super) fn words(&self) -> String {
        self.unknown(String::new(), None).why.to_string()
    }

    /// In a word, for `-v`.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Status { code, .. } => code.as_u16().to_string(),
            Self::Late(Late::Interrupted) => String::from("stopped"),
            Self::Late(_) => String::from("timed out"),
            Self::Unreachable(_) => String::from("unreachable"),
            Self::Unreadable(_) => String::from("unreadable"),
        }
    }
}

impl From<kube::Error> for NoAnswer {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let about_object = status.details.is_some_and(|details| !details.name.is_empty());
                Self::Status { code, about_object, message: foreign(&status.message) }
            }
            kube::Error::SerdeError(error) => Self::Unreadable(unexpected(&error)),
            kube::Error::Service(error) => Self::Unreachable(causes(&*error)),
            other => Self::Unreachable(causes(&other)),
        }
    }
}

/// What is wrong with an answer, without the answer's own words: serde repeats values, which may be secret.
pub fn unexpected(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data if line > 0 => {
            format!("a field is missing or has the wrong type, at line {line}, column {column}")
        }
        serde_json::error::Category::Data => String::from("a field is missing or has the wrong type"),
        _ => format!("not JSON, at line {line}, column {column}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_error_keeps_its_code_and_little_of_its_page() {
        let of = |body: &str| match NoAnswer::of_status(StatusCode::BAD_GATEWAY, body.as_bytes()) {
            NoAnswer::Status { code: StatusCode::BAD_GATEWAY, message, about_object: false } => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(of(r#"{"error": "no backend"}"#), "");
        assert_eq!(of(r#"{"message": "m", "code": 200}"#), "m");
        assert_eq!(of(&format!("\n<html>{}", "x".repeat(5000))).len(), SHOWN);
        assert!(NoAnswer::of_status(StatusCode::OK, b"\xff\xfe").word() == "200");
    }
}
