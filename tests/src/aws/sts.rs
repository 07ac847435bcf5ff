//! STS. AssumeRoleWithWebIdentity refuses in the order in which STS does: a message names the first stage that failed.

use super::account::{Account, Provider, Role, policy_text, without_scheme};
use super::call::Call;
use super::failure::Failure;
use super::jwt::Token;
use super::keyring::Key;
use super::policy::{self, Decision};
use super::serve::Server;
use super::tls;
use super::xml::Xml;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;

/// STS's operations; `key` is the caller's, if the operation has one.
pub fn answer(server: &Server, call: &Call, key: Option<&Key>) -> Result<Xml, Failure> {
    match (call.operation.as_str(), key) {
        ("GetCallerIdentity", Some(key)) => Ok(Xml::fields([
            ("Arn", key.arn.as_str().into()),
            ("UserId", key.user_id.as_str().into()),
            ("Account", key.account.as_str().into()),
        ])),
        ("AssumeRoleWithWebIdentity", _) => Request::read(call)?.answer(server, call),
        (other, _) => Err(Failure::NotModelled(format!("sts:{other}"))),
    }
}

/// The number of the account that an ARN names.
pub fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// A request whose syntax is in order.
struct Request<'c> {
    account: &'c str,
    /// Path and name: `/shop-checkout`.
    role: &'c str,
    session: &'c str,
    seconds: i64,
    token: &'c str,
}

impl<'c> Request<'c> {
    fn read(call: &'c Call) -> Result<Request<'c>, Failure> {
        let (arn, session) = (call.text("RoleArn"), call.text("RoleSessionName"));
        let session_characters = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if arn.len() < 20 {
            return Err(constraint(arn, "roleArn", "Member must have length greater than or equal to 20"));
        }
        if session.len() < 2 {
            return Err(constraint(
                session,
                "roleSessionName",
                "Member must have length greater than or equal to 2",
            ));
        }
        if session.len() > 64 {
            return Err(constraint(
                session,
                "roleSessionName",
                "Member must have length less than or equal to 64",
            ));
        }
        if !session.chars().all(session_characters) {
            let pattern = r"Member must satisfy regular expression pattern: [\w+=,.@-]*";
            return Err(constraint(session, "roleSessionName", pattern));
        }
        let (account, role) = read_role_arn(arn, call.endpoint.partition.name())
            .ok_or_else(|| Failure::refused(400, "ValidationError", "Request ARN is invalid"))?;
        let seconds = read_duration(call.param("DurationSeconds"))?;
        Ok(Request { account, role, session, seconds, token: call.text("WebIdentityToken") })
    }

    fn answer(&self, server: &Server, call: &Call) -> Result<Xml, Failure> {
        // An account that the world does not describe exists all the same, and is empty.
        let accounts = server.accounts();
        let account = accounts.iter().find(|account| account.account == self.account);
        region_is_active(account, call)?;
        let token = Token::parse(self.token).ok_or_else(|| {
            identity("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
        })?;
        let claims = Claims::read(&token)?;
        let (account, provider) = account
            .filter(|account| !is_inactive(account, call))
            .and_then(|account| Some((account, find_provider(account, server, claims.issuer)?)))
            .ok_or_else(|| {
                identity(&format!("No OpenIDConnect provider found in your account for {}", claims.issuer))
            })?;
        verify(server, provider, &token, &claims)?;
        claims.check_time(&token, server.now())?;
        if !provider.client_ids.iter().any(|id| id == claims.audience) {
            return Err(identity("Incorrect token audience"));
        }
        let provider = account.provider_arn(provider, &server.header.issuer);
        let role = self.authorize(server, call, account, &claims, &provider)?;
        if self.seconds > role.max_session_duration {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(Failure::refused(400, "ValidationError", message));
        }
        Ok(self.success(server, account, role, &claims, provider))
    }

    /// The role, if its trust policy lets the caller in. STS answers the same when there is no such role.
    fn authorize<'a>(
        &self,
        server: &Server,
        call: &Call,
        account: &'a Account,
        claims: &Claims<'_>,
        provider: &str,
    ) -> Result<&'a Role, Failure> {
        let action = call.action();
        let message = format!("Not authorized to perform {action}");
        let refused = || Failure::refused(403, "AccessDenied", message);
        let found = account
            .roles
            .iter()
            .find(|role| role.settled && format!("{}{}", role.path, role.name) == self.role);
        let Some(role) = found else { return Err(refused()) };
        let context = self.context(server, account, call, claims, provider);
        let caller = policy::Caller::Provider(provider);
        let request = policy::Request { action: &action, caller, context: &context };
        let decision = policy::evaluate(&policy_text(&role.trust), &request).map_err(|unknown| {
            Failure::NotModelled(format!("trust policy of {}: {}", role.name, unknown.0))
        })?;
        let denied_elsewhere = account.deny.iter().any(|pattern| pattern.matches(&action));
        if decision == Decision::Allowed && !denied_elsewhere { Ok(role) } else { Err(refused()) }
    }

    fn context(
        &self,
        server: &Server,
        account: &Account,
        call: &Call,
        claims: &Claims<'_>,
        provider: &str,
    ) -> BTreeMap<String, String> {
        let url = without_scheme(claims.issuer);
        let (endpoint, source_ip) = server.way(call.origin);
        let network = match endpoint {
            None => vec![("aws:SourceIp", source_ip)],
            Some(endpoint) => vec![
                ("aws:SourceVpc", endpoint.vpc.as_str()),
                ("aws:SourceVpce", endpoint.vpce.as_str()),
                ("aws:VpcSourceIp", endpoint.ip.as_str()),
            ],
        };
        let (audience, subject) = (format!("{url}:aud"), format!("{url}:sub"));
        let rest = [
            (audience.as_str(), claims.audience),
            (subject.as_str(), claims.subject),
            ("aws:FederatedProvider", provider),
            ("aws:RequestedRegion", call.endpoint.region.as_str()),
            ("aws:SecureTransport", "true"),
            ("aws:UserAgent", call.user_agent.as_str()),
            ("aws:ViaAWSService", "false"),
            ("sts:RoleSessionName", self.session),
        ];
        let supposed = account.undocumented_keys.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let all = network.into_iter().chain(rest).chain(supposed);
        all.map(|(key, value)| (key.to_lowercase(), value.to_owned())).collect()
    }

    fn success(
        &self,
        server: &Server,
        account: &Account,
        role: &Role,
        claims: &Claims<'_>,
        provider: String,
    ) -> Xml {
        let arn = account.session_arn(role, self.session);
        let user_id = format!("{}:{}", account.role_id(role), self.session);
        let key = server.keys.issue(account, &arn, &user_id);
        let expiration = server.now() + SignedDuration::from_secs(self.seconds);
        let credentials = Xml::fields([
            ("AccessKeyId", key.id.into()),
            ("SecretAccessKey", key.secret.into()),
            ("SessionToken", key.session_token.unwrap_or_default().into()),
            ("Expiration", expiration.to_string().into()),
        ]);
        Xml::fields([
            ("Audience", claims.audience.into()),
            ("AssumedRoleUser", Xml::fields([("AssumedRoleId", user_id.into()), ("Arn", arn.into())])),
            ("Provider", provider.into()),
            ("Credentials", credentials),
            ("SubjectFromWebIdentityToken", claims.subject.into()),
        ])
    }
}

/// The claims that STS requires.
struct Claims<'t> {
    issuer: &'t str,
    audience: &'t str,
    subject: &'t str,
}

impl<'t> Claims<'t> {
    fn read(token: &'t Token<'_>) -> Result<Claims<'t>, Failure> {
        let missing = |name: &str| identity(&format!("Missing a required claim: {name}"));
        let text = |name: &str| token.claim(name).as_str().ok_or_else(|| missing(name));
        let audience = match token.claim("aud") {
            Value::String(one) => one,
            Value::Array(list) => match list.as_slice() {
                [Value::String(one)] => one,
                [] => return Err(missing("aud")),
                _ => return Err(Failure::NotModelled("a token with several audiences".to_owned())),
            },
            _ => return Err(missing("aud")),
        };
        Ok(Claims { issuer: text("iss")?, audience, subject: text("sub")? })
    }

    fn check_time(&self, token: &Token<'_>, now: Timestamp) -> Result<(), Failure> {
        let now = now.as_second();
        let expires = token
            .claim("exp")
            .as_i64()
            .ok_or_else(|| Failure::NotModelled("a token without exp".to_owned()))?;
        if now >= expires {
            let message = format!(
                "Token expired: current date/time {now} must be before the expiration date/time {expires}"
            );
            return Err(Failure::refused(400, "ExpiredTokenException", message));
        }
        if token.claim("iat").as_i64().is_some_and(|issued| issued > now) {
            return Err(Failure::NotModelled("a token that was issued after the time of STS".to_owned()));
        }
        Ok(())
    }
}

fn identity(message: &str) -> Failure {
    Failure::refused(400, "InvalidIdentityToken", message)
}

fn constraint(value: &str, name: &str, rule: &str) -> Failure {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
    );
    Failure::refused(400, "ValidationError", message)
}

/// Account, and path with name, of `arn:PARTITION:iam::ACCOUNT:role/…`.
fn read_role_arn<'a>(arn: &'a str, partition: &str) -> Option<(&'a str, &'a str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", found, "iam", "", account, resource] = parts.as_slice() else { return None };
    let role = resource.strip_prefix("role").filter(|role| role.starts_with('/') && role.len() > 1)?;
    let number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (*found == partition && number).then_some((*account, role))
}

fn read_duration(given: Option<&str>) -> Result<i64, Failure> {
    let Some(text) = given else { return Ok(3600) };
    let at_least = "Member must have value greater than or equal to 900";
    let at_most = "Member must have value less than or equal to 43200";
    match text.parse() {
        Ok(..900) => Err(constraint(text, "durationSeconds", at_least)),
        Ok(43_201..) => Err(constraint(text, "durationSeconds", at_most)),
        Ok(seconds) => Ok(seconds),
        Err(_) => Err(Failure::NotModelled(format!("DurationSeconds={text}"))),
    }
}

fn region_is_active(account: Option<&Account>, call: &Call) -> Result<(), Failure> {
    let region = &call.endpoint.region;
    match account.filter(|account| !call.endpoint.global && account.regions_disabled.contains(region)) {
        Some(account) => Err(Failure::refused(
            403,
            "RegionDisabledException",
            format!(
                "STS is not activated in this region for account:{}. Your account administrator can activate STS in \
                 this region using the IAM Console.",
                account.account
            ),
        )),
        None => Ok(()),
    }
}

/// Not even IAM's data is in an opt-in Region that the account has not opted in to, so providers are not found there.
fn is_inactive(account: &Account, call: &Call) -> bool {
    !call.endpoint.global && account.inactive_opt_in.contains(&call.endpoint.region)
}

fn find_provider<'a>(account: &'a Account, server: &Server, issuer: &str) -> Option<&'a Provider> {
    let url = without_scheme(issuer);
    account.oidc_providers.iter().find(|it| it.settled && it.url(&server.header.issuer) == url)
}

/// The issuer's certificate, its documents, and the signature.
fn verify(
    server: &Server,
    provider: &Provider,
    token: &Token<'_>,
    claims: &Claims<'_>,
) -> Result<(), Failure> {
    if server.is_private(claims.issuer) && !provider.trusts(tls::private_ca_thumbprint()) {
        return Err(identity(
            "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
        ));
    }
    let key = server.issuers.key(claims.issuer, token.key_id()).ok_or_else(|| {
        identity(
            "Couldn't retrieve verification key from your identity provider,  please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        )
    })?;
    if token.is_signed_by(&key) {
        Ok(())
    } else {
        Err(Failure::NotModelled("a token that is not signed by the key it names".to_owned()))
    }
}
