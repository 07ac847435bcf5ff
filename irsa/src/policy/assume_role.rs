//! `sts:AssumeRole`, and the `sts:TagSession` that goes with it, as a trust policy sees them.

use super::keys::Call;
use super::request::{Context, Principal, Request, Value};

/// A session that is opened with tags, in plain strings.
#[derive(Debug, Clone)]
pub struct AssumeRole<'a> {
    /// Who opens it.
    pub principal: Principal,
    /// Its tags, all of them transitive; `None` for a value that is not known.
    pub tags: Vec<(&'a str, Option<String>)>,
    /// `sts:ExternalId`.
    pub external_id: Option<&'a str>,
    /// On behalf of which resource a service opens it: `aws:SourceArn`; its account is `aws:SourceAccount`.
    pub source_arn: Option<&'a str>,
}

impl AssumeRole<'_> {
    /// The request for one of its actions: what AWS documents of such a call, and what is set here.
    pub fn request(&self, action: &str) -> Request {
        let of_service = matches!(self.principal, Principal::Service(_));
        let mut context = Context::of(if of_service { Call::Service } else { Call::RoleSession });
        let one = |text: &str| Value::Present(vec![text.to_owned()]);
        for (tag, value) in &self.tags {
            let value = || match value {
                Some(value) => one(value),
                None => Value::Unknown("the tag's value is not known".to_owned()),
            };
            context.set(format!("aws:RequestTag/{tag}"), value());
            if !of_service {
                context.set(format!("aws:PrincipalTag/{tag}"), value());
            }
        }
        // These are all of its tags.
        context.set_absent("aws:RequestTag/*");
        let names: Vec<String> = self.tags.iter().map(|(tag, _)| (*tag).to_owned()).collect();
        context.set("aws:TagKeys", Value::Present(names.clone()));
        context.set("sts:TransitiveTagKeys", Value::Present(names));
        context.set("sts:ExternalId", self.external_id.map_or(Value::Absent, one));
        match &self.principal {
            Principal::Aws { arn, role_arn } => {
                context.set("aws:PrincipalArn", one(role_arn.as_ref().unwrap_or(arn)));
                context.set("aws:PrincipalAccount", one(arn.split(':').nth(4).unwrap_or_default()));
            }
            Principal::Service(name) => {
                context.set("aws:PrincipalServiceName", one(name));
                if let Some(arn) = self.source_arn {
                    context.set("aws:SourceArn", one(arn));
                    context.set("aws:SourceAccount", one(arn.split(':').nth(4).unwrap_or_default()));
                }
            }
            Principal::WebIdentity { .. } | Principal::Holder => {}
        }
        Request { principal: self.principal.clone(), action: action.to_owned(), resource: None, context }
    }
}
