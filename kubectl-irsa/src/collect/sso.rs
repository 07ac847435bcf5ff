//! A sign-in to AWS that has ended, the commonest failure at night: what says so, and the command that signs in again.

use irsa::text::shell;

/// The command that starts a session of SSO: `aws sso login --profile prod`.
pub fn command(profile: Option<&str>) -> String {
    of("sso login", profile)
}

/// The command that signs in again, if these words of the AWS CLI or an SDK say that a session has ended or was never started.
pub fn sign_in(words: &str, profile: Option<&str>) -> Option<String> {
    let words = words.to_ascii_lowercase();
    let says = |all: &[&str]| all.iter().any(|part| words.contains(part));
    // Console credentials, by `aws login`.
    if says(&["login token", "reauthenticate"]) {
        return Some(of("login", profile));
    }
    let sso = words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.starts_with("sso"));
    // The file of a session that was never started is in `.aws/sso/cache`; the last is what the portal says.
    let ended = sso && says(&["expired", "token", "invalid", "cache", "aws sso login"]);
    (ended || says(&["session token not found or invalid"])).then(|| command(profile))
}

fn of(command: &str, profile: Option<&str>) -> String {
    let profile = profile.map_or_else(String::new, |name| format!(" --profile {}", shell::quote(name)));
    format!("aws {command}{profile}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_that_a_session_has_ended() {
        for words in [
            "Error when retrieving token from sso: Token has expired and refresh failed",
            "The SSO session associated with this profile has expired or is otherwise invalid. To refresh this SSO session run \
             aws sso login with the corresponding profile.",
            "Error loading SSO Token: Token for work does not exist",
            "could not get token: failed to refresh cached credentials, refresh cached SSO token failed, unable to refresh SSO token",
            "the SSO token has expired and cannot be refreshed",
            "failed to read `/home/me/.aws/sso/cache/304c.json`: No such file or directory (os error 2)",
            "service error: UnauthorizedException: Session token not found or invalid",
        ] {
            assert_eq!(
                sign_in(words, Some("prod")).as_deref(),
                Some("aws sso login --profile prod"),
                "{words}"
            );
        }
        let login = "Your session has expired. Please reauthenticate.";
        assert_eq!(sign_in(login, None).as_deref(), Some("aws login"));
        for words in [
            "Unable to locate credentials. You can configure credentials by running \"aws configure\".",
            "An error occurred (AccessDenied) when calling the AssumeRole operation",
            "The config profile (prdo) could not be found",
            "a lesson token",
        ] {
            assert_eq!(sign_in(words, None), None, "{words}");
        }
    }
}
