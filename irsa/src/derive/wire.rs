//! What a failed connection to STS is about. The name that was called tells most of it: a name that does not exist can fail in
//! any words, and a name that the pod's settings do not ask for is the SDK's own choice.

use jiff::SignedDuration;

use super::app_errors::AppError;
use super::container::ContainerKind;
use super::sts::{Region, annotated_global, asks_for_global, endpoint_override};
use super::{Derived, annotation_path};
use crate::aws::endpoint::{StsName, is_published};
use crate::aws::partition::is_region_shaped;
use crate::aws_error::Kind;
use crate::facts::Source;
use crate::facts::kubernetes::ContainerStatus;

/// What a failed connection to STS is about.
#[derive(Debug, Clone)]
pub(crate) enum Wire<'h> {
    /// The name has something in the place of the Region that is none.
    NoRegion(&'h str),
    /// STS has no FIPS endpoint of this name.
    NoFips,
    /// The global endpoint or that of us-east-1, where the pod's settings ask for that of this Region.
    OtherRegion(String),
    /// The proxy of a service mesh, which was not up yet, or is not there.
    Mesh(Option<Sidecar>),
    /// The way to the endpoint that the pod should call.
    Way,
}

/// The container of a service mesh that carries the pod's connections.
#[derive(Debug, Clone)]
pub(crate) struct Sidecar {
    /// Whose it is.
    pub mesh: Mesh,
    /// By what it was recognised: `container istio-proxy`.
    pub sign: String,
    /// Its name in the pod, where that shows it.
    pub container: Option<String>,
    /// Where it was read.
    pub source: Source,
    /// True if it starts before the regular containers.
    pub native: bool,
}

/// Service meshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mesh {
    /// Istio.
    Istio,
    /// Linkerd.
    Linkerd,
    /// Another one, with Envoy or a proxy of its own.
    Other,
}

/// How long after its start a pod's proxy may still not be up.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

impl<'h> Wire<'h> {
    /// Judges an application's error at a host of STS.
    pub(crate) fn of(derived: &Derived<'_>, said: &AppError<'_>, host: &'h str) -> Self {
        let kind = said.error.kind;
        if let Some(wire) = Self::of_name(derived, host, kind == Kind::NoSuchHost) {
            return wire;
        }
        match kind {
            Kind::RefusedInPod => Self::Mesh(sidecar(derived)),
            Kind::ConnectionRefused | Kind::ConnectFailed => sidecar(derived)
                .filter(|sidecar| is_early(derived, said, sidecar))
                .map_or(Self::Way, |sidecar| Self::Mesh(Some(sidecar))),
            _ => Self::Way,
        }
    }

    /// What the name alone tells; `absent`: it was looked up, and does not exist.
    pub(crate) fn of_name(derived: &Derived<'_>, host: &'h str, absent: bool) -> Option<Self> {
        let name = StsName::parse(host)?;
        if let Some(own) = chosen_otherwise(derived, name) {
            return Some(Self::OtherRegion(own));
        }
        let region = name.region?;
        let elsewhere = || derived.node_region().is_some_and(|(of_node, _)| of_node != region);
        if !is_region(region) && (absent || !may_be_newer_than_this_tool(region)) {
            return Some(Self::NoRegion(region));
        }
        if !is_published(host) {
            return Some(Self::NoFips);
        }
        (absent && elsewhere()).then_some(Self::NoRegion(region))
    }
}

/// The Region that the target's settings name, if the SDK called the global endpoint or us-east-1 nevertheless.
fn chosen_otherwise(derived: &Derived<'_>, name: StsName<'_>) -> Option<String> {
    let view = derived.target().filter(|view| endpoint_override(&view.env).is_none())?;
    let Region::Known(own) = Region::of(derived, view) else { return None };
    let asked = match name.region {
        None => asks_for_global(&view.env, Region::Known(own)) || annotated_global(derived).is_some(),
        Some(region) => region != "us-east-1",
    };
    (!name.fips && !asked && own != "us-east-1" && is_region_shaped(own)).then(|| own.to_owned())
}

/// A Region, or one of the pseudo Regions that SDKs know.
pub(crate) fn is_region(text: &str) -> bool {
    let plain = text.strip_prefix("fips-").or_else(|| text.strip_suffix("-fips")).unwrap_or(text);
    is_region_shaped(plain) || matches!(text, "aws-global" | "aws-cn-global" | "aws-us-gov-global")
}

/// `xx-north-1`: has the form of a Region, in an area that did not exist when this was written.
pub(crate) fn may_be_newer_than_this_tool(text: &str) -> bool {
    text.split_once('-').is_some_and(|(area, rest)| {
        area.len() == 2
            && area.bytes().all(|byte| byte.is_ascii_lowercase())
            && is_region_shaped(&format!("eu-{rest}"))
    })
}

/// The pod's sidecar, by the names that meshes give it, or the annotation by which they mark the pods that they injected.
pub(crate) fn sidecar(derived: &Derived<'_>) -> Option<Sidecar> {
    const CONTAINERS: [(&str, Mesh); 6] = [
        ("istio-proxy", Mesh::Istio),
        ("linkerd-proxy", Mesh::Linkerd),
        ("envoy", Mesh::Other),
        ("envoy-sidecar", Mesh::Other),
        ("kuma-sidecar", Mesh::Other),
        ("consul-dataplane", Mesh::Other),
    ];
    const ANNOTATIONS: [(&str, Mesh); 4] = [
        ("sidecar.istio.io/status", Mesh::Istio),
        ("linkerd.io/proxy-version", Mesh::Linkerd),
        ("kuma.io/sidecar-injected", Mesh::Other),
        ("consul.hashicorp.com/connect-inject-status", Mesh::Other),
    ];
    let (_, meta, source, _) = derived.spec()?;
    let mut others = derived.containers.iter().filter(|view| view.runs() && !view.is_target);
    let container = others.find_map(|view| {
        let (name, mesh) = CONTAINERS.iter().find(|(name, _)| *name == view.name())?;
        Some(Sidecar {
            mesh: *mesh,
            sign: format!("container {name}"),
            container: Some((*name).to_owned()),
            source: source.at(format!("{}.name", view.path)),
            native: view.kind == ContainerKind::NativeSidecar,
        })
    });
    container.or_else(|| {
        let (key, mesh) = ANNOTATIONS.iter().find(|(key, _)| meta.annotations.contains_key(*key))?;
        let source = source.at(annotation_path(key));
        Some(Sidecar {
            mesh: *mesh,
            sign: format!("annotation {key}"),
            container: None,
            source,
            native: false,
        })
    })
}

/// False for an error from long after the sidecar had started, or where that is not known, the last of the pod's containers.
fn is_early(derived: &Derived<'_>, said: &AppError<'_>, sidecar: &Sidecar) -> bool {
    let logged = derived.facts.app_errors.known().into_iter().flat_map(|listing| &listing.value.items);
    let mut logged = logged.filter(|logged| std::ptr::eq(&raw const logged.value.error, said.error));
    let at = logged.find_map(|logged| logged.value.at);
    let statuses =
        || derived.facts.subject.pod().into_iter().flat_map(|pod| pod.value.status.all_container_statuses());
    let started = |status: &ContainerStatus| status.state.running.as_ref()?.started_at.time();
    let own = statuses().find(|status| sidecar.container.as_deref() == Some(&status.name)).and_then(started);
    let up = own.or_else(|| statuses().filter_map(started).max());
    at.zip(up).is_none_or(|(at, up)| at.duration_since(up) <= SETTLED)
}
