//! The `bundle` section: whose policy it is, since when, and what holds for all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{Category, FactValue, Moment};
use jiff::tz::TimeZone;

use super::facts::Switches;
use super::parties::read_country;
use super::regimes::ids;
use super::routes::{clauses, read_excess};
use super::service::Excess;
use super::vocabulary::Vocabulary;
use crate::text::{Kind, Node, Object, Reader, Span};

/// Whom to ask about the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// A URI, as it appears in problem bodies.
    pub url: String,
    /// The clauses that promise it.
    pub clauses: Vec<Arc<str>>,
}

/// What a value of a request looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detector {
    /// The number of a payment card (ISO/IEC 7812, with its check digit).
    Pan,
    /// An e-mail address.
    Email,
    /// A telephone number in international form (E.164).
    Phone,
}

impl Detector {
    /// Every detector.
    pub const ALL: [Self; 3] = [Self::Pan, Self::Email, Self::Phone];

    /// The word in bundles.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pan => "pan",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// What outbound messages are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailSettings {
    /// The domains that are the controller's own, in lower case.
    pub domains: Vec<String>,
    /// The postal address that messages carry.
    pub postal_address: Option<String>,
    /// Any of these marks a message as advertising.
    pub markers: Vec<String>,
}

/// What holds for a whole bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The hosts that the policy speaks of, in lower case; empty for any.
    pub hosts: Vec<String>,
    /// The only bases that a permission may rest on, as their words; empty for any.
    pub(crate) bases: Vec<String>,
    /// The versions of the policy, with the date each came into force, in order.
    pub versions: Vec<(String, Moment)>,
    /// The calendar of dates and periods.
    pub zone: TimeZone,
    /// What values of requests are looked for, and what they are when found.
    pub detect: Vec<(Detector, Category)>,
    /// Names of members that never go as no personal data.
    pub(crate) identifying: Vec<String>,
    /// What outbound messages are compared with.
    pub mail: MailSettings,
    /// Whether other content under the same version is refused.
    pub locked: bool,
    /// The clauses that the settings rest on, each with the setting.
    pub clauses: Vec<(&'static str, Arc<str>)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            bases: Vec::new(),
            versions: Vec::new(),
            zone: TimeZone::UTC,
            detect: Vec::new(),
            identifying: Vec::new(),
            mail: MailSettings::default(),
            locked: false,
            clauses: Vec::new(),
        }
    }
}

/// Everything that the section says.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) controller: String,
    pub(crate) version: String,
    pub(crate) from: Option<Moment>,
    pub(crate) contact: Option<Contact>,
    pub(crate) excess: Excess,
    pub(crate) home: Option<&'static str>,
    pub(crate) regimes: Vec<(Arc<str>, Span)>,
    pub(crate) switches: Switches,
    pub(crate) settings: Settings,
    /// What data facts are where no route says it, read when the facts are known.
    pub(crate) defaults: Option<Node>,
}

const KEYS: [&str; 15] = [
    "controller",
    "policy",
    "contact",
    "hosts",
    "home",
    "regimes",
    "bases",
    "versions",
    "time_zone",
    "excess",
    "defaults",
    "detect",
    "identifying",
    "mail",
    "config",
];

/// Reads the section. The time zone is read first: every date of the bundle is in it.
pub(crate) fn read_head(node: &Node, vocabulary: &Vocabulary, reader: &mut Reader) -> Head {
    let mut head = Head::default();
    let Some(section) = reader.object(node, &KEYS, "bundle") else { return head };
    if let Some(zone) = section.get("time_zone").and_then(|n| read_zone(n, reader)) {
        reader.zone = zone.clone();
        head.settings.zone = zone;
    }
    if let Some(name) = reader.need(&section, "controller", "bundle").and_then(|n| reader.word(n)) {
        name.clone_into(&mut head.controller);
    }
    read_policy(&section, &mut head, reader);
    head.contact = section.get("contact").and_then(|n| read_contact(n, reader));
    head.excess = section.get("excess").and_then(|n| read_excess(n, reader)).unwrap_or_default();
    head.home = section.get("home").and_then(|n| read_country(n, reader));
    for (word, span) in section.get("regimes").map(|n| reader.words(n)).unwrap_or_default() {
        if ids().any(|id| id == word) {
            head.regimes.push((word.into(), span));
        } else {
            reader.unknown("unknown-regime", span, "regime", word, ids());
        }
    }
    head.defaults = section.get("defaults").cloned();
    let found = Found { section: &section, vocabulary };
    found.hosts(&mut head.settings, reader);
    found.bases(&mut head.settings, reader);
    found.versions(&mut head, reader);
    found.detect(&mut head.settings, reader);
    found.identifying(&mut head.settings, reader);
    found.mail(&mut head.settings, reader);
    head.switches = found.switches(reader);
    head
}

fn read_zone(node: &Node, reader: &mut Reader) -> Option<TimeZone> {
    let name = reader.word(node)?;
    let zone = TimeZone::get(name).ok();
    if zone.is_none() {
        let message = format!("`{name}` is not a time zone such as Europe/Vienna");
        reader.error("unknown-time-zone", node.span, message);
    }
    zone
}

fn read_policy(section: &Object<'_>, head: &mut Head, reader: &mut Reader) {
    let keys = ["version", "from", "locked", "clauses"];
    let policy = reader.need(section, "policy", "bundle").and_then(|n| reader.object(n, &keys, "policy"));
    let Some(policy) = policy else { return };
    if let Some(version) = reader.need(&policy, "version", "policy").and_then(|n| reader.word(n)) {
        version.clone_into(&mut head.version);
    }
    head.from = reader.need(&policy, "from", "policy").and_then(|n| reader.date(n));
    head.settings.locked = policy.get("locked").and_then(|n| reader.boolean(n)) == Some(true);
    cite("policy", &policy, &mut head.settings, reader);
}

fn read_contact(node: &Node, reader: &mut Reader) -> Option<Contact> {
    let contact = reader.object(node, &["url", "clauses"], "contact")?;
    let url = reader.need(&contact, "url", "contact").and_then(|n| reader.word(n))?.to_owned();
    Some(Contact { url, clauses: clauses(&contact, reader) })
}

fn cite(setting: &'static str, object: &Object<'_>, settings: &mut Settings, reader: &mut Reader) {
    settings.clauses.extend(clauses(object, reader).into_iter().map(|clause| (setting, clause)));
}

struct Found<'a> {
    section: &'a Object<'a>,
    vocabulary: &'a Vocabulary,
}

impl Found<'_> {
    /// A list, or a mapping with a list under `key` and the clauses it rests on.
    fn listed(
        &self,
        setting: &'static str,
        key: &str,
        settings: &mut Settings,
        reader: &mut Reader,
    ) -> Vec<(String, Span)> {
        let Some(node) = self.section.get(setting) else { return Vec::new() };
        let list = if matches!(node.kind, Kind::Map(_)) {
            let Some(object) = reader.object(node, &[key, "clauses"], setting) else { return Vec::new() };
            cite(setting, &object, settings, reader);
            reader.need(&object, key, setting).map(|n| reader.words(n)).unwrap_or_default()
        } else {
            reader.words(node)
        };
        if list.is_empty() {
            reader.error("empty-list", node.span, format!("`{setting}` names nothing; leave it out"));
        }
        list.into_iter().map(|(word, span)| (word.to_owned(), span)).collect()
    }

    fn hosts(&self, settings: &mut Settings, reader: &mut Reader) {
        for (host, span) in self.listed("hosts", "only", settings, reader) {
            let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
            if host.is_empty() || !plain {
                reader.error("not-a-host", span, format!("`{host}` is not a host's name"));
            }
            settings.hosts.push(host.to_ascii_lowercase());
        }
    }

    fn bases(&self, settings: &mut Settings, reader: &mut Reader) {
        const BASES: [&str; 8] = [
            "consent",
            "contract",
            "legal_obligation",
            "legitimate_interests",
            "vital_interests",
            "public_interest",
            "notice",
            "aggregate",
        ];
        for (word, span) in self.listed("bases", "only", settings, reader) {
            if BASES.contains(&word.as_str()) {
                settings.bases.push(word);
            } else {
                reader.unknown("unknown-word", span, "basis", &word, BASES);
            }
        }
    }

    fn versions(&self, head: &mut Head, reader: &mut Reader) {
        let versions = &mut head.settings.versions;
        for item in self.section.get("versions").map(|n| reader.sequence(n)).unwrap_or_default() {
            let Some(entry) = reader.object(item, &["id", "from"], "a version") else { continue };
            let id = reader.need(&entry, "id", "a version").and_then(|n| reader.word(n)).map(str::to_owned);
            let from = reader.need(&entry, "from", "a version").and_then(|n| reader.date(n));
            let (Some(id), Some(from)) = (id, from) else { continue };
            if versions.last().is_some_and(|(_, before)| *before >= from)
                || versions.iter().any(|v| v.0 == id)
            {
                let message = format!("version `{id}` does not come after the one before it");
                reader.error("versions-out-of-order", item.span, message);
            }
            versions.push((id, from));
        }
        let known: BTreeMap<&str, ()> = versions.iter().map(|(id, _)| (id.as_str(), ())).collect();
        for (key, version) in self.vocabulary.versions() {
            if !known.contains_key(version) {
                let message =
                    format!("`{key}` came with version `{version}`, which `bundle.versions` does not list");
                reader.error_somewhere("unknown-version", message);
            }
        }
    }

    fn detect(&self, settings: &mut Settings, reader: &mut Reader) {
        let Some(section) = self.section.get("detect").and_then(|n| reader.mapping(n)) else { return };
        for (key, span, value) in section.entries() {
            if key == "clauses" {
                cite("detect", &section, settings, reader);
                continue;
            }
            let Some(detector) = Detector::ALL.into_iter().find(|d| d.code() == key) else {
                reader.unknown("unknown-key", *span, "detector", key, Detector::ALL.map(Detector::code));
                continue;
            };
            let category = reader.word(value).and_then(|w| self.vocabulary.category(w, value.span, reader));
            settings.detect.extend(category.map(|category| (detector, category)));
        }
    }

    fn identifying(&self, settings: &mut Settings, reader: &mut Reader) {
        let fields = self.listed("identifying", "fields", settings, reader);
        settings.identifying = fields.into_iter().map(|(word, _)| word.to_ascii_lowercase()).collect();
    }

    fn mail(&self, settings: &mut Settings, reader: &mut Reader) {
        let keys = ["domains", "postal_address", "markers", "clauses"];
        let Some(mail) = self.section.get("mail").and_then(|n| reader.object(n, &keys, "mail")) else {
            return;
        };
        cite("mail", &mail, settings, reader);
        let words = |key: &str, reader: &mut Reader| -> Vec<String> {
            let read = mail.get(key).map(|n| reader.words(n)).unwrap_or_default();
            read.into_iter().map(|(w, _)| w.to_ascii_lowercase()).filter(|w| !w.trim().is_empty()).collect()
        };
        settings.mail.domains = words("domains", reader);
        settings.mail.markers = words("markers", reader);
        let address = mail.get("postal_address").and_then(|n| reader.word(n));
        settings.mail.postal_address = address.map(str::to_owned).filter(|a| !a.trim().is_empty());
    }

    fn switches(&self, reader: &mut Reader) -> Switches {
        let mut out = Switches::new();
        let Some(section) = self.section.get("config").and_then(|n| reader.mapping(n)) else { return out };
        for (name, _, value) in section.entries() {
            if let Some(on) = reader.boolean(value) {
                out.insert(name.clone(), FactValue::Bool(on));
            }
        }
        out
    }
}
