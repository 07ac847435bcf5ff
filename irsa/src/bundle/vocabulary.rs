//! The words of AWS, of Kubernetes and of this program: what checks compare with, and what no name is told by.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::aws::partition::REGIONS;
use crate::aws_error;
use crate::facts::kubernetes::resource::{Kinds, Resource, every_kind};

/// By subject. Kinds, regions and the phrases of errors are added from where they are known.
const WORDS: &str = "
    arn aws cn gov iso isob isoe isof us eu ap sa ca me af il mx
    iam sts eks ec2 ecr s3 oidc ecs sqs sns kms dynamodb logs cloudtrail sso organizations signin api dkr fips dualstack
    amazonaws amazon com io org net app dev local localhost cluster svc internal compute public gallery elb vpce
    http https www
    role roles user users group policy policies root assumed provider providers federated saml service instance profile
    session sessions account accounts podidentityassociation podidentityassociations association id
    kube kubernetes k8s system default serviceaccount serviceaccounts master node nodes masters bootstrappers
    authenticated unauthenticated kubelet apiserver controller manager scheduler coredns csi lease release
    cert certmanager pod pods namespace namespaces deployment identity webhook agent irsa kubectl debug probe
    aad ebs efs fsx vpc cni lb addon addons karpenter fargate nodegroup container containers token tokens
    annotation annotations label labels audience expiration arn rolearn tokenexpiration useregionalsts skip inject
    injection sidecar istio linkerd proxy init envoy kiam kube2iam mesh consul dapr vault cilium
    credentials credential config configmap region regional regions endpoint endpoints legacy file files path
    prefix default self hosted grace period lookup watch switch compose true false enabled disabled linux windows
    var run secrets secret etc ssl certs crt pem mnt home tmp usr bin lib opt data volume volumes projected
    statement effect allow deny principal action notaction resource notresource condition version sid federated
    stringequals stringlike stringnotequals stringnotlike stringequalsignorecase arnequals arnlike
    stringnotequalsignorecase stringequalsifexists stringlikeifexists stringnotequalsifexists stringnotlikeifexists
    stringequalsignorecaseifexists arnequalsifexists arnlikeifexists boolifexists arnnotequals arnnotlike foranyvalue forallvalues ifexists bool numericequals ipaddress notipaddress
    dategreaterthan datelessthan null aud sub amr azp oaud
    assumerole assumerolewithwebidentity assumerolewithsaml assumeroleforpodidentity tagsession setsourceidentity
    getcalleridentity getrole sourceaccount sourcearn sourcevpc sourcevpce sourceip principalarn principaltag
    requesttag rolesessionname externalid requestedregion currenttime securetransport
    clustername clusterarn podname poduid kubernetespodname kubernetesserviceaccount kubernetesnamespace
    administratoraccess readonlyaccess poweruseraccess
    docker hub index registry quay ghcr gcr mcr library latest cli sdk boto boto3 java python go golang node js
    rust ruby php dotnet terraform eksctl pulumi helm cloudformation argocd flux kustomize
    date header request requests method well known openid configuration jwks keys version
    log of before its last restart error withheld
    template hash name instance component part managed by created tier environment spec metadata
    mutatingwebhookconfigurations mutate admission admissionregistration mutation
    openshift cloud map json amd64 arm64 dns local cache ip os arch hostname zone topology type types
    volumemounts initcontainers ephemeralcontainers env value valuefrom secretkeyref configmapkeyref mountpath subpath
    csi store external cert load balancer autoscaler cloudwatch fluent bit
    app api web job worker main server controller operator backend frontend provider driver
    auto prod production staging stage test sa
";

/// What stands before the names of actions and of condition keys.
pub(super) fn is_service(word: &str) -> bool {
    ["aws", "sts", "iam", "eks", "s3", "saml", "ec2"].contains(&word)
}

/// Words of less than this are too short to be near to another.
const SHORTEST: usize = 4;

struct Vocabulary {
    /// In lower case.
    words: BTreeSet<String>,
    /// Those that may be misspelt, by length.
    by_length: Vec<Vec<String>>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    struct Names(Vec<String>);
    impl Kinds for Names {
        fn of<T: Resource>(&mut self) {
            self.0.extend([T::KIND, T::PLURAL, T::SINGULAR, T::GROUP].map(str::to_owned));
        }
    }
    let mut names = Names(Vec::new());
    every_kind(&mut names);
    let own = WORDS.split_whitespace().map(str::to_owned).chain(names.0);
    let own = own.chain(REGIONS.map(str::to_owned));
    let own: BTreeSet<String> = own.flat_map(|name| tokens(&name)).collect();
    let mut by_length = Vec::new();
    for word in own.iter().filter(|word| word.len() >= SHORTEST) {
        if by_length.len() <= word.len() {
            by_length.resize(word.len() + 1, Vec::new());
        }
        by_length[word.len()].push(word.clone());
    }
    // What is quoted from AWS is never misspelt.
    let words = own.into_iter().chain(aws_error::words().flat_map(tokens)).collect();
    Vocabulary { words, by_length }
});

fn tokens(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

/// True for a word that stays, in whatever case.
pub(super) fn holds(word: &str) -> bool {
    VOCABULARY.words.contains(&word.to_ascii_lowercase())
}

/// True for a word that stays, and for one that may be meant as such: what is a typing error must be one afterwards.
pub(super) fn is_near(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    if VOCABULARY.words.contains(&word) {
        return true;
    }
    // Every condition operator has this form, too.
    let word = word.strip_suffix("ifexists").unwrap_or(&word);
    let slips = match word.len() {
        0..SHORTEST => return false,
        SHORTEST..7 => 1,
        _ => 2,
    };
    let lengths = word.len().saturating_sub(slips)..=word.len() + slips;
    let mut near = lengths.filter_map(|length| VOCABULARY.by_length.get(length)).flatten();
    near.any(|known| strsim::osa_distance(known, word) <= slips)
}

/// The length of a region's name, or a zone's, at the beginning of a text.
pub(super) fn region(text: &str) -> Option<usize> {
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    REGIONS.iter().find_map(|region| {
        let rest = text.strip_prefix(region)?;
        let zone = rest.strip_prefix(|c: char| c.is_ascii_lowercase());
        if is_end(rest) {
            Some(region.len())
        } else {
            zone.filter(|rest| is_end(rest)).map(|_| region.len() + 1)
        }
    })
}
