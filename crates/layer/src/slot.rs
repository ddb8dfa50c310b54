//! What is in force, swapped whole.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use consentry_identity::Authenticator;
use consentry_model::{Moment, Reason, VocabularyRevision};
use consentry_policy::{DataClass, Engine, ServiceMap};

use crate::precedent::Precedents;
use crate::vary::Varies;

/// A bundle in force.
pub struct Installed {
    /// The compiled bundle.
    pub engine: Engine,
    /// Since when it is in force.
    pub installed_at: Moment,
    /// The vocabulary it was compiled against.
    pub vocabulary: VocabularyRevision,
    confirmed_at: AtomicI64,
    pub(crate) precedents: Precedents,
    pub(crate) varies: Varies,
    /// What each data class is called, by its number, whichever bundle numbers it.
    pub(crate) class_names: Arc<[Box<str>]>,
}

impl Installed {
    /// When the bundle was last found sealed.
    #[must_use]
    pub fn confirmed_at(&self) -> Moment {
        Moment::from_unix_millis(self.confirmed_at.load(Ordering::Relaxed))
    }

    /// Whether it may be served by: the last look at it is not too long ago, and its policy has come into force. A look that
    /// lies as far ahead, from where the clock was set back, says as little of now.
    pub(crate) fn may_serve(&self, now: Moment, age_secs_max: u64) -> Result<(), Reason> {
        let age_ms_max = i64::try_from(age_secs_max).unwrap_or(i64::MAX).saturating_mul(1000);
        if now.millis_since(self.confirmed_at()).saturating_abs() > age_ms_max {
            return Err(Reason::BundleUnavailable);
        }
        if self.engine.bundle().from.is_some_and(|from| now < from) {
            return Err(Reason::PolicyAhead);
        }
        Ok(())
    }
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installed").field("bundle", &self.engine.bundle().digest).finish_non_exhaustive()
    }
}

/// The category of each class, and whose data it is.
fn class_names(service: &ServiceMap) -> Arc<[Box<str>]> {
    let name = |class: &DataClass| format!("{} of {}", class.category.as_str(), class.subject_type.as_str());
    service.classes.iter().map(|class| name(class).into()).collect()
}

/// Holds the bundle in force. A request is decided by the one that is in force when its body is there, and keeps it.
#[derive(Clone, Debug, Default)]
pub struct PolicySlot {
    slot: Arc<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    installed: ArcSwapOption<Installed>,
    /// What was in force before and may still be used by a request. Kept here, so that no request is ever the last one
    /// to have it, and pays for taking it apart.
    former: Mutex<Vec<Arc<Installed>>>,
}

impl PolicySlot {
    /// A slot without a bundle: everything is refused.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Puts a bundle in force, and takes apart what no request uses any more. That takes milliseconds: call it where
    /// one may wait, not where requests are served.
    pub fn install(&self, engine: Engine, at: Moment) -> Arc<Installed> {
        let vocabulary = engine.bundle().vocabulary.revision();
        let confirmed_at = AtomicI64::new(at.unix_millis());
        let class_names = class_names(&engine.bundle().service);
        let installed = Arc::new(Installed {
            engine,
            installed_at: at,
            vocabulary,
            confirmed_at,
            precedents: Precedents::default(),
            varies: Varies::default(),
            class_names,
        });
        let before = self.slot.installed.swap(Some(Arc::clone(&installed)));
        self.take_apart(before);
        installed
    }

    /// States that the bundle in force was found sealed and unchanged at this moment; its age counts from here, also where
    /// the clock was set back meanwhile: an age that counts from a time to come has no end. What no request uses any more
    /// is taken apart, as by [`install`](Self::install).
    pub fn confirm(&self, at: Moment) {
        if let Some(installed) = self.slot.installed.load_full() {
            installed.confirmed_at.store(at.unix_millis(), Ordering::Relaxed);
        }
        self.take_apart(None);
    }

    /// The bundle in force.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Installed>> {
        self.slot.installed.load_full()
    }

    /// The bundle in force, if it may be served by.
    pub(crate) fn serving(&self, now: Moment, age_secs_max: u64) -> Result<Arc<Installed>, Reason> {
        let installed = self.current().ok_or(Reason::BundleUnavailable)?;
        installed.may_serve(now, age_secs_max)?;
        Ok(installed)
    }

    /// Lets go of every former bundle that nobody else has: whoever might still get it would get it from the slot.
    fn take_apart(&self, more: Option<Arc<Installed>>) {
        let unused: Vec<_> = {
            let mut former = self.slot.former.lock().unwrap_or_else(PoisonError::into_inner);
            former.extend(more);
            former.extract_if(.., |installed| Arc::strong_count(installed) == 1).collect()
        };
        drop(unused);
    }
}

/// Fetches the token issuer's keys when a token names one that is not there.
pub trait NewerKeys: Send + Sync {
    /// Looks for newer keys, or waits for a look that is under way; whether an authenticator was installed or confirmed
    /// meanwhile. Whoever implements it bounds how often it looks and how long it takes: strangers can ask.
    fn look(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
}

/// Holds the authenticator in force, so that keys can change without a restart.
#[derive(Clone)]
pub struct AuthenticatorSlot {
    current: Arc<ArcSwap<Authenticator>>,
    newer: Option<Arc<dyn NewerKeys>>,
}

impl AuthenticatorSlot {
    /// Has newer keys looked for when a token names a key that is not there.
    #[must_use]
    pub fn with_newer_keys(mut self, newer: Arc<dyn NewerKeys>) -> Self {
        self.newer = Some(newer);
        self
    }

    /// Looks for newer keys; whether it is worth asking the authenticator again.
    pub(crate) async fn look_for_newer(&self) -> bool {
        match &self.newer {
            Some(newer) => newer.look().await,
            None => false,
        }
    }

    /// Puts an authenticator in force; tokens that only the former one knew are refused from now on.
    pub fn install(&self, authenticator: Authenticator) {
        self.current.store(Arc::new(authenticator));
    }

    /// The authenticator in force.
    #[must_use]
    pub fn current(&self) -> Arc<Authenticator> {
        self.current.load_full()
    }
}

impl From<Authenticator> for AuthenticatorSlot {
    fn from(authenticator: Authenticator) -> Self {
        Self::from(Arc::new(authenticator))
    }
}

impl From<Arc<Authenticator>> for AuthenticatorSlot {
    fn from(authenticator: Arc<Authenticator>) -> Self {
        Self { current: Arc::new(ArcSwap::new(authenticator)), newer: None }
    }
}

impl fmt::Debug for AuthenticatorSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthenticatorSlot")
    }
}

#[cfg(test)]
mod tests {
    use consentry_policy::{Bundle, Sources};

    use super::*;

    fn engine(version: &str) -> Engine {
        let text =
            format!("bundle: {{controller: Example, policy: {{version: {version}, from: 2026-01-01}}}}\n");
        Engine::new(Bundle::read(&Sources::from_texts([("bundle.yaml", text.as_str())])).unwrap()).unwrap()
    }

    /// Since when the policy of these bundles is in force: 2026-01-01.
    const FROM: Moment = Moment::from_unix_millis(1_767_225_600_000);

    #[test]
    fn law_1_a_bundle_serves_once_its_policy_is_in_force() {
        let slot = PolicySlot::empty();
        assert_eq!(slot.serving(FROM, 60).map(drop), Err(Reason::BundleUnavailable));
        for (millis, said) in [(-1, Err(Reason::PolicyAhead)), (0, Ok(()))] {
            let now = FROM.saturating_add_millis(millis);
            slot.install(engine("v1"), now);
            assert_eq!(slot.serving(now, 60).map(drop), said);
        }
    }

    #[test]
    fn law_1_a_bundle_grows_old_after_a_clock_was_wrong_too() {
        let at = |secs: i64| FROM.saturating_add_millis(secs * 1_000);
        for (name, confirmed, asked, fresh) in [
            ("all is well", &[100][..], 160, true),
            ("too old", &[100], 161, false),
            ("confirmed anew", &[100, 150], 210, true),
            ("a clock that was ahead", &[1_000_000, 100], 160, true),
            ("a clock that was ahead, and too old", &[1_000_000, 100], 161, false),
            ("a clock that is a little behind", &[100], 40, true),
            ("a clock that was ahead, and no look since", &[100], 39, false),
            ("a clock that was far ahead, and no look since", &[1_000_000], 160, false),
        ] {
            let slot = PolicySlot::empty();
            slot.install(engine("v1"), at(0));
            for secs in confirmed {
                slot.confirm(at(*secs));
            }
            let said = slot.serving(at(asked), 60).map(drop);
            assert_eq!(said, if fresh { Ok(()) } else { Err(Reason::BundleUnavailable) }, "{name}");
        }
    }

    #[test]
    fn a_class_is_called_the_same_whichever_bundle_numbers_it() {
        let names = |before: &str| {
            let text = format!(
                "bundle: {{controller: Example, policy: {{version: v1, from: 2026-01-01}}}}\nroutes:\n{before}  - {{route: GET /mail, \
                 public: true, purpose: essential.service, about: {{type: visitor, anonymous: true}}, response: {{body: {{email: user.contact.email}}}}}}\n"
            );
            let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", text.as_str())]));
            let bundle = bundle.unwrap_or_else(|found| panic!("{}", found.render(false)));
            let slot = PolicySlot::empty();
            slot.install(Engine::new(bundle).unwrap(), Moment::BEGINNING).class_names.to_vec()
        };
        let before = "  - {route: GET /name, public: true, purpose: essential.service, about: {type: visitor, anonymous: true}, response: {body: {name: user.name}}}\n";
        assert_eq!(names(""), ["user.contact.email of visitor".into()]);
        assert_eq!(names(before), ["user.name of visitor".into(), "user.contact.email of visitor".into()]);
    }

    #[test]
    fn no_request_is_the_last_one_to_have_a_bundle_and_none_keeps_it_for_ever() {
        let (slot, at) = (PolicySlot::empty(), Moment::from_unix_millis(0));
        let first = Arc::downgrade(&slot.install(engine("v1"), at));
        let (one, other) = (slot.current(), slot.current());
        let second = Arc::downgrade(&slot.install(engine("v2"), at));
        drop(one);
        slot.confirm(at);
        assert!(first.upgrade().is_some(), "a request still has it");
        drop(other);
        assert!(first.upgrade().is_some(), "the request that ended last took it apart");
        slot.confirm(at);
        assert!(first.upgrade().is_none() && second.upgrade().is_some());
        slot.install(engine("v3"), at);
        assert!(second.upgrade().is_none(), "nobody had it when the next one came");
    }
}
