//! Errors of AWS and its SDKs, found in logs or pasted text.
//!
//! A text is parsed and thrown away. Only kinds leave this module, and pieces that match a grammar (`pieces`): ARNs, hosts,
//! account ids, names of actions. Nothing that could be a token or a key does.

pub mod causes;
mod clean;
mod cloudtrail;
mod kind;
mod pasted;
mod phrases;
mod pieces;
mod principal;
mod record;
mod sdk;
mod sts;
mod success;
#[cfg(test)]
mod tests;
mod transport;
mod voice;

use serde::{Deserialize, Serialize};

use crate::text::foreign;

pub use kind::{Claim, Kind, Stage, Subject, Wrapper};
pub use pasted::{pasted, unwrapped};
pub use principal::{Principal, PrincipalKind, SessionSource, principal};
pub use sdk::{Sdk, SdkName};
pub use sts::{StsCode, agent, sts, sts_because};
pub use success::{Success, Worked};
pub use voice::Voice;

/// At most this many sightings of one text; the oldest are dropped first.
const MOST: usize = 64;
/// Longest record that continuation lines add up to.
const LONGEST_RECORD: usize = 1 << 16;

/// An error found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What it says.
    pub kind: Kind,
    /// The operation that failed: `AssumeRoleWithWebIdentity`.
    pub operation: Option<String>,
    /// Who asked.
    pub principal: Option<Principal>,
    /// What was denied: `s3:GetObject`.
    pub action: Option<String>,
    /// On what: an ARN.
    pub resource: Option<String>,
    /// Which policy denied it.
    pub because: Option<Because>,
    /// The host that was called.
    pub host: Option<String>,
    /// The issuer that STS has no provider for.
    pub issuer: Option<String>,
    /// The account in which STS is not active.
    pub account: Option<String>,
    /// The service account that the text names.
    pub service_account: Option<ServiceAccountName>,
    /// The SDK that reported it.
    pub sdk: Option<Sdk>,
    /// AWS's id of the request; CloudTrail has it too.
    pub request_id: Option<String>,
    /// The line of the last occurrence, from 1.
    pub line: usize,
    /// How often it occurs.
    pub count: usize,
    /// In which voice it is said, where it was said last.
    #[serde(default)]
    pub voice: Voice,
    /// True if S3 is what the text is about, which does not name the caller that it denies.
    #[serde(default)]
    pub of_s3: bool,
    /// What went well afterwards, in the same text.
    #[serde(default)]
    pub then: Option<Success>,
}

/// The policy that denied an action, according to AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Because {
    /// The policy's kind.
    pub layer: Layer,
    /// It has a Deny; otherwise no Allow.
    pub explicit: bool,
}

impl Because {
    /// True for a policy above the caller's own, which limits what those can grant: nothing is won by granting more there.
    pub const fn is_above(self) -> bool {
        match self.layer {
            Layer::PermissionsBoundary
            | Layer::ServiceControlPolicy
            | Layer::ResourceControlPolicy
            | Layer::SessionPolicy
            | Layer::VpcEndpointPolicy => true,
            Layer::IdentityPolicy | Layer::ResourcePolicy | Layer::TrustPolicy => false,
        }
    }

    /// Why, in AWS's terms: `an explicit deny in a service control policy`.
    pub fn words(self) -> String {
        let (article, policy) = match self.layer {
            Layer::IdentityPolicy => ("an", "identity-based policy"),
            Layer::PermissionsBoundary => ("the", "permissions boundary"),
            Layer::ServiceControlPolicy => ("a", "service control policy"),
            Layer::ResourceControlPolicy => ("a", "resource control policy"),
            Layer::SessionPolicy => ("the", "session policy"),
            Layer::VpcEndpointPolicy => ("a", "VPC endpoint policy"),
            Layer::ResourcePolicy => ("a", "resource-based policy"),
            Layer::TrustPolicy => ("the", "role trust policy"),
        };
        if self.explicit {
            format!("an explicit deny in {article} {policy}")
        } else {
            format!("no {policy} allows it")
        }
    }
}

/// The kinds of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The role's or user's own policies.
    IdentityPolicy,
    /// The role's or user's permissions boundary.
    PermissionsBoundary,
    /// A service control policy of the organization.
    ServiceControlPolicy,
    /// A resource control policy of the organization.
    ResourceControlPolicy,
    /// The policy that was passed when the role was assumed.
    SessionPolicy,
    /// The policy of a VPC endpoint.
    VpcEndpointPolicy,
    /// The policy of the bucket, key, queue …
    ResourcePolicy,
    /// The trust policy of the role to assume.
    TrustPolicy,
}

/// A service account of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAccountName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The errors in a text, each once: errors that name a reason come before what an SDK says when all else has failed, and the
/// latest come first.
///
/// Time is linear in the text. Memory is that of one line, and of a fixed number of sightings.
pub fn parse(text: &str) -> Vec<Sighting> {
    let mut seen = Vec::new();
    let mut record = (0, String::new());
    for (index, raw) in text.lines().enumerate() {
        let line = clean::line(raw);
        if record.0 > 0 && continues(&line) && record.1.len() + line.len() <= LONGEST_RECORD {
            record.1.push(' ');
            record.1.push_str(line.trim());
        } else {
            let (number, done) = std::mem::replace(&mut record, (index + 1, line));
            take(&mut seen, &done, number);
        }
    }
    take(&mut seen, &record.1, record.0);
    seen.sort_by_key(|sighting| (sighting.kind.is_last_resort(), std::cmp::Reverse(sighting.line)));
    seen
}

/// The beginning of a text that has none of the known errors, without what could be a secret, and without control characters.
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 160;
    let start = foreign::quoted(&text[..text.floor_char_boundary(16 * LONGEST)]);
    let words = start.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let shown = words.map(|word| if pieces::may_be_secret(word) { "…" } else { word });
    let line = shown.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST).chain(['…']).collect() }
}

/// The phrases by which errors are recognised.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    phrases::PHRASES.iter().map(|phrase| phrase.text)
}

/// True if a text speaks of AWS, whatever it says.
pub fn mentions_aws(text: &str) -> bool {
    const WORDS: [&str; 7] = ["aws", "credential", "credentials", "eks", "iam", "irsa", "sts"];
    let lower = text.to_ascii_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
        || phrases::find(&lower).any(|(_, phrase)| matches!(phrase.sign, phrases::Sign::Mark(_)))
}

/// The first caller that a text names, whatever else it says.
pub fn caller(text: &str) -> Option<Principal> {
    text.lines().find_map(|raw| {
        let line = clean::line(raw);
        line.match_indices("arn:aws").find_map(|(at, _)| principal(pieces::arn_at_start(&line[at..])?))
    })
}

/// True for a line that merely continues the previous one: Go v1 breaks before causes, Java and JavaScript before each frame.
fn continues(line: &str) -> bool {
    const STARTS: [&str; 6] = [
        "caused by: ",
        "status code: ",
        "is not authorized to perform",
        "on resource:",
        "because no ",
        "with an explicit deny ",
    ];
    let text = line.trim_start();
    // What a stack says belongs to its exception: which client it was.
    let is_frame = text.len() < line.len() && text.starts_with("at ");
    is_frame || STARTS.iter().any(|start| text.starts_with(start))
}

/// Takes in one record: its errors, or what it says of the errors before it.
fn take(seen: &mut Vec<Sighting>, record: &str, line: usize) {
    let found = record::read(record, line);
    if !found.is_empty() {
        note(seen, found);
    } else if !record.trim().is_empty() {
        let success = success::read(record, line);
        for sighting in seen.iter_mut() {
            let next = || Success { what: Worked::NextAttempt, line };
            let went_on = || (sighting.voice == Voice::Attempt && sighting.then.is_none()).then(next);
            if let Some(then) =
                success.clone().filter(|_| may_replace(sighting.then.as_ref())).or_else(went_on)
            {
                sighting.then = Some(then);
            }
        }
    }
}

/// The first success counts, unless it was only the absence of another failure.
fn may_replace(then: Option<&Success>) -> bool {
    then.is_none_or(|then| matches!(then.what, Worked::NextAttempt | Worked::Request))
}

fn note(seen: &mut Vec<Sighting>, found: Vec<Sighting>) {
    for sighting in found {
        match seen.iter_mut().find(|earlier| earlier.is_same(&sighting)) {
            Some(earlier) => {
                let count = earlier.count.saturating_add(1);
                let sdk = sighting.sdk.clone().or(earlier.sdk.take());
                *earlier = Sighting { count, sdk, ..sighting };
            }
            None => {
                if seen.len() == MOST
                    && let Some(oldest) = (0..MOST).min_by_key(|at| seen[*at].line)
                {
                    seen.swap_remove(oldest);
                }
                seen.push(sighting);
            }
        }
    }
}

impl Sighting {
    /// What is known of a text in which no error was recognised.
    pub fn of_unknown_text() -> Self {
        Self {
            kind: Kind::Other,
            operation: None,
            principal: None,
            action: None,
            resource: None,
            because: None,
            host: None,
            issuer: None,
            account: None,
            service_account: None,
            sdk: None,
            request_id: None,
            line: 1,
            count: 1,
            voice: Voice::Own,
            of_s3: false,
            then: None,
        }
    }

    /// What it says in one sentence, without a full stop: what it is about, and what that means.
    pub fn sentence(&self) -> String {
        let what = causes::of(self).what.split(". ").next().unwrap_or_default().trim_end_matches('.');
        let mut letters = what.chars();
        let what = match (letters.next(), letters.next()) {
            (Some(first), Some(second)) if !second.is_uppercase() => {
                format!("{}{}", first.to_lowercase(), &what[first.len_utf8()..])
            }
            _ => what.to_owned(),
        };
        let about = self.action.as_deref().or(self.operation.as_deref()).or(self.host.as_deref());
        about.map_or_else(|| what.clone(), |about| format!("{about}: {what}"))
    }

    /// True if both say the same, apart from times, session numbers and request ids.
    fn is_same(&self, other: &Self) -> bool {
        let same_kind = match (self.kind, other.kind) {
            (Kind::TokenExpired { .. }, Kind::TokenExpired { .. }) => true,
            (one, other) => one == other,
        };
        let same_caller = match (&self.principal, &other.principal) {
            (Some(one), Some(other)) => one.is_same_caller(other),
            (one, other) => one == other,
        };
        same_kind
            && same_caller
            && self.voice == other.voice
            && self.pieces() == other.pieces()
            && self.because == other.because
            && self.service_account == other.service_account
    }

    fn pieces(&self) -> [&Option<String>; 6] {
        [&self.operation, &self.action, &self.resource, &self.host, &self.issuer, &self.account]
    }

    /// True if a role tried to assume itself.
    pub fn assumes_itself(&self) -> bool {
        let (Some(caller), Some(resource)) = (&self.principal, &self.resource) else { return false };
        let PrincipalKind::AssumedRole { role, .. } = &caller.kind else { return false };
        pieces::arn(resource).is_some_and(|arn| {
            let named = arn.resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
            arn.service == "iam" && arn.account == caller.account && named == Some(role)
        })
    }
}
