//! The OIDC provider in IAM: every role of the account that trusts the cluster depends on it.

use super::{Command, Fix, Placeholder};
use crate::aws::arn::Arn;
use crate::derive::Derived;
use crate::derive::provider::Missing;

/// Creates the provider for the tokens' issuer.
pub(crate) fn create(derived: &Derived<'_>, missing: &Missing<'_>) -> Fix {
    let plan = derived.plan();
    let words = [
        "iam",
        "create-open-id-connect-provider",
        "--url",
        missing.issuer.url,
        "--client-id-list",
        &plan.audience,
    ];
    let command = Command::aws_in(derived, &missing.account, &words);
    Fix::shared(
        format!("create the OIDC provider in account {}{}", missing.account, command.first()),
        command,
    )
}

/// Adds an audience to it.
pub(crate) fn accept(derived: &Derived<'_>, arn: &str, audience: &str) -> Fix {
    let words = [
        "iam",
        "add-client-id-to-open-id-connect-provider",
        "--open-id-connect-provider-arn",
        arn,
        "--client-id",
        audience,
    ];
    let command = Command::aws_in(derived, account(arn), &words);
    Fix::shared(format!("add audience {audience} to the provider{}", command.first()), command)
}

/// A certificate from a public authority, or else the thumbprint of the present one.
pub(crate) fn trust_certificate(derived: &Derived<'_>, arn: &str, issuer: &str) -> Vec<Fix> {
    let words = ["iam", "update-open-id-connect-provider-thumbprint", "--open-id-connect-provider-arn", arn];
    let command = Command::aws_in(derived, account(arn), &words);
    let first = command.first();
    vec![
        Fix::advice(
            "give the issuer a certificate from a public authority; thumbprints then no longer matter",
        ),
        Fix::inspect(
            "or print the thumbprint of the certificate that it sends",
            Command::new(["kubectl", "irsa", "thumbprint", issuer]),
        ),
        Fix::shared(
            format!("and replace the provider's thumbprints with it, 40 hexadecimal digits{first}"),
            command.ask("--thumbprint-list", Placeholder::Thumbprint),
        ),
    ]
}

fn account(arn: &str) -> &str {
    Arn::account_of(arn).unwrap_or_default()
}
