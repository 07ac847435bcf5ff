//! CloudTrail: denied attempts to assume the role.

use aws_config::Region;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};

use super::session::{NoAnswer, Session, fact};
use irsa::documents::trail::refusal;
use irsa::facts::aws::TrailEvent;
use irsa::facts::{Fact, Listing, Sourced, Unknown, Why};

/// Pages of 50 events that are read: CloudTrail allows two calls a second.
const PAGES: usize = 4;
const ACTION: &str = "cloudtrail:LookupEvents";

impl Session {
    /// Refused `AssumeRoleWithWebIdentity` calls of a region, newest first, of the service account or for the role. Events
    /// appear some minutes after the call; refusals before the trust policy (provider, keys) do not appear at all.
    pub async fn refusals(&self, region: &str, role_arn: &str, subject: &str) -> Fact<Listing<TrailEvent>> {
        let what = format!("denied calls in CloudTrail, {region}");
        let config = aws_sdk_cloudtrail::config::Builder::from(&self.sdk)
            .region(Region::new(region.to_owned()))
            .interceptor(super::own::ItsOwn)
            .build();
        let client = aws_sdk_cloudtrail::Client::from_conf(config);
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventName)
            .attribute_value("AssumeRoleWithWebIdentity")
            .build();
        let Ok(attribute) = attribute else {
            return fact(Err(NoAnswer::Unknown(super::session::incomplete())), what, ACTION, "");
        };
        let call = async {
            let mut pages =
                client.lookup_events().lookup_attributes(attribute).max_results(50).into_paginator().send();
            let (mut events, mut more) = (Vec::new(), true);
            for _ in 0..PAGES {
                let Some(page) = pages.next().await else {
                    more = false;
                    break;
                };
                events.extend(page?.events.unwrap_or_default());
            }
            Ok((events, more))
        };
        let listing = self.ask(ACTION, call).await.map(|(events, more)| {
            let items = events.into_iter().filter_map(|event| {
                let at = event.event_time.as_ref().and_then(super::timestamp);
                let source = super::source(ACTION, event.event_id.unwrap_or_default());
                let mut value = refusal(&event.cloud_trail_event?)?;
                value.at = at.or(value.at);
                value.is_about(Some(role_arn), subject).then_some(Sourced { value, source })
            });
            let cut = more.then(|| Unknown {
                what: format!("older events of {region}"),
                why: Why::Incomplete(format!("only the newest {} were read", PAGES * 50)),
                grant: None,
            });
            Listing { items: items.collect(), cut }
        });
        fact(listing, what, ACTION, "")
    }
}
