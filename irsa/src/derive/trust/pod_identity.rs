//! Whether the roles of an EKS Pod Identity association trust whoever assumes them: EKS the first, the first the second.

use super::fault::shown;
use crate::aws::arn::{Arn, RoleArn};
use crate::derive::Derived;
use crate::derive::association::Associated;
use crate::facts::aws::{Association, Role};
use crate::facts::{Fact, Source, Sourced, Unknown, Why};
use crate::policy::{
    AssumeRole, Decision, Document, Effect, Evaluation, Json, Path, Principal, Reason, Request,
    StatementTrace, Tri, evaluate,
};

pub(crate) use crate::trust::SERVICE;
use crate::trust::{ASSUME, CLUSTER_ARN, NAMESPACE, SERVICE_ACCOUNT, TAG};

/// Session tags that EKS sets beside those that a trust policy pins (EKS user guide, `pod-id-abac`).
const CLUSTER_NAME: &str = "eks-cluster-name";
const POD_NAME: &str = "kubernetes-pod-name";
const POD_UID: &str = "kubernetes-pod-uid";

/// A role that is assumed on the way to the pod's credentials.
#[derive(Debug)]
pub(crate) struct Hop<'f> {
    /// Its ARN, as the association names it.
    pub arn: &'f str,
    /// True for the association's target role.
    pub is_target: bool,
    /// What is known of it.
    pub trust: HopTrust<'f>,
}

/// What is known of the trust policy of such a role.
#[derive(Debug)]
pub(crate) enum HopTrust<'f> {
    /// It is not known.
    Unknown(Vec<Unknown>),
    /// There is no such role.
    Missing(&'f Source),
    /// It was read and evaluated.
    Judged(Box<HopJudgement<'f>>),
}

/// A trust policy, and its decision on the session that EKS opens.
#[derive(Debug)]
pub(crate) struct HopJudgement<'f> {
    /// The role.
    pub role: &'f Role,
    /// Its trust policy.
    pub document: Document,
    /// What the decision depends on; empty if it is certain.
    pub open: Vec<Unknown>,
    /// Why the session is not allowed.
    pub fault: Option<HopFault>,
    /// The policy that allows it, if a statement can.
    pub repair: Option<HopRepair>,
}

/// Why a trust policy does not allow the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HopFault {
    /// What it comes down to.
    pub kind: HopFaultKind,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// What is wrong, in the order in which it must be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HopFaultKind {
    /// A statement denies it.
    Deny,
    /// Others are trusted.
    Principal,
    /// One of the two actions is missing.
    Action,
    /// A condition does not hold.
    Condition,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What is compared.
    pub what: String,
    /// What the session has; `None` if nothing.
    pub has: Option<String>,
    /// What the policy has.
    pub found: Vec<String>,
    /// Where it was read.
    pub source: Source,
}

/// The document that allows the session.
#[derive(Debug)]
pub(crate) struct HopRepair {
    /// The document.
    pub corrected: Document,
    /// How it differs.
    pub how: How,
}

/// How a document was corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `sts:TagSession` was added to a statement that allows the rest, for whomever that statement trusts.
    TagSession,
    /// A statement was added that is for this service account alone.
    Pinned,
    /// A statement was added that other associations match as well.
    Open,
}

/// The roles of the service account's association, in the order in which they are assumed; empty if there is none.
pub(crate) fn hops<'f>(derived: &Derived<'f>) -> Vec<Hop<'f>> {
    let Associated::Yes(association, _) = Associated::of(derived) else { return Vec::new() };
    let aws = &derived.facts.aws;
    let first = association.role_arn.as_deref().map(|arn| (arn, &aws.associated_role, false));
    let second = association.target_role_arn.as_deref().map(|arn| (arn, &aws.target_role, true));
    first
        .into_iter()
        .chain(second)
        .map(|(arn, role, is_target)| {
            let trust = match role {
                Fact::Known(role) => judge(&Session::of(derived, association, is_target), role),
                Fact::Absent { source } => HopTrust::Missing(source),
                Fact::Unknown(unknown) => HopTrust::Unknown(vec![unknown.clone()]),
            };
            Hop { arn, is_target, trust }
        })
        .collect()
}

/// The policy of a new role for this association alone.
pub(crate) fn of_new_role(derived: &Derived<'_>, is_target: bool) -> Option<Document> {
    let Associated::Yes(association, _) = Associated::of(derived) else { return None };
    let nothing = Document::parse(r#"{"Version":"2012-10-17","Statement":[]}"#).ok()?;
    nothing.with_statement(Session::of(derived, association, is_target).statement())
}

/// The account that the cluster is in, and its ARN, as far as EKS said.
pub(crate) fn cluster_arn(derived: &Derived<'_>, association: &Association) -> Option<String> {
    if let Some(cluster) = derived.facts.aws.cluster.known() {
        return Some(cluster.value.arn.clone());
    }
    let own = Arn::split(association.arn.as_deref()?)?;
    let name = own.resource.strip_prefix("podidentityassociation/")?.split('/').next()?;
    Some(format!("arn:{}:eks:{}:{}:cluster/{name}", own.partition, own.region, own.account))
}

/// The session that EKS opens for the pod.
struct Session<'f> {
    principal: Principal,
    tags: Vec<(&'static str, Option<String>)>,
    external_id: Option<&'f str>,
    cluster_arn: Option<String>,
    time: Option<jiff::Timestamp>,
}

impl<'f> Session<'f> {
    fn of(derived: &Derived<'f>, association: &'f Association, is_target: bool) -> Self {
        let facts = derived.facts;
        let cluster_arn = cluster_arn(derived, association);
        let pod = facts.subject.pod().map(|pod| &pod.value.metadata);
        let cluster_name = cluster_arn.as_deref().and_then(|arn| arn.split_once(":cluster/"));
        let tags = [
            (NAMESPACE, Some(facts.namespace_name.clone())),
            (SERVICE_ACCOUNT, Some(facts.service_account_name.clone())),
            (CLUSTER_ARN, cluster_arn.clone()),
            (CLUSTER_NAME, cluster_name.map(|(_, name)| name.to_owned())),
            (POD_NAME, pod.map(|pod| pod.judged_name().to_owned())),
            (POD_UID, pod.map(|pod| String::from(&pod.uid))),
        ];
        let tags = if association.session_tags { tags.into() } else { Vec::new() };
        let role = association.role_arn.as_deref().filter(|_| is_target);
        let principal = match role.and_then(|arn| Some((arn, RoleArn::parse(arn).ok()?))) {
            Some((arn, role)) => Principal::Aws {
                arn: format!("arn:{}:sts::{}:assumed-role/{}/eks", role.partition, role.account, role.name()),
                role_arn: Some(arn.to_owned()),
            },
            None => Principal::Service(SERVICE.to_owned()),
        };
        Self {
            principal,
            tags,
            external_id: association.external_id.as_deref().filter(|_| is_target),
            cluster_arn,
            time: facts.cluster.server_clock.known().map(|clock| clock.value),
        }
    }

    /// Without session tags, `sts:TagSession` is not called.
    fn actions(&self) -> &'static [&'static str] {
        if self.tags.is_empty() { &[ASSUME] } else { &[ASSUME, TAG] }
    }

    fn request(&self, action: &str) -> Request {
        let assume = AssumeRole {
            principal: self.principal.clone(),
            tags: self.tags.clone(),
            external_id: self.external_id,
            source_arn: self.cluster_arn.as_deref(),
        };
        let mut request = assume.request(action);
        if let Some(now) = self.time {
            let mut set = |key, value| request.context.set(key, crate::policy::Value::Present(vec![value]));
            set("aws:CurrentTime", now.to_string());
            set("aws:EpochTime", now.as_second().to_string());
        }
        request
    }

    /// The session of another service account.
    fn of_another(&self) -> Self {
        let mut tags = self.tags.clone();
        for (name, value) in &mut tags {
            if *name == SERVICE_ACCOUNT {
                *value = value.take().map(|value| format!("{value}-other"));
            }
        }
        let external_id = self.external_id.map(|_| "another");
        let (principal, cluster_arn) = (self.principal.clone(), self.cluster_arn.clone());
        Self { principal, tags, external_id, cluster_arn, time: self.time }
    }

    fn allowed_by(&self, document: &Document) -> bool {
        let allows = |action: &&str| {
            matches!(evaluate(document, &self.request(action)).decision, Decision::Allow { .. })
        };
        self.actions().iter().all(allows)
    }

    /// Who opens it, as a policy names it.
    fn who(&self) -> (&'static str, &str) {
        match &self.principal {
            Principal::Aws { arn, role_arn } => ("AWS", role_arn.as_deref().unwrap_or(arn)),
            _ => ("Service", SERVICE),
        }
    }

    /// A statement that allows this session and, as far as it can be told apart, no other.
    fn statement(&self) -> Json {
        let (kind, who) = self.who();
        let actions = self.actions().iter().map(|action| Json::text(*action)).collect();
        let pins =
            self.tags.iter().take(3).filter_map(|(tag, value)| {
                Some((format!("aws:RequestTag/{tag}"), Json::text(value.as_ref()?)))
            });
        let mut pins: Vec<(String, Json)> = pins.collect();
        if pins.is_empty() {
            let source = self.cluster_arn.as_deref().filter(|_| kind == "Service");
            pins.extend(self.external_id.map(|id| ("sts:ExternalId".to_owned(), Json::text(id))));
            pins.extend(source.map(|arn| ("aws:SourceArn".to_owned(), Json::text(arn))));
        }
        let mut statement = vec![
            ("Effect".to_owned(), Json::text("Allow")),
            ("Principal".to_owned(), Json::object([(kind, Json::text(who))])),
            ("Action".to_owned(), Json::Array(actions)),
        ];
        if !pins.is_empty() {
            let condition = Json::object([("StringEquals", Json::Object(pins))]);
            statement.push(("Condition".to_owned(), condition));
        }
        Json::Object(statement)
    }
}

fn judge<'f>(session: &Session<'_>, role: &'f Sourced<Role>) -> HopTrust<'f> {
    let document = match Document::parse(&role.value.trust) {
        Ok(document) => document,
        Err(error) => {
            return HopTrust::Unknown(vec![Unknown {
                what: format!("trust policy of {}", role.value.arn),
                why: Why::Failed(error.to_string()),
                grant: None,
            }]);
        }
    };
    let source = role.source.at(super::FIELD);
    let at = |place: &Path| {
        if place.0.is_empty() { source.clone() } else { role.source.at(format!("{}.{place}", super::FIELD)) }
    };
    let requests: Vec<Request> = session.actions().iter().map(|action| session.request(action)).collect();
    let evaluations: Vec<Evaluation<'_>> =
        requests.iter().map(|request| evaluate(&document, request)).collect();
    let denied = |decision: &Decision| matches!(decision, Decision::NoMatch | Decision::ExplicitDeny { .. });
    let refused = evaluations.iter().find(|evaluation| denied(&evaluation.decision));
    let fault = refused.map(|evaluation| fault(session, evaluation, &at));
    let open = if fault.is_some() {
        Vec::new()
    } else {
        evaluations.iter().flat_map(super::open).fold(Vec::new(), |mut all, open| {
            let unknown = Unknown {
                what: format!("whether role {} trusts {}", role.value.name, session.who().1),
                why: Why::NotAsked(format!(
                    "its trust policy depends on {} {}: {}",
                    open.what,
                    open.values.join(", "),
                    open.why
                )),
                grant: None,
            };
            if !all.contains(&unknown) {
                all.push(unknown);
            }
            all
        })
    };
    let repair = fault.as_ref().and_then(|_| repair(session, &evaluations));
    let judged = HopJudgement { role: &role.value, document, open, fault, repair };
    HopTrust::Judged(Box::new(judged))
}

fn fault(session: &Session<'_>, evaluation: &Evaluation<'_>, at: &impl Fn(&Path) -> Source) -> HopFault {
    if let Decision::ExplicitDeny { statement } = evaluation.decision {
        let statement = evaluation.document.statements.get(statement);
        let place = statement.map(|statement| statement.place.clone()).unwrap_or_default();
        let difference = Difference {
            what: format!("{place} denies {}", evaluation.request.action),
            has: None,
            found: vec![String::from("Deny")],
            source: at(&place),
        };
        return HopFault { kind: HopFaultKind::Deny, differences: vec![difference] };
    }
    let nearest = nearest(evaluation).filter(|trace| trace.principal.outcome != Tri::False);
    let Some(trace) = nearest else {
        let (kind, who) = session.who();
        let allows = evaluation.document.statements.iter().filter(|it| it.effect == Effect::Allow);
        let trusted = allows.filter_map(|statement| statement.principal.as_ref());
        let place = trusted.clone().next().map(|clause| clause.place.clone()).unwrap_or_default();
        let difference = Difference {
            what: String::from("who is trusted"),
            has: Some(format!("{kind} {who}")),
            found: trusted.flat_map(|clause| &clause.entries).map(shown).collect(),
            source: at(&place),
        };
        return HopFault { kind: HopFaultKind::Principal, differences: vec![difference] };
    };
    let action =
        trace.action.clause.filter(|_| trace.action.outcome == Tri::False).map(|clause| Difference {
            what: String::from(if clause.negated { "excluded actions" } else { "allowed actions" }),
            has: Some(session.actions().join(", ")),
            found: clause.entries.clone(),
            source: at(&clause.place),
        });
    let kind = if action.is_some() { HopFaultKind::Action } else { HopFaultKind::Condition };
    let conditions = trace.failed_conditions().map(|failed| {
        let stated = failed.condition;
        let absent = failed.reason == Reason::KeyAbsent;
        Difference {
            what: format!("{} under {}", stated.key, stated.operator_name),
            has: Some(failed.found.values().join(", ")).filter(|_| !absent),
            found: stated.values.clone(),
            source: at(&stated.place),
        }
    });
    HopFault { kind, differences: action.into_iter().chain(conditions).collect() }
}

/// The allowing statement that is most likely meant.
fn nearest<'e, 'a>(evaluation: &'e Evaluation<'a>) -> Option<&'e StatementTrace<'a>> {
    let allows = evaluation.statements.iter().filter(|trace| trace.effect == Effect::Allow);
    allows.min_by_key(|trace| {
        let missed = |outcome| usize::from(outcome == Tri::False);
        (missed(trace.principal.outcome), missed(trace.action.outcome) + trace.failed_conditions().count())
    })
}

/// The least change that allows the session. Nobody loses anything by it.
fn repair(session: &Session<'_>, evaluations: &[Evaluation<'_>]) -> Option<HopRepair> {
    let document = evaluations.first()?.document;
    let beside = session.of_another();
    // Only the tags are missing: the statement that allows the role itself allows them too.
    if let [assume, tag] = evaluations
        && let Decision::Allow { statement } = assume.decision
        && let Some(trace) = tag.statements.get(statement)
        && let Some(clause) = trace.action.clause.filter(|clause| !clause.negated)
        && let Some(corrected) = document.with_value(&clause.place, TAG)
        && session.allowed_by(&corrected)
    {
        return Some(HopRepair { corrected, how: How::TagSession });
    }
    let corrected = document.with_statement(session.statement())?;
    let allows = session.allowed_by(&corrected);
    // Without the cluster's ARN it cannot be told apart from the same names in another cluster.
    let others = beside.allowed_by(&corrected) && !beside.allowed_by(document);
    let how = if others || session.cluster_arn.is_none() { How::Open } else { How::Pinned };
    allows.then_some(HopRepair { corrected, how })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "arn:aws:eks:eu-west-1:111122223333:cluster/shop-prod";
    const FIRST: &str = "arn:aws:iam::111122223333:role/shop-checkout";

    fn session(tagged: bool, is_target: bool) -> Session<'static> {
        let tags = [
            (NAMESPACE, "shop"),
            (SERVICE_ACCOUNT, "checkout"),
            (CLUSTER_ARN, CLUSTER),
            (CLUSTER_NAME, "shop-prod"),
            (POD_NAME, "checkout-1"),
            (POD_UID, "0f1d"),
        ];
        let tags = tags.into_iter().map(|(tag, value)| (tag, Some(value.to_owned())));
        let role = Principal::Aws {
            arn: String::from("arn:aws:sts::111122223333:assumed-role/shop-checkout/eks"),
            role_arn: Some(FIRST.to_owned()),
        };
        Session {
            principal: if is_target { role } else { Principal::Service(SERVICE.to_owned()) },
            tags: if tagged { tags.collect() } else { Vec::new() },
            external_id: is_target.then_some("eu-west-1/111122223333/shop-prod/shop/checkout"),
            cluster_arn: Some(CLUSTER.to_owned()),
            time: None,
        }
    }

    /// The fault's kind, what differs, and how it is repaired. A repair admits the session, and nobody beside it.
    fn judged(session: &Session<'_>, statements: &str) -> (Option<HopFaultKind>, Vec<String>, Option<How>) {
        let trust = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let role = Role {
            arn: FIRST.to_owned(),
            name: String::from("shop-checkout"),
            created: None,
            trust: trust.clone(),
            max_session: None,
            boundary: None,
        };
        let source =
            Source::Aws { action: String::from("iam:GetRole"), object: String::new(), field: String::new() };
        let role = Sourced { value: role, source };
        let HopTrust::Judged(judged) = judge(session, &role) else { panic!("{trust}") };
        assert!(judged.open.is_empty(), "{:?}", judged.open);
        if let Some(repair) = &judged.repair {
            let before = Document::parse(&trust).unwrap();
            assert!(session.allowed_by(&repair.corrected), "{}", repair.corrected.line());
            let admits = |document: &Document| session.of_another().allowed_by(document);
            // Whom a statement trusts already may tag its sessions, too.
            if repair.how != How::TagSession {
                let one_more = admits(&repair.corrected) && !admits(&before);
                assert_eq!(one_more, repair.how == How::Open, "{}", repair.corrected.line());
            }
        }
        let differences = judged.fault.iter().flat_map(|fault| &fault.differences);
        let differences = differences
            .map(|it| format!("{}: {} / {}", it.what, it.has.as_deref().unwrap_or("-"), it.found.join(", ")));
        let kind = judged.fault.as_ref().map(|fault| fault.kind);
        (kind, differences.collect(), judged.repair.as_ref().map(|repair| repair.how))
    }

    fn by_service(rest: &str) -> String {
        format!(r#"{{"Effect":"Allow","Principal":{{"Service":"{SERVICE}"}},{rest}}}"#)
    }

    const BOTH: &str = r#""Action":["sts:AssumeRole","sts:TagSession"]"#;

    #[test]
    fn what_the_user_guide_prints_is_fine() {
        let ok = (None, Vec::new(), None);
        let first = session(true, false);
        assert_eq!(judged(&first, &by_service(BOTH)), ok);
        let pins = format!(
            r#"{BOTH},"Condition":{{"StringEquals":{{"aws:RequestTag/kubernetes-namespace":["shop"],
            "aws:RequestTag/kubernetes-service-account":["checkout"],"aws:RequestTag/eks-cluster-arn":"{CLUSTER}",
            "aws:RequestTag/eks-cluster-name":"shop-prod","aws:SourceAccount":"111122223333","aws:SourceArn":"{CLUSTER}"}}}}"#
        );
        assert_eq!(judged(&first, &by_service(&pins)), ok);
        let target = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
            "Action":["sts:AssumeRole","sts:TagSession"],"Condition":{
            "StringEquals":{"aws:RequestTag/kubernetes-namespace":"shop"},
            "ArnEquals":{"aws:PrincipalARN":"arn:aws:iam::111122223333:role/shop-checkout"}}}"#;
        assert_eq!(judged(&session(true, true), target), ok);
        let untagged = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole",
            "Condition":{"StringEquals":{"sts:ExternalId":"eu-west-1/111122223333/shop-prod/shop/checkout"}}}"#;
        assert_eq!(judged(&session(false, true), untagged), ok);
    }

    #[test]
    fn a_role_of_a_web_identity_is_given_a_statement_of_its_own() {
        let irsa = r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/x"},
            "Action":"sts:AssumeRoleWithWebIdentity"}"#;
        let (kind, differences, how) = judged(&session(true, false), irsa);
        assert_eq!(kind, Some(HopFaultKind::Principal));
        assert_eq!(
            differences,
            [
                "who is trusted: Service pods.eks.amazonaws.com / Federated arn:aws:iam::111122223333:oidc-provider/x"
            ]
        );
        assert_eq!(how, Some(How::Pinned));
        // Without tags, EKS's sessions of one cluster look alike.
        assert_eq!(judged(&session(false, false), irsa).2, Some(How::Open));
        assert_eq!(judged(&session(true, true), irsa).2, Some(How::Pinned));
        assert_eq!(judged(&session(false, true), irsa).2, Some(How::Pinned));
    }

    #[test]
    fn both_actions_are_needed_where_there_are_tags() {
        let assume = by_service(r#""Action":"sts:AssumeRole""#);
        let (kind, differences, how) = judged(&session(true, false), &assume);
        assert_eq!((kind, how), (Some(HopFaultKind::Action), Some(How::TagSession)));
        assert_eq!(differences, ["allowed actions: sts:AssumeRole, sts:TagSession / sts:AssumeRole"]);
        assert_eq!(judged(&session(false, false), &assume).0, None);
    }

    #[test]
    fn a_pinned_value_that_differs_is_named_with_the_pods_own() {
        let pinned = |key: &str, value: &str| {
            let condition = format!(r#"{BOTH},"Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#);
            judged(&session(true, false), &by_service(&condition))
        };
        for (key, has, found) in [
            ("aws:RequestTag/kubernetes-namespace", "shop", "shop-prd"),
            ("aws:RequestTag/kubernetes-service-account", "checkout", "chekout"),
            ("aws:RequestTag/eks-cluster-name", "shop-prod", "shop-test"),
            ("aws:SourceAccount", "111122223333", "444455556666"),
            (
                "aws:SourceArn",
                CLUSTER,
                "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/shop-prod/*",
            ),
        ] {
            let (kind, differences, how) = pinned(key, found);
            assert_eq!((kind, how), (Some(HopFaultKind::Condition), Some(How::Pinned)), "{key}");
            assert_eq!(differences, [format!("{key} under StringEquals: {has} / {found}")]);
        }
        assert_eq!(pinned("aws:PrincipalOrgID", "o-1").1, ["aws:PrincipalOrgID under StringEquals: - / o-1"]);
    }

    #[test]
    fn nothing_is_offered_against_a_deny() {
        let deny =
            format!(r#"{},{{"Effect":"Deny","Principal":"*","Action":"sts:TagSession"}}"#, by_service(BOTH));
        let (kind, _, how) = judged(&session(true, false), &deny);
        assert_eq!((kind, how), (Some(HopFaultKind::Deny), None));
    }
}
