//! The OIDC provider in IAM: every role of the account that trusts the cluster depends on it.

use super::{Act, AwsCall, AwsChange, Command, Fix};
use crate::aws::arn::Arn;
use crate::derive::Derived;
use crate::derive::provider::Missing;

/// Creates the provider for the tokens' issuer.
pub(crate) fn create(derived: &Derived<'_>, missing: &Missing<'_>) -> Fix {
    let account = Some(missing.account.clone());
    let (url, client_id) = (missing.issuer.url.to_owned(), derived.plan().audience);
    let call = AwsCall::CreateOpenIdConnectProvider { url, client_id };
    let act = Act::of(derived, AwsChange { account, call });
    Fix::shared(format!("create the OIDC provider in account {}{}", missing.account, act.first()), act)
}

/// Adds an audience to it.
pub(crate) fn accept(derived: &Derived<'_>, arn: &str, audience: &str) -> Fix {
    let call = AwsCall::AddClientId { provider: arn.to_owned(), client_id: audience.to_owned() };
    let act = Act::of(derived, AwsChange { account: account(arn), call });
    Fix::shared(format!("add audience {audience} to the provider{}", act.first()), act)
}

/// A certificate from a public authority, or else the thumbprint of the present one.
pub(crate) fn trust_certificate(derived: &Derived<'_>, arn: &str, issuer: &str) -> Vec<Fix> {
    let call = AwsCall::UpdateThumbprint { provider: arn.to_owned() };
    let act = Act::of(derived, AwsChange { account: account(arn), call });
    vec![
        Fix::advice(
            "give the issuer a certificate from a public authority; thumbprints then no longer matter",
        ),
        Fix::inspect(
            "or print the thumbprint of the certificate that it sends",
            Command::new(["kubectl", "irsa", "thumbprint", issuer]),
        ),
        Fix::shared(
            format!("and replace the provider's thumbprints with it, 40 hexadecimal digits{}", act.first()),
            act,
        ),
    ]
}

fn account(arn: &str) -> Option<String> {
    Arn::account_of(arn).map(str::to_owned)
}
