//! Whether the role's trust policy accepts a token of the service account; if not, the one fault and its repair.

mod fault;
mod issuer_match;
pub(crate) mod pod_identity;
#[cfg(test)]
mod tests;

pub(crate) use fault::{Fault, FaultKind, Miss};
pub(crate) use issuer_match::{IssuerMatch, is_eks, issuer_match};

use super::issuer::Issuer;
use super::session_name::SessionName;
use super::{Derived, sts};
use crate::aws::arn::{Arn, RoleArn};
use crate::aws::endpoint;
use crate::facts::aws::Role;
use crate::facts::{Fact, Source, Unknown, Why};
use crate::mechanism::Mechanism;
use crate::policy::{
    Change, Decision, Document, Edit, EditKind, Evaluation, Found, Path, Reason, Repair, Request, Segment,
    Tri, Value, WebIdentity, evaluate, known_claim, nearest_beside,
};
use crate::trust::{By, Trusted};

/// Characters, not counting white space, that IAM allows in a trust policy unless the account's quota was raised.
pub(crate) const QUOTA: usize = 2048;

/// What the trust policy says.
#[derive(Debug)]
pub enum Trust<'f> {
    /// There is no policy to evaluate.
    NotApplicable(&'static str),
    /// The policy or the token's claims are not known.
    Unknown(Vec<Unknown>),
    /// It was read and evaluated.
    Judged(Box<Judgement<'f>>),
}

/// A trust policy, and its decision on the token.
#[derive(Debug)]
pub struct Judgement<'f> {
    /// The role.
    pub role: &'f Role,
    /// Where its trust policy was read.
    pub source: Source,
    /// The policy.
    pub document: Document,
    /// The token.
    pub token: Token,
    /// The name that the pod's session has.
    pub session_name: SessionName,
    /// The request that the policy is evaluated for, on behalf of the pod.
    pub request: Request,
    /// The decision.
    pub decision: Decision,
    /// The decision on the attempt from this machine, which takes another network path to STS, and has a session name of its own
    /// if the pod's is not known.
    pub to_trial: Decision,
    /// Unknowns that the decision depends on; empty unless it is [`Decision::Unknown`].
    pub open: Vec<Open>,
    /// Why the token is not accepted.
    pub fault: Option<Fault>,
    /// What would make the policy accept it, and nobody else.
    pub change: Option<Change>,
    /// What would let in others of the namespace as well, whom a pattern covers.
    pub wider: Option<Change>,
    /// Subjects that the policy names and nobody has.
    pub vacant: Vec<String>,
}

/// The claims of the service account's tokens, as a trust policy sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Issuer without scheme: the beginning of the condition keys.
    pub issuer: String,
    /// ARN of the issuer's provider in the role's account.
    pub provider_arn: String,
    /// `sub`.
    pub sub: String,
    /// `aud`.
    pub aud: Vec<String>,
    /// Where the claims were read; `None` if they are what a token would contain.
    pub source: Option<Source>,
}

/// Something unknown that the policy's decision depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// What it is about.
    pub about: About,
    /// Its path in the policy.
    pub place: Path,
    /// The operator and the key: `IpAddress aws:SourceIp`.
    pub what: String,
    /// The values that the policy requires.
    pub values: Vec<String>,
    /// Why it is not known.
    pub why: String,
}

/// What a policy's decision may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The network path of the request.
    Network,
    /// The session name.
    SessionName,
    /// Something else.
    Other,
}

/// Condition keys about the network path of a request.
const NETWORK: [&str; 9] = [
    "aws:SourceIp",
    "aws:VpcSourceIp",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    REQUESTED_REGION,
];

/// The Region of the STS endpoint.
pub(crate) const REQUESTED_REGION: &str = "aws:RequestedRegion";

impl<'f> Trust<'f> {
    /// Reads the policy and evaluates it.
    pub(super) fn of(derived: &Derived<'f>) -> Self {
        if derived.intent.mechanism == Mechanism::PodIdentity {
            return Self::NotApplicable(
                "the pod gets its role from EKS Pod Identity, whose trust is judged by itself",
            );
        }
        let role = match &derived.facts.aws.role {
            Fact::Known(role) => role,
            Fact::Absent { .. } => return Self::NotApplicable("the role does not exist"),
            Fact::Unknown(unknown) if matches!(unknown.why, Why::NotAsked(_)) => {
                return Self::NotApplicable("no role is named that AWS could be asked about");
            }
            Fact::Unknown(unknown) => return Self::Unknown(vec![unknown.clone()]),
        };
        let token = match Token::of(derived) {
            Ok(token) => token,
            Err(unknowns) => return Self::Unknown(unknowns),
        };
        match Document::parse(&role.trust) {
            Ok(document) => {
                let source = role.source.at(FIELD);
                Self::Judged(Box::new(Judgement::of(derived, &role.value, source, document, token)))
            }
            Err(error) => Self::Unknown(vec![Unknown {
                what: format!("trust policy of {}", role.arn),
                why: Why::Failed(error.to_string()),
                grant: None,
            }]),
        }
    }

    /// The policy and its decision, if both are known.
    pub fn judged(&self) -> Option<&Judgement<'f>> {
        match self {
            Self::Judged(judged) => Some(judged),
            Self::NotApplicable(_) | Self::Unknown(_) => None,
        }
    }

    /// Goes on to what else the nearest statement has wrong, as if what its fault is now were repaired. False if there is nothing else.
    pub(crate) fn next_fault(&mut self) -> bool {
        let Self::Judged(judged) = self else { return false };
        let Some(fault) = &mut judged.fault else { return false };
        // What else differs in a statement that is for somebody else says nothing.
        if matches!(fault.kind, FaultKind::WrongPrincipal | FaultKind::OtherCluster | FaultKind::Deny) {
            return false;
        }
        fault.misses.retain(|miss| miss.kind != fault.kind);
        match fault.misses.first() {
            Some(next) => fault.kind = next.kind,
            None => judged.fault = None,
        }
        judged.fault.is_some()
    }

    /// Why the token is not accepted, if it certainly is not.
    pub fn fault(&self) -> Option<&Fault> {
        self.judged()?.fault.as_ref()
    }
}

/// The policy of a role for this service account alone, in the account of its issuer's provider.
pub(crate) fn of_new_role(derived: &Derived<'_>, provider_arn: &str) -> Option<Document> {
    let (plan, issuer) = (derived.plan(), Issuer::of(derived).ok()?);
    let provider = Arn::split(provider_arn)?;
    let trusted = Trusted {
        partition: provider.partition.to_owned(),
        account: provider.account.to_owned(),
        namespace: plan.namespace,
        service_account: plan.service_account,
        by: By::Irsa { issuer: issuer.url.to_owned(), audience: plan.audience },
    };
    trusted.document()
}

/// Where the policy stands in the role.
pub(crate) const FIELD: &str = "Role.AssumeRolePolicyDocument";

impl<'f> Judgement<'f> {
    fn of(derived: &Derived<'f>, role: &'f Role, source: Source, document: Document, token: Token) -> Self {
        let mut request = token.request(derived, role);
        let session_name = SessionName::of(derived);
        request.context.set(fault::SESSION_NAME, value_of(&session_name, &document, &request));
        let evaluation = evaluate(&document, &request);
        let vacant = vacant(derived, &document);
        let nearest = nearest_beside(&evaluation, &vacant);
        let edited = nearest.as_ref().filter(|nearest| matches!(nearest.change.repair, Repair::Edit(_)));
        let fault = fault::of(&evaluation, &token, edited.and_then(|nearest| nearest.statement));
        let (decision, open) = (evaluation.decision.clone(), open(&evaluation));
        let (plan, mut of_trial) = (derived.plan(), request.clone());
        of_trial.context.set(fault::SESSION_NAME, Value::Present(vec![plan.session_name]));
        if let Some(region) = endpoint::requested_region(&plan.host) {
            of_trial.context.set(REQUESTED_REGION, Value::Present(vec![region.to_owned()]));
        }
        let to_trial = evaluate(&document, &of_trial).decision;
        let (change, wider) = nearest.map(|nearest| (nearest.change, nearest.wider)).unzip();
        Self {
            role,
            source,
            document,
            token,
            session_name,
            request,
            decision,
            to_trial,
            open,
            fault,
            change,
            wider: wider.flatten(),
            vacant,
        }
    }

    /// Where a place of the policy was read.
    pub fn at(&self, place: &Path) -> Source {
        if place.0.is_empty() { self.source.clone() } else { self.source.at(format!("{FIELD}.{place}")) }
    }

    /// The length of the corrected policy, if it exceeds IAM's quota: a policy that is already longer proves a raised quota.
    pub fn over_quota(&self, change: &Change) -> Option<usize> {
        over_quota(&self.document.line(), &change.correction.document().line())
    }

    /// True if the decision depends on something of this kind.
    pub fn depends_on(&self, about: About) -> bool {
        self.open.iter().any(|open| open.about == about)
    }

    /// True if a refusal of the attempt from this machine says nothing about the pod: the policy may accept the pod, and requires
    /// a session name or a network path that the attempt does not have.
    pub fn may_refuse_trial_alone(&self) -> bool {
        let may_allow = match self.decision {
            Decision::Allow { .. } => true,
            Decision::Unknown { .. } => {
                self.depends_on(About::Network) || self.depends_on(About::SessionName)
            }
            Decision::NoMatch | Decision::ExplicitDeny { .. } => false,
        };
        may_allow && !matches!(self.to_trial, Decision::Allow { .. })
    }
}

/// The length of a document that exceeds IAM's quota where the one before it did not.
pub(crate) fn over_quota(before: &str, after: &str) -> Option<usize> {
    let length = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    Some(length(after)).filter(|after| *after > QUOTA && length(before) <= QUOTA)
}

/// The service accounts of the namespace that the policy names and the cluster does not have. Only an issuer of EKS is certainly this
/// cluster's alone.
fn vacant(derived: &Derived<'_>, document: &Document) -> Vec<String> {
    let facts = derived.facts;
    let listing = facts.service_accounts.known().filter(|listing| listing.value.complete());
    let (Some(listing), Ok(issuer)) = (listing, Issuer::of(derived)) else { return Vec::new() };
    let prefix = format!("system:serviceaccount:{}:", facts.namespace_name);
    let is_there = |name: &str| {
        name == facts.service_account_name
            || listing.value.items.iter().any(|account| account.value.metadata.name == name)
    };
    let is_vacant = |value: &&String| {
        issuer.is_eks()
            && value
                .strip_prefix(&prefix)
                .is_some_and(|name| !name.contains(['*', '?', '$']) && !is_there(name))
    };
    let conditions = document.statements.iter().flat_map(|statement| &statement.conditions);
    conditions.flat_map(|condition| &condition.values).filter(is_vacant).cloned().collect()
}

/// What the policy finds as the session's name. One that an SDK makes up is known if every SDK's leads to the same answer.
fn value_of(name: &SessionName, document: &Document, request: &Request) -> Value {
    let forms = match name {
        SessionName::Named(name) => return Value::Present(vec![name.clone()]),
        SessionName::Unknown(why) => return Value::Unknown(why.clone()),
        SessionName::MadeUp(forms) => forms,
    };
    let decision = |sample: &str| {
        let mut request = request.clone();
        request.context.set(fault::SESSION_NAME, Value::Present(vec![sample.to_owned()]));
        evaluate(document, &request).decision
    };
    let mut decisions = forms.iter().map(|form| decision(form.sample));
    let first = decisions.next();
    match forms.first().filter(|_| decisions.all(|other| Some(&other) == first.as_ref())) {
        Some(form) => Value::Present(vec![form.sample.to_owned()]),
        None => Value::Unknown(String::from("each SDK makes up its own, of which some match")),
    }
}

impl Token {
    /// What is known about the service account's tokens: a fresh one shows everything; otherwise the issuer is the cluster's, the
    /// subject follows from the service account, and the audience from the pod.
    fn of(derived: &Derived<'_>) -> Result<Self, Vec<Unknown>> {
        let plan = derived.plan();
        let issuer = match Issuer::of(derived) {
            Ok(issuer) => issuer.url,
            Err(unknowns) => return Err(unknowns.into_iter().cloned().collect()),
        };
        let Some(provider_arn) = plan.provider_arn(issuer) else {
            return Err(vec![Unknown {
                what: String::from("the issuer's provider in the role's account"),
                why: Why::Failed(format!("issuer {issuer:?} is not an https URL")),
                grant: None,
            }]);
        };
        let token = derived.claims();
        let claims = token.as_ref().map(|(claims, _)| claims);
        let sub = claims.and_then(|claims| claims.sub.clone()).unwrap_or_else(|| plan.subject());
        let aud = claims.map(|claims| claims.aud.clone()).filter(|aud| !aud.is_empty());
        Ok(Self {
            issuer: issuer.strip_prefix("https://").unwrap_or(issuer).to_owned(),
            provider_arn,
            sub,
            aud: aud.unwrap_or_else(|| vec![plan.audience.clone()]),
            source: token.map(|(_, source)| source),
        })
    }

    /// The account of the provider, which is the role's.
    pub fn account(&self) -> &str {
        Arn::account_of(&self.provider_arn).unwrap_or_default()
    }

    /// The pod's request with this token.
    fn request(&self, derived: &Derived<'_>, role: &Role) -> Request {
        let aud: Vec<&str> = self.aud.iter().map(String::as_str).collect();
        let mut request = Request::web_identity(WebIdentity {
            provider_arn: &self.provider_arn,
            issuer: &self.issuer,
            sub: &self.sub,
            aud: &aud,
        });
        let mut set = |key, value: String| request.context.set(key, Value::Present(vec![value]));
        if let Ok(arn) = RoleArn::parse(&role.arn) {
            set("aws:ResourceAccount", arn.account.to_owned());
        }
        if let Some(now) = derived.facts.cluster.server_clock.known() {
            set("aws:CurrentTime", now.value.to_string());
            set("aws:EpochTime", now.value.as_second().to_string());
        }
        if let Some(region) = derived.target().and_then(|view| sts::requested_region(derived, view)) {
            set(REQUESTED_REGION, region);
        }
        request
    }
}

/// What the decision depends on.
fn open(evaluation: &Evaluation<'_>) -> Vec<Open> {
    let Decision::Unknown { statements } = &evaluation.decision else { return Vec::new() };
    let traces = statements.iter().filter_map(|index| evaluation.statements.get(*index));
    traces
        .flat_map(|trace| {
            let principal = trace.principal.clause.filter(|_| trace.principal.outcome == Tri::Unknown);
            let principal = principal.map(|clause| Open {
                about: About::Other,
                place: clause.place.clone(),
                what: String::from("who is trusted"),
                values: clause.entries.iter().map(|entry| entry.value.clone()).collect(),
                why: String::from("AWS does not document what this principal means"),
            });
            let conditions = trace.conditions.iter().filter(|condition| condition.outcome == Tri::Unknown);
            let conditions = conditions.map(|condition| {
                let stated = condition.condition;
                let why = match (condition.found, condition.reason) {
                    (Found::Unknown(why), Reason::KeyUnknown) => why.to_owned(),
                    (_, Reason::UnknownOperator) => String::from("IAM has no such operator"),
                    (_, Reason::VariableUnknown { .. }) => {
                        String::from("it contains a policy variable whose value is not known here")
                    }
                    _ => String::from("AWS does not document what this means"),
                };
                Open {
                    about: about(&stated.key),
                    place: stated.place.clone(),
                    what: format!("{} {}", stated.operator_name, stated.key).trim_end().to_owned(),
                    values: stated.values.clone(),
                    why,
                }
            });
            let resource = trace.resource.clause.filter(|_| trace.resource.outcome == Tri::Unknown);
            let resource = resource.map(|clause| Open {
                about: About::Other,
                place: clause.place.clone(),
                what: String::from("the resource"),
                values: clause.entries.clone(),
                why: String::from("trust policies have no Resource, and IAM refuses to store one"),
            });
            principal.into_iter().chain(resource).chain(conditions).collect::<Vec<_>>()
        })
        .collect()
}

fn about(key: &str) -> About {
    let is = |known: &&str| key.eq_ignore_ascii_case(known);
    match () {
        () if NETWORK.iter().any(&is) => About::Network,
        () if is(&fault::SESSION_NAME) => About::SessionName,
        () => About::Other,
    }
}

/// The change, to end the sentence "in the trust policy, …".
pub(crate) fn words(change: &Change, token: &Token) -> String {
    match &change.repair {
        Repair::Edit(edits) => edits.iter().map(edit_words).collect::<Vec<_>>().join("; "),
        Repair::Append(_) => format!("add a statement for {}", token.sub),
    }
}

fn edit_words(edit: &Edit) -> String {
    let (from, to, place) = (&edit.from, &edit.to, words_of(&edit.place));
    match edit.kind {
        EditKind::ReplaceValue | EditKind::ReplaceOperator => format!("replace {from} with {to} in {place}"),
        EditKind::AddValue => format!("add {to} next to {from} in {place}"),
        EditKind::RenameKey => format!("rename the key {from} to {to} in {place}"),
        EditKind::ReplacePrincipal => format!("replace the principal {from} with {to} in {place}"),
        EditKind::RemoveCondition => format!("remove the condition on {from} from {place}"),
    }
}

/// `Statement[0]`, or `sub of Statement[0]` of a place below a claim.
fn words_of(place: &Path) -> String {
    let depth = if let Some(Segment::Index(_)) = place.0.get(1) { 2 } else { 1 };
    let statement = Path(place.0.iter().take(depth).cloned().collect());
    let claim = place.0.iter().rev().find_map(|segment| match segment {
        Segment::Key(key) => known_claim(key).1,
        Segment::Index(_) => None,
    });
    claim.map_or_else(|| statement.to_string(), |claim| format!("{claim} of {statement}"))
}
