//! The name under which a pod asks STS for its session: what `sts:RoleSessionName` in a trust policy is compared with.

use super::Derived;
use crate::aws_error::SdkName;
use crate::facts::aws::StsAttempt;

/// The variable that names the session; every SDK reads it.
pub(crate) const VARIABLE: &str = "AWS_ROLE_SESSION_NAME";

/// The session name of the target container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionName {
    /// That of the variable.
    Named(String),
    /// No variable names it, so that the SDK makes one up: one of these.
    MadeUp(Vec<Form>),
    /// Because …
    Unknown(String),
}

/// A name as an SDK makes it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Whose.
    pub sdk: SdkName,
    /// One that it might make: only the digits and letters of its variable part differ.
    pub sample: &'static str,
}

const fn form(sdk: SdkName, sample: &'static str) -> Form {
    Form { sdk, sample }
}

/// What each SDK calls a session if nobody names it, as its provider for web identities has it; numbers are of the time.
const FORMS: [Form; 14] = [
    form(SdkName::Boto3, "botocore-session-1795334400"),
    form(SdkName::Botocore, "botocore-session-1795334400"),
    form(SdkName::AwsCli, "botocore-session-1795334400"),
    form(SdkName::GoV1, "1795334400123456789"),
    form(SdkName::GoV2, "1795334400123456789"),
    form(SdkName::JavaV1, "aws-sdk-java-1795334400123"),
    form(SdkName::JavaV2, "aws-sdk-java-1795334400123"),
    form(SdkName::JsV2, "token-file-web-identity"),
    form(SdkName::JsV3, "aws-sdk-js-session-1795334400123"),
    // A UUID, in Base64 and as it is.
    form(SdkName::Ruby, "NjlmOWY0NWYtNmYwZi00YjNlLTlmMGUtMGYxZDJjM2I0YTU5"),
    form(SdkName::Cpp, "69F9F45F-6F0F-4B3E-9F0E-0F1D2C3B4A59"),
    form(SdkName::Php, "aws-sdk-php-1795334400123"),
    form(SdkName::DotNet, "aws-dotnet-sdk-session-639309312001234567"),
    form(SdkName::Rust, "web-identity-token-1795334400123"),
];

impl SessionName {
    /// As far as the container's variables and the application's errors tell.
    pub(crate) fn of(derived: &Derived<'_>) -> Self {
        let Some(view) = derived.target() else {
            return Self::Unknown(String::from("the client chooses it"));
        };
        let unread = || Self::Unknown(format!("the value of {VARIABLE} was not read"));
        match view.env.get(VARIABLE).filter(|entry| entry.is_set()) {
            Some(entry) => match entry.text() {
                Some(name) if entry.is_certain() => Self::Named(name.to_owned()),
                _ => unread(),
            },
            None if !view.env.unread.is_empty() => unread(),
            None => Self::MadeUp(forms(derived)),
        }
    }

    /// The name that the attempt from this machine has: the pod's, so that STS judges both alike.
    pub(crate) fn of_attempt(derived: &Derived<'_>) -> String {
        match Self::of(derived) {
            Self::Named(name) if is_valid(&name) => name,
            _ => StsAttempt::SESSION.to_owned(),
        }
    }
}

/// The forms of the SDK that reported an error; of every SDK if that is not known.
fn forms(derived: &Derived<'_>) -> Vec<Form> {
    let sdk = derived.app_errors.iter().find_map(|said| said.error.sdk.as_ref());
    let of_it = FORMS.iter().filter(|form| sdk.is_none_or(|sdk| sdk.name == form.sdk));
    let mut forms: Vec<Form> = of_it.copied().collect();
    forms.dedup_by_key(|form| form.sample);
    forms
}

/// True for what STS accepts as a session name.
pub(crate) fn is_valid(name: &str) -> bool {
    (2..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_error::SessionSource;

    #[test]
    fn the_forms_are_those_that_errors_are_read_by() {
        for Form { sdk, sample } in FORMS {
            assert!(is_valid(sample), "{sample}");
            let expected = match sdk {
                SdkName::Boto3 | SdkName::Botocore | SdkName::AwsCli => SessionSource::Botocore,
                SdkName::GoV1 | SdkName::GoV2 => SessionSource::Go,
                SdkName::JavaV1 | SdkName::JavaV2 => SessionSource::Java,
                SdkName::JsV2 | SdkName::JsV3 => SessionSource::Js,
                SdkName::Ruby => SessionSource::Ruby,
                // A bare UUID may be anybody's.
                SdkName::Cpp => SessionSource::Custom,
                SdkName::Php => SessionSource::Php,
                SdkName::DotNet => SessionSource::DotNet,
                SdkName::Rust => SessionSource::Rust,
            };
            assert_eq!(SessionSource::of(sample), expected, "{sample}");
        }
    }
}
