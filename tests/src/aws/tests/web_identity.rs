//! AssumeRoleWithWebIdentity, stage by stage.

use super::*;

/// Status, code and message of the answer to a call with these parameters in place of the right ones.
fn refused(fakes: &Fakes, host: &str, change: &[(&str, &str)]) -> (u16, String, String) {
    let token = fakes.token(|_| {});
    let mut params = vec![
        ("RoleArn", ROLE),
        ("RoleSessionName", "kubectl-irsa-debug"),
        ("WebIdentityToken", token.as_str()),
    ];
    for (name, value) in change {
        params.retain(|(known, _)| known != name);
        params.push((name, value));
    }
    refusal(&fakes.assume(host, &params).unwrap())
}

fn expect(found: (u16, String, String), status: u16, code: &str, message: &str) {
    assert_eq!((found.0, found.1.as_str(), found.2.as_str()), (status, code, message));
}

const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference \
                      AssumeRoleWithWebIdentity documentation for requirements";

#[test]
fn success() {
    let fakes = fakes("", "");
    let token = fakes.token(|_| {});
    let params = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "debug"),
        ("WebIdentityToken", token.as_str()),
        ("DurationSeconds", "900"),
    ];
    let got = fakes.assume(STS, &params).unwrap();
    assert_eq!((got.code, got.header("date")), (200, "Sun, 22 Nov 2026 08:00:00 GMT"));
    assert!(got.body.starts_with(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult>"
    ));
    assert_eq!(element(&got.body, "Arn"), "arn:aws:sts::111122223333:assumed-role/shop-checkout/debug");
    assert_eq!(
        element(&got.body, "Provider"),
        "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"
    );
    assert_eq!(element(&got.body, "SubjectFromWebIdentityToken"), SUBJECT);
    assert_eq!(element(&got.body, "Audience"), "sts.amazonaws.com");
    assert_eq!(element(&got.body, "Expiration"), "2026-11-22T08:15:00Z");
    assert_eq!(element(&got.body, "RequestId"), got.header("x-amzn-requestid"));

    let secrets = fakes.aws.secrets();
    for secret in [element(&got.body, "SecretAccessKey"), element(&got.body, "SessionToken")] {
        assert!(secrets.iter().any(|known| known == secret), "{secret}");
    }
    assert!(secrets.iter().any(|known| token.ends_with(known)));
    let seen = fakes.aws.requests().remove(0);
    assert_eq!((seen.host.as_str(), seen.action.as_str()), (STS, "sts:AssumeRoleWithWebIdentity"));
    assert_eq!(seen.params["DurationSeconds"], "900");
    assert!(!format!("{seen:?}").contains(&token));
    assert_eq!(fakes.aws.problems(), Vec::<String>::new());
}

#[test]
fn syntax() {
    let fakes = fakes("", "");
    let too_long = "x".repeat(65);
    let invalid = "Request ARN is invalid";
    let constraint = |value: &str, name: &str, rule: &str| {
        format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
        )
    };
    for (name, value, message) in [
        (
            "RoleArn",
            "arn:aws:iam::1",
            constraint("arn:aws:iam::1", "roleArn", "Member must have length greater than or equal to 20"),
        ),
        ("RoleArn", "arn:aws:iam::1111222233:role/x", invalid.to_owned()),
        ("RoleArn", "arn:aws:iam::111122223333:user/x", invalid.to_owned()),
        ("RoleArn", "arn:aws-cn:iam::111122223333:role/x", invalid.to_owned()),
        ("RoleArn", "\"arn:aws:iam::111122223333:role/x\"", invalid.to_owned()),
        (
            "RoleSessionName",
            "a b",
            constraint(
                "a b",
                "roleSessionName",
                r"Member must satisfy regular expression pattern: [\w+=,.@-]*",
            ),
        ),
        (
            "RoleSessionName",
            "a",
            constraint("a", "roleSessionName", "Member must have length greater than or equal to 2"),
        ),
        (
            "RoleSessionName",
            &too_long,
            constraint(&too_long, "roleSessionName", "Member must have length less than or equal to 64"),
        ),
        (
            "DurationSeconds",
            "60",
            constraint("60", "durationSeconds", "Member must have value greater than or equal to 900"),
        ),
        (
            "DurationSeconds",
            "43201",
            constraint("43201", "durationSeconds", "Member must have value less than or equal to 43200"),
        ),
    ] {
        expect(refused(&fakes, STS, &[(name, value)]), 400, "ValidationError", &message);
    }
}

#[test]
fn regions() {
    let fakes = fakes("", "regionsDisabled: [eu-west-1]\ninactiveOptIn: [af-south-1]\n");
    let disabled = "STS is not activated in this region for account:111122223333. Your account administrator can \
                    activate STS in this region using the IAM Console.";
    expect(refused(&fakes, STS, &[]), 403, "RegionDisabledException", disabled);
    let masquerade = format!("No OpenIDConnect provider found in your account for {ISSUER}");
    let host = "sts.af-south-1.amazonaws.com";
    expect(refused(&fakes, host, &[]), 400, "InvalidIdentityToken", &masquerade);
    let token = fakes.token(|_| {});
    let params = [("RoleArn", ROLE), ("RoleSessionName", "debug"), ("WebIdentityToken", token.as_str())];
    assert_eq!(fakes.assume("sts.amazonaws.com", &params).unwrap().code, 200);
}

#[test]
fn tokens() {
    let fakes = fakes("", "");
    let jwt =
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    for (token, status, code, message) in [
        ("/var/run/token".to_owned(), 400, "InvalidIdentityToken", jwt.to_owned()),
        (
            fakes.token(|c| c["aud"] = json!(null)),
            400,
            "InvalidIdentityToken",
            "Missing a required claim: aud".to_owned(),
        ),
        (
            fakes.token(|c| c["sub"] = json!(null)),
            400,
            "InvalidIdentityToken",
            "Missing a required claim: sub".to_owned(),
        ),
        (
            fakes.token(|c| c["iss"] = json!("https://other.example/id/A")),
            400,
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://other.example/id/A".to_owned(),
        ),
        (
            fakes.token(|c| c["iss"] = json!(format!("{ISSUER}/"))),
            400,
            "InvalidIdentityToken",
            format!("No OpenIDConnect provider found in your account for {ISSUER}/"),
        ),
        (
            fakes.token(|c| c["exp"] = json!(1_795_334_400)),
            400,
            "ExpiredTokenException",
            "Token expired: current date/time 1795334400 must be before the expiration date/time 1795334400"
                .to_owned(),
        ),
        (
            fakes.token(|c| c["aud"] = json!(["sts"])),
            400,
            "InvalidIdentityToken",
            "Incorrect token audience".to_owned(),
        ),
        (
            fakes.token(|c| c["sub"] = json!("system:serviceaccount:shop:other")),
            403,
            "AccessDenied",
            DENIED.to_owned(),
        ),
    ] {
        expect(refused(&fakes, STS, &[("WebIdentityToken", &token)]), status, code, &message);
    }
    assert_eq!(fakes.aws.problems(), Vec::<String>::new());
}

#[test]
fn the_first_stage_that_fails_is_named() {
    // Everything is wrong at once; each step repairs what was named.
    let fakes =
        fakes("awsNow: 2026-11-22T10:00:00Z\nissuerServes: {keys: other}", "regionsDisabled: [eu-west-1]");
    let wrong = fakes.token(|c| {
        c["iss"] = json!("https://other.example");
        c["aud"] = json!(["sts"]);
    });
    let late = fakes.token(|c| c["aud"] = json!(["sts"]));
    let nobody = "arn:aws:iam::111122223333:role/nobody";
    let expected = [
        (STS, "arn:x", "x", "ValidationError"),
        (STS, nobody, "x", "RegionDisabledException"),
        ("sts.eu-west-2.amazonaws.com", nobody, "x", "InvalidIdentityToken"),
        ("sts.eu-west-2.amazonaws.com", nobody, &wrong, "InvalidIdentityToken"),
    ];
    for (host, arn, token, code) in expected {
        let found = refused(&fakes, host, &[("RoleArn", arn), ("WebIdentityToken", token)]);
        assert_eq!(found.1, code, "{found:?}");
    }
    let host = "sts.eu-west-2.amazonaws.com";
    let found = refused(&fakes, host, &[("RoleArn", nobody), ("WebIdentityToken", &late)]);
    expect(found, 400, "InvalidIdentityToken", NO_KEY);

    let published = super::fakes("awsNow: 2026-11-22T10:00:00Z", "");
    let late = published.token(|c| c["aud"] = json!(["sts"]));
    let found = refused(&published, STS, &[("RoleArn", nobody), ("WebIdentityToken", &late)]);
    assert_eq!(found.1, "ExpiredTokenException", "before the audience");
    let wrong_audience = super::fakes("", "");
    let token = wrong_audience.token(|c| c["aud"] = json!(["sts"]));
    let found = refused(&wrong_audience, STS, &[("RoleArn", nobody), ("WebIdentityToken", &token)]);
    expect(found, 400, "InvalidIdentityToken", "Incorrect token audience");
}

#[test]
fn roles() {
    let fakes = fakes("", "deny: [iam:GetRole]");
    let other_account = "arn:aws:iam::444455556666:role/shop-checkout";
    let no_provider = format!("No OpenIDConnect provider found in your account for {ISSUER}");
    expect(refused(&fakes, STS, &[("RoleArn", other_account)]), 400, "InvalidIdentityToken", &no_provider);
    for arn in ["arn:aws:iam::111122223333:role/nobody", "arn:aws:iam::111122223333:role/team/shop-checkout"]
    {
        expect(refused(&fakes, STS, &[("RoleArn", arn)]), 403, "AccessDenied", DENIED);
    }
    let too_long = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    expect(refused(&fakes, STS, &[("DurationSeconds", "7200")]), 400, "ValidationError", too_long);
    let organization = super::fakes("", "deny: [sts:AssumeRoleWithWebIdentity]");
    expect(refused(&organization, STS, &[]), 403, "AccessDenied", DENIED);
}

#[test]
fn networks() {
    let condition = "            aws:SourceVpce: vpce-1\n";
    let text = |laptop: &str| format!("{HEADER}{laptop}\n---\n{ACCOUNT}{condition}");
    let outside = start(&text(""));
    expect(refused(&outside, STS, &[]), 403, "AccessDenied", DENIED);
    let inside = start(&text("laptop: {endpoint: {vpc: vpc-1, vpce: vpce-1, ip: 10.0.0.7}}"));
    let token = inside.token(|_| {});
    let params = [("RoleArn", ROLE), ("RoleSessionName", "debug"), ("WebIdentityToken", token.as_str())];
    assert_eq!(inside.assume(STS, &params).unwrap().code, 200);
}

#[test]
fn what_is_not_known_is_a_problem() {
    let condition = "          DateLessThan: {aws:CurrentTime: '2027-01-01T00:00:00Z'}\n";
    let fakes = start(&format!("{HEADER}\n---\n{ACCOUNT}{condition}"));
    let found = refused(&fakes, STS, &[]);
    assert_eq!((found.0, found.1.as_str()), (500, "InternalFailure"));
    let several = fakes.token(|c| c["aud"] = json!(["a", "b"]));
    assert_eq!(refused(&fakes, STS, &[("WebIdentityToken", &several)]).0, 500);
    let early = fakes.token(|c| c["iat"] = json!(1_795_334_500));
    assert_eq!(refused(&fakes, STS, &[("WebIdentityToken", &early)]).0, 500);
    let problems = fakes.aws.problems();
    for (problem, expected) in problems.iter().zip([
        "trust policy of shop-checkout: condition key aws:CurrentTime",
        "a token with several audiences",
        "a token that was issued after the time of STS",
    ]) {
        assert!(problem.contains(expected), "{problem}");
    }
    assert_eq!(problems.len(), 3);
}
