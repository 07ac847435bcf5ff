//! One record of a log: what it says, and the pieces around the phrase that says it.

use super::kind::Kind;
use super::phrases::{self, Mark, Sign, Weight};
use super::principal::principal;
use super::sdk::{Sdk, SdkName};
use super::{Because, Layer, ServiceAccountName, Sighting, Voice, pieces, transport, voice};

/// How far around a phrase to look for its pieces: SDKs name the caller before the phrase and the reason after it.
const BEFORE: usize = 700;
const AFTER: usize = 1500;

/// A phrase that says that something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recognised {
    at: usize,
    kind: Kind,
    weight: Weight,
    beside: Option<Mark>,
}

/// The errors of one record: those that say most, in the order of the text.
pub(super) fn read(text: &str, line: usize) -> Vec<Sighting> {
    let lower = text.to_ascii_lowercase();
    let (mut said, mut marks, mut speaker) = (Vec::<Recognised>::new(), Vec::new(), None);
    for (at, phrase) in phrases::find(&lower) {
        match phrase.sign {
            Sign::Mark(Mark::Aws | Mark::Sts) if is_field_name(&lower[at..]) => {}
            Sign::Mark(mark) if !marks.contains(&mark) => marks.push(mark),
            Sign::Mark(_) => {}
            Sign::Sdk(name) => _ = speaker.get_or_insert(name),
            Sign::Error { kind, weight, beside } => {
                // A record that repeats itself says no more.
                if !said.iter().any(|it| (it.kind, it.weight, it.beside) == (kind, weight, beside)) {
                    said.push(Recognised { at, kind, weight, beside });
                }
            }
        }
    }
    said.retain(|it| it.beside.is_none_or(|mark| marks.contains(&mark)));
    // Where one phrase starts another, the list has the longer one first.
    said.dedup_by_key(|it| it.at);
    let mut found: Vec<(Weight, Sighting)> = Vec::new();
    for said in said {
        let around = Around::new(text, &lower, said.at);
        if let Some((weight, mut sighting)) = around.sighting(said, &marks, speaker, line)
            && !found.iter().any(|(_, it)| it.kind == sighting.kind)
        {
            sighting.voice =
                voice::of(text, &lower, said.at, speaker.is_some() || marks.contains(&Mark::Sts));
            found.push((weight, sighting));
        }
    }
    let most = found.iter().map(|(weight, _)| *weight).min();
    found.retain(|(weight, _)| Some(*weight) == most);
    let kinds: Vec<Kind> = found.iter().map(|(_, it)| it.kind).collect();
    found.retain(|(_, it)| !kinds.iter().any(|kind| kind.says_more_than(it.kind)));
    found.into_iter().map(|(_, sighting)| sighting).collect()
}

/// True for text that starts in the name of a field: `aws_region":`, `webidentity=`. What a field is called says nothing about what
/// failed.
fn is_field_name(lower: &str) -> bool {
    let rest = lower.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c));
    rest.starts_with("\":") || rest.starts_with('=')
}

/// The words around a phrase, and the same in lower case.
struct Around<'a> {
    text: &'a str,
    lower: &'a str,
    /// Where the phrase starts in them.
    at: usize,
}

impl<'a> Around<'a> {
    fn new(text: &'a str, lower: &'a str, at: usize) -> Self {
        // Words at the edges are left out, so that no piece is half of one.
        let start = match at.checked_sub(BEFORE).map(|start| text.ceil_char_boundary(start)) {
            Some(cut) => text[cut..at].find(char::is_whitespace).map_or(at, |space| cut + space),
            None => 0,
        };
        let end = match text.floor_char_boundary(at + AFTER) {
            cut if cut < text.len() => {
                text[at..cut].rfind(char::is_whitespace).map_or(at, |space| at + space)
            }
            end => end,
        };
        Self { text: &text[start..end], lower: &lower[start..end], at: at - start }
    }

    /// What follows the words, from the phrase on or else from the start.
    fn after(&self, words: &str) -> Option<&'a str> {
        let found = self.lower[self.at..].find(words).map(|found| self.at + found);
        let found = found.or_else(|| self.lower.find(words))?;
        Some(&self.text[found + words.len()..])
    }

    fn sighting(
        &self,
        said: Recognised,
        marks: &[Mark],
        speaker: Option<SdkName>,
        line: usize,
    ) -> Option<(Weight, Sighting)> {
        let (mut kind, mut weight, mut host) = (said.kind, said.weight, None);
        if weight == Weight::Transport {
            if kind == Kind::ConnectTimeout && marks.contains(&Mark::Lookup) {
                kind = Kind::DnsTimeout;
            }
            (kind, host) = transport::judge(kind, self.text, marks)?;
        }
        let denied = kind == Kind::NotAuthorized;
        let action =
            denied.then(|| self.after("is not authorized to perform:").and_then(pieces::action_at_start));
        let action = action.flatten();
        let resource = if denied { self.after("on resource:").and_then(pieces::arn_at_start) } else { None };
        let kind = self.refined(kind, action);
        if kind.is_last_resort() {
            weight = Weight::Last;
        }
        let sighting = Sighting {
            kind,
            operation: self.operation(kind).map(str::to_owned),
            principal: if denied { self.caller() } else { None },
            action: action.map(str::to_owned),
            resource: resource.map(str::to_owned),
            because: if denied || kind == Kind::NotAuthorizedToAssume { self.because() } else { None },
            host,
            issuer: self.issuer(kind).map(str::to_owned),
            account: self.account(kind).map(str::to_owned),
            service_account: self.service_account(),
            sdk: Sdk::of_user_agent(self.text).or(speaker.map(|name| Sdk { name, version: None })),
            request_id: self.request_id().map(str::to_owned),
            line,
            count: 1,
            voice: Voice::Own,
            of_s3: marks.contains(&Mark::S3),
            then: None,
        };
        Some((weight, sighting))
    }

    /// The kind, with what stands beside it.
    fn refined(&self, kind: Kind, action: Option<&str>) -> Kind {
        match (kind, action) {
            (Kind::NotAuthorized, Some("sts:AssumeRoleWithWebIdentity")) => Kind::NotAuthorizedToAssume,
            (Kind::NotAuthorized, Some("sts:AssumeRole")) => Kind::NotAuthorizedToChain,
            (Kind::NotAuthorized, Some("sts:TagSession")) => Kind::NotAuthorizedToTag,
            (Kind::NotAuthorized, Some("eks-auth:AssumeRoleForPodIdentity")) => Kind::NodeNotAuthorized,
            (Kind::TokenExpired { .. }, _) => Kind::TokenExpired {
                now: self.after("current date/time").and_then(pieces::number_at_start),
                expired: self.after("expiration date/time").and_then(pieces::number_at_start),
            },
            (Kind::NoWebIdentityProvider, _) if self.names_web_identity() => Kind::NoCredentials,
            (Kind::AgentHostRejected, _) if self.is_java_about_ipv6() => Kind::AgentIpv6Rejected,
            _ => kind,
        }
    }

    /// True if the list of providers that had no credentials, up to the colon behind it, has one for web identity.
    fn names_web_identity(&self) -> bool {
        let list = self.after("no aws credentials provided by").and_then(|rest| rest.split(':').next());
        list.is_some_and(|list| list.to_ascii_lowercase().contains("webidentity"))
    }

    /// True if it is version 2 of the Java SDK that refuses the agent's IPv6 address; others know both addresses or neither.
    fn is_java_about_ipv6(&self) -> bool {
        self.lower.contains("the full uri (http://[fd00:ec2::23]")
    }

    fn operation(&self, kind: Kind) -> Option<&'a str> {
        let of_go = || self.after("operation error ")?.split_once(": ").map(|(_, rest)| rest);
        let named = self.after("when calling the ").and_then(pieces::operation_at_start);
        let named = named.or_else(|| of_go().and_then(pieces::operation_at_start));
        let named = named.or_else(|| self.after("error executing \"").and_then(pieces::operation_at_start));
        let of_arrow = || self.after("aws error ")?.split_once(" during ").map(|(_, rest)| rest);
        let named = named.or_else(|| of_arrow().and_then(pieces::operation_at_start));
        named.or((kind == Kind::NotAuthorizedToAssume).then_some("AssumeRoleWithWebIdentity"))
    }

    /// The caller of `User: … is not authorized`.
    fn caller(&self) -> Option<super::Principal> {
        let from = self.lower[..self.at].rfind("user: ")? + "user: ".len();
        principal(pieces::arn_at_start(&self.text[from..self.at])?)
    }

    fn because(&self) -> Option<Because> {
        // IAM user guide, "Troubleshoot access denied error messages".
        const LAYERS: [(&str, Layer); 8] = [
            ("identity-based policy", Layer::IdentityPolicy),
            ("permissions boundary", Layer::PermissionsBoundary),
            ("service control policy", Layer::ServiceControlPolicy),
            ("resource control policy", Layer::ResourceControlPolicy),
            ("session policy", Layer::SessionPolicy),
            ("vpc endpoint policy", Layer::VpcEndpointPolicy),
            ("resource-based policy", Layer::ResourcePolicy),
            ("role trust policy", Layer::TrustPolicy),
        ];
        let rest = &self.lower[self.at..];
        let (reason, explicit) = match rest.split_once("with an explicit deny in ") {
            Some((_, reason)) => (reason, true),
            None => (rest.split_once("because no ")?.1, false),
        };
        let reason =
            ["an ", "a ", "the "].iter().find_map(|article| reason.strip_prefix(article)).unwrap_or(reason);
        let (_, layer) = LAYERS.iter().find(|(words, _)| reason.starts_with(words))?;
        Some(Because { layer: *layer, explicit })
    }

    fn issuer(&self, kind: Kind) -> Option<&'a str> {
        if kind != Kind::NoProvider {
            return None;
        }
        self.after("in your account for ").and_then(pieces::issuer_at_start)
    }

    fn account(&self, kind: Kind) -> Option<&'a str> {
        if kind != Kind::RegionDisabled {
            return None;
        }
        let account = pieces::run(self.after("for account:")?.trim_start(), |c| c.is_ascii_digit());
        pieces::is_account(account).then_some(account)
    }

    fn service_account(&self) -> Option<ServiceAccountName> {
        let of_token = || pieces::service_account_at_start(self.after("system:serviceaccount:")?, ':');
        let of_event = || pieces::service_account_at_start(self.after("looking up service account ")?, '/');
        let (namespace, name) = of_token().or_else(of_event)?;
        Some(ServiceAccountName { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    fn request_id(&self) -> Option<&'a str> {
        const NAMES: [&str; 5] =
            ["request id: ", "requestid: ", "requestid\":\"", "requestid>", "requestid: '"];
        NAMES.iter().find_map(|name| self.after(name).and_then(pieces::uuid_at_start))
    }
}
