//! What a request turns out to be once all of it is there. A body may take long to come: who sends it must still be believed
//! then, and what it is decided by is what is in force then.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use consentry_identity::Claims;
use consentry_model::{Moment, Reason};
use consentry_policy::{PurposeRule, Reference};
use http_body_util::BodyExt;

use crate::describe::{Access, FoundRoute, Known, find_route};
use crate::exchange::Open;
use crate::head::Head;
use crate::layer::Shared;
use crate::limits::Limits;
use crate::query;
use crate::request::{self, Brought};
use crate::service::BoxError;
use crate::slot::Installed;

/// What the head alone tells of a request.
enum ByHead {
    /// All of the description.
    All(Access),
    /// The route; the purpose stands in the body.
    Route(FoundRoute),
}

/// Finds the route of a head, and whether the head has one reading there.
pub(crate) fn routed(installed: &Installed, head: &Head) -> Result<FoundRoute, Reason> {
    let found = find_route(installed, head)?;
    // With a slash at its end a path is another one, or the same: where no route has it nobody knows.
    if found.is_none() && head.ends_in_slash() {
        return Err(Reason::HeadMalformed);
    }
    let routes = &installed.engine.bundle().service.routes;
    let route = found.as_ref().and_then(|(at, _)| routes.get(*at));
    if query::have_one_reading(route, &head.query) { Ok(found) } else { Err(Reason::HeadMalformed) }
}

/// Finds out what is asked. The body is waited for once the head alone refuses nothing any more; where another bundle has
/// come into force meanwhile, all is found out anew by that one.
pub(crate) async fn describe<B>(
    open: &mut Open,
    found: FoundRoute,
    head: &Head,
    claims: Option<Arc<Claims>>,
    body: B,
    now: Moment,
) -> Result<(Access, Brought), Reason>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    let mut by_head = open.by_head(found, head, claims.as_ref(), now)?;
    let bytes = collect(&open.shared.limits, body).await?;
    let now = open.shared.clock.now();
    open.believes(claims.as_deref(), now)?;
    let current = open.shared.policy.serving(now, open.shared.limits.bundle_age_secs_max)?;
    if !Arc::ptr_eq(&current, &open.installed) {
        let known = Known { ticket: open.known.ticket, ..Known::default() };
        (open.installed, open.known) = (current, known);
        by_head = open.by_head(routed(&open.installed, head)?, head, claims.as_ref(), now)?;
    }
    match by_head {
        ByHead::All(access) => {
            let brought = request::read(&open.shared, access.route()?, head, bytes)?;
            Ok((access, brought))
        }
        ByHead::Route(found) => {
            let installed = Arc::clone(&open.installed);
            let routes = &installed.engine.bundle().service.routes;
            let route = found.as_ref().and_then(|(at, _)| routes.get(*at)).ok_or(Reason::RouteUnknown)?;
            let brought = request::read(&open.shared, route, head, bytes)?;
            let known = &mut open.known;
            let access = Access::describe(&installed, found, head, claims, Some(&brought), now, known)?;
            open.shared.reaches(&access).then_some((access, brought)).ok_or(Reason::RecipientUnknown)
        }
    }
}

/// Every byte of a body, within its bounds. Of one that comes byte by byte no more is held than of any other.
async fn collect<B>(limits: &Limits, body: B) -> Result<Bytes, Reason>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut body = Box::pin(body);
    let whole = async {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            // Trailers go nowhere.
            let Ok(bytes) = frame.map_err(|_| Reason::BodyMalformed)?.into_data() else { continue };
            if whole.len().saturating_add(bytes.len()) > limits.request_body_bytes_max {
                return Err(Reason::BodyTooLarge);
            }
            if whole.is_empty() && body.is_end_stream() {
                return Ok(bytes);
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(whole.freeze())
    };
    let wait = Duration::from_millis(limits.request_body_wait_ms_max);
    tokio::time::timeout(wait, whole).await.map_err(|_| Reason::BodyTimeout)?
}

impl Shared {
    /// Whether whoever asks is believed at this time: the proof has not ended, and the key is there by which it held.
    pub(crate) fn believes(&self, claims: Option<&Claims>, now: Moment) -> Result<(), Reason> {
        let Some(claims) = claims else { return Ok(()) };
        if now >= claims.expires {
            return Err(Reason::TokenExpired);
        }
        let believed = self.authenticator.current().still_believes(claims, now);
        believed.map_err(|error| error.reason())
    }
}

impl Open {
    /// The same.
    pub(crate) fn believes(&self, claims: Option<&Claims>, now: Moment) -> Result<(), Reason> {
        self.shared.believes(claims, now)
    }

    /// Decides at the time that it is now, as long as whoever asks is still believed.
    pub(crate) fn pass_time(&self, access: &mut Access) -> Result<(), Reason> {
        let now = self.shared.clock.now();
        self.believes(access.claims.as_deref(), now)?;
        access.pass_time(now)
    }

    /// Describes a request by its head, or says why it cannot be.
    fn by_head(
        &mut self,
        found: FoundRoute,
        head: &Head,
        claims: Option<&Arc<Claims>>,
        now: Moment,
    ) -> Result<ByHead, Reason> {
        let installed = Arc::clone(&self.installed);
        let route = found.as_ref().and_then(|(at, _)| installed.engine.bundle().service.routes.get(*at));
        let reported = route.is_some_and(|r| self.shared.report_only.covers(&r.id));
        self.known.spared = reported.then(Arc::default);
        route.map_or(Ok(()), |route| head.check(route))?;
        let by_body = |rule: &PurposeRule| matches!(rule, PurposeRule::By { at: Reference::Body(_), .. });
        if let Some(route) = route.filter(|route| by_body(&route.purpose)) {
            self.known.route = Some(Arc::clone(&route.id));
            self.known.requester = claims.map(|c| c.requester.clone());
            self.known.proof = claims.map(|c| c.proof);
            return Ok(ByHead::Route(found));
        }
        let claims = claims.cloned();
        let access = Access::describe(&installed, found, head, claims, None, now, &mut self.known)?;
        if self.shared.reaches(&access) { Ok(ByHead::All(access)) } else { Err(Reason::RecipientUnknown) }
    }
}
