//! Who else may ask for a role: what a change of its trust policy is tried on before it is offered.

use super::document::{Document, PrincipalKind};
use super::keys::Call;
use super::request::{Context, Principal, Request, Value, WebIdentity};
use super::token::{Token, known_claim, service_account, subject, without_scheme};

/// A request beside the one that a change is for.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) who: Who,
    pub(super) request: Request,
}

/// How close a neighbour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The same subject, with a token for another audience.
    Itself,
    /// Another service account of its namespace.
    OfTheNamespace,
    /// Anybody else.
    Stranger,
}

/// How many subjects that the documents name are tried; a policy of IAM's size has room for two dozen.
const MOST: usize = 64;

/// All who are tried: those whose names are close to the subject's, and those whom the documents name.
pub(super) fn neighbours(request: &Request, documents: [&Document; 2]) -> Vec<Neighbour> {
    let mut all = Vec::new();
    if let Some(token) = Token::of(request) {
        let mut subjects = similar(token.sub());
        subjects.extend(named_subjects(documents));
        for sub in subjects.iter().filter(|sub| *sub != token.sub()) {
            let mut request = request.clone();
            request.context.set(token.key("sub"), Value::Present(vec![sub.clone()]));
            let namespace = |sub| service_account(sub).map(|(namespace, _)| namespace);
            let same = namespace(sub).is_some() && namespace(sub) == namespace(token.sub());
            let who = if same { Who::OfTheNamespace } else { Who::Stranger };
            all.push(Neighbour { who, request });
        }
        let mut other = request.clone();
        other.context.set(token.key("aud"), Value::Present(vec![String::from("another-audience")]));
        all.push(Neighbour { who: Who::Itself, request: other });
    }
    let named = documents.into_iter().flat_map(|document| &document.statements);
    let named = named.filter_map(|statement| statement.principal.as_ref()).flat_map(|clause| &clause.entries);
    let named = named.flat_map(|entry| called_by(request, &entry.kind, &entry.value));
    let strangers = [
        (PrincipalKind::Federated, "another-issuer.invalid"),
        (PrincipalKind::Aws, "000000000000"),
        (PrincipalKind::Service, "another-service.amazonaws.com"),
    ];
    let strangers = strangers.into_iter().flat_map(|(kind, name)| called_by(request, &kind, name));
    let strangers = named.take(MOST).chain(strangers).filter(|other| other.principal != request.principal);
    all.extend(strangers.map(|request| Neighbour { who: Who::Stranger, request }));
    all
}

/// Subjects that a pattern or a careless comparison may take for this one.
fn similar(sub: &str) -> Vec<String> {
    let mut similar = vec![format!("{sub}x"), format!("x{sub}"), String::from("another-subject")];
    if let Some((namespace, name)) = service_account(sub) {
        similar.extend(
            [
                (namespace, "another-service-account"),
                (namespace, &format!("x{name}")),
                (namespace, &format!("{name}-x")),
                (&format!("{namespace}-x"), name),
                (&format!("x-{namespace}"), name),
                ("another-namespace", name),
                ("another-namespace", "another-service-account"),
                ("kube-system", "default"),
            ]
            .map(|(namespace, name)| subject(namespace, name)),
        );
    }
    similar
}

/// The service accounts that conditions name, and one for each pattern. A token of Kubernetes has no other subjects, so nobody
/// has anything to lose by a value of another form.
fn named_subjects(documents: [&Document; 2]) -> impl Iterator<Item = String> {
    let statements = documents.into_iter().flat_map(|document| &document.statements);
    let conditions = statements.flat_map(|statement| &statement.conditions);
    let values = conditions
        .filter(|condition| known_claim(&condition.key).1.is_some())
        .flat_map(|condition| &condition.values);
    let subjects = values.map(|value| value.replace(['*', '?'], "x"));
    subjects.filter(|sub| service_account(sub).is_some()).take(MOST)
}

/// The calls by which a principal of this name would assume the role.
fn called_by(request: &Request, kind: &PrincipalKind, name: &str) -> Vec<Request> {
    let by = |principal: Principal, call, action: &str| Request {
        principal,
        action: action.to_owned(),
        resource: request.resource.clone(),
        context: Context::of(call),
    };
    match kind {
        PrincipalKind::Federated => of_provider(request, name).into_iter().collect(),
        PrincipalKind::Service => ["sts:AssumeRole", "sts:TagSession"]
            .map(|action| by(Principal::Service(name.to_owned()), Call::Service, action))
            .into(),
        PrincipalKind::Aws => {
            let account = name.strip_suffix(":root").and_then(|head| head.rsplit(':').next()).unwrap_or(name);
            let is_account = account.bytes().all(|b| b.is_ascii_digit());
            let user = || format!("arn:aws:iam::{account}:user/another-user");
            let arn = if is_account { user() } else { name.to_owned() };
            vec![by(Principal::Aws { arn, role_arn: None }, Call::RoleSession, "sts:AssumeRole")]
        }
        PrincipalKind::Anyone | PrincipalKind::Other(_) => Vec::new(),
    }
}

/// The same subject, with a token of another provider; `None` for one that STS would not look for: those of the role's account,
/// and those that AWS has built in.
fn of_provider(request: &Request, name: &str) -> Option<Request> {
    let Principal::WebIdentity { provider_arn, issuer } = &request.principal else { return None };
    let (head, _) = provider_arn.split_once(":oidc-provider/")?;
    // The same provider, misspelt.
    if without_scheme(name) == without_scheme(issuer) {
        return None;
    }
    let (provider_arn, issuer) = match name.split_once(":oidc-provider/") {
        Some((other, issuer)) if other == head => (name.to_owned(), issuer),
        Some(_) => return None,
        None if name.contains(":saml-provider/") => return None,
        None if name.ends_with(".invalid") => (format!("{head}:oidc-provider/{name}"), name),
        None => (name.to_owned(), name),
    };
    let token = Token::of(request)?;
    let aud: Vec<&str> = token.aud().iter().map(String::as_str).collect();
    Some(Request::web_identity(WebIdentity {
        provider_arn: &provider_arn,
        issuer,
        sub: token.sub(),
        aud: &aud,
    }))
}
