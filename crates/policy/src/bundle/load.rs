//! Reading a whole bundle: every section of every file, every error at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use consentry_model::{BundleDigest, FactId, Moment, RuleId};

use super::cases::{Case, read_cases};
use super::clauses::{Clause, read_clauses};
use super::cookies::read_cookies;
use super::facts::{read_defaults, read_facts};
use super::head::{Contact, Head, Settings, read_head};
use super::parties::{Recipients, Requesters, read_recipients, read_requesters};
use super::regimes::{Regime, Regimes, shipped};
use super::routes::{RouteContext, read_routes};
use super::seal::{LockError, SealedSource};
use super::service::ServiceMap;
use super::vocabulary::Vocabulary;
use crate::engine::check_native;
use crate::rules::{
    BuiltIn, FactBook, Invariant, NativePolicy, Origin, Rule, RuleContext, check, read_invariants,
    read_native, read_rules,
};
use crate::text::{BUNDLE_NODES_MAX, Diagnostics, Kind, Node, Reader, Sources, Span};

/// The rules that every bundle gets: laws 7 and 9, written in the same language.
const CORE: &str = include_str!("../rules/core.yaml");

const SECTIONS: [&str; 11] = [
    "bundle",
    "vocabulary",
    "facts",
    "requesters",
    "recipients",
    "routes",
    "cookies",
    "rules",
    "invariants",
    "clauses",
    "cases",
];

/// Why a bundle could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The folder or a file cannot be read.
    #[error("the bundle cannot be read")]
    Unreadable(#[from] std::io::Error),
    /// It is not sealed, or not as it was sealed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It says something wrong.
    #[error("the bundle has errors")]
    Wrong(Box<Diagnostics>),
}

/// One controller's rules, vocabulary, service map, clauses and cases, checked as a whole.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The controller.
    pub controller: String,
    /// The version of the policy that the bundle enforces.
    pub version: String,
    /// Since when that version is in force.
    pub from: Option<Moment>,
    /// Whom to ask.
    pub contact: Option<Contact>,
    /// The digest that the bundle has, or would have once sealed.
    pub digest: BundleDigest,
    /// The keys that may be used.
    pub vocabulary: Vocabulary,
    /// What holds for the whole bundle.
    pub settings: Settings,
    /// The regimes that may govern.
    pub regimes: Regimes,
    /// The facts that rules may ask.
    pub facts: FactBook,
    /// Who may ask.
    pub requesters: Requesters,
    /// Who may receive.
    pub recipients: Recipients,
    /// Which route carries what.
    pub service: ServiceMap,
    /// The rules: the core's, the regimes', the bundle's own.
    pub rules: Vec<Rule>,
    /// What must hold whatever the rules say.
    pub invariants: Vec<Invariant>,
    /// Native policies beside the rules.
    pub(crate) native: Vec<NativePolicy>,
    /// The clauses, as listed.
    pub clauses: Vec<Clause>,
    /// The cases, as listed.
    pub cases: Vec<Case>,
    /// What should be looked at although the bundle can be loaded.
    pub warnings: Diagnostics,
}

impl Bundle {
    /// Reads and checks a bundle from its sources.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn read(sources: &Sources) -> Result<Self, Box<Diagnostics>> {
        Loader::new(sources).bundle(super::seal::digest(sources), None)
    }

    /// Reads and checks a bundle that would follow this one: a locked policy may not change under one version.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn followed_by(&self, sources: &Sources) -> Result<Self, Box<Diagnostics>> {
        let accepted = Accepted { version: self.version.clone(), digest: self.digest.clone() };
        Loader::new(sources).bundle(super::seal::digest(sources), Some(&accepted))
    }

    /// Reads and checks the bundle in a folder, sealed or not.
    ///
    /// # Errors
    /// When it cannot be read, or says something wrong.
    pub fn load(dir: &Path) -> Result<Self, ReadError> {
        Self::read(&Sources::read(dir)?).map_err(ReadError::Wrong)
    }

    /// Reads and checks the sealed bundle in a folder: the only kind that is ever served.
    ///
    /// # Errors
    /// When it is not sealed, not as sealed, or says something wrong.
    pub fn load_sealed(dir: &Path) -> Result<Self, ReadError> {
        let sealed = SealedSource::read(dir)?;
        Loader::new(&sealed.sources).bundle(sealed.digest, None).map_err(ReadError::Wrong)
    }

    /// The facts that say whether a regime governs in which a published notice is no basis.
    pub(crate) fn where_notice_is_void(&self) -> impl Iterator<Item = FactId> {
        let void = self.regimes.all.iter().filter(|regime| regime.voids_notice());
        void.filter_map(|regime| self.facts.built_in(&BuiltIn::Regime(Arc::clone(&regime.id))))
    }

    /// A rule by its id.
    #[must_use]
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.iter().find(|r| r.id == *id)
    }

    /// The clauses that a rule, or a native policy, rests on.
    pub fn clauses_of<'a>(&'a self, id: &'a RuleId) -> impl Iterator<Item = &'a Arc<str>> {
        let of_rule = self.rule(id).into_iter().flat_map(|rule| &rule.clauses);
        let native = self.native.iter().filter(move |policy| policy.id == *id);
        of_rule.chain(native.flat_map(|policy| &policy.clauses))
    }

    /// A clause by its id.
    #[must_use]
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|c| *c.id == *id)
    }
}

/// What was accepted before under a version: other content under the same version is refused when the policy is locked.
pub(crate) struct Accepted {
    pub(crate) version: String,
    pub(crate) digest: BundleDigest,
}

impl Accepted {
    fn check(&self, bundle: &Bundle, reader: &mut Reader) {
        if self.version == bundle.version && self.digest != bundle.digest {
            let message = format!(
                "the content changed, and the version is still `{}`; the policy is locked: raise `policy.version`",
                self.version
            );
            reader.error_somewhere("version-not-raised", message);
        }
    }
}

struct Loader {
    reader: Reader,
    sections: BTreeMap<&'static str, Vec<Node>>,
    native: Vec<NativePolicy>,
}

impl Loader {
    fn new(sources: &Sources) -> Self {
        let mut reader = Reader::new(Diagnostics::new(sources.clone()));
        let mut sections: BTreeMap<&'static str, Vec<Node>> = BTreeMap::new();
        let mut native = Vec::new();
        let mut nodes_left = BUNDLE_NODES_MAX;
        for (file, (name, text)) in sources.iter().enumerate() {
            if name.ends_with(".cedar") {
                native.extend(read_native(file, text, &mut reader));
            } else {
                collect(file, text, &mut nodes_left, &mut sections, &mut reader);
            }
        }
        Self { reader, sections, native }
    }

    /// A section's parts, of which each is read once.
    fn section(&mut self, name: &str) -> Vec<Node> {
        self.sections.remove(name).unwrap_or_default()
    }

    fn bundle(mut self, digest: BundleDigest, before: Option<&Accepted>) -> Result<Bundle, Box<Diagnostics>> {
        let mut vocabulary = Vocabulary::shipped();
        for node in self.section("vocabulary") {
            vocabulary.extend(&node, &mut self.reader);
        }
        let head = self.head(&vocabulary);
        let (recipients, requesters) = self.parties(&mut vocabulary);
        let governing = head.regimes.iter().map(|(id, _)| Arc::clone(id)).collect();
        let subject_types = vocabulary.subjects.iter().map(|s| Arc::from(s.as_str())).collect();
        let mut book = FactBook::new(governing, subject_types);
        for node in self.section("facts") {
            read_facts(&node, &mut book, &head.switches, &mut self.reader);
        }
        if let Some(node) = &head.defaults {
            read_defaults(node, &mut book, &mut self.reader);
        }
        let book = RefCell::new(book);
        let mut rules = self.core_rules(&vocabulary, &requesters, &book);
        let (regimes, of_regimes) = self.regimes(&head, &vocabulary, &requesters, &book);
        rules.extend(of_regimes);
        let context = RuleContext {
            vocabulary: &vocabulary,
            requesters: &requesters,
            book: &book,
            origin: Origin::Bundle,
        };
        for node in self.section("rules") {
            rules.extend(read_rules(&node, &context, &mut self.reader));
        }
        let nodes = self.section("invariants");
        let invariants = nodes.iter().flat_map(|n| read_invariants(n, &context, &mut self.reader)).collect();
        let service = self.service(&vocabulary, &recipients, &book, &head);
        let clauses = self.each("clauses", read_clauses);
        let cases = self.each("cases", read_cases);
        let native = std::mem::take(&mut self.native);
        let bundle = Bundle {
            controller: head.controller,
            version: head.version,
            from: head.from,
            contact: head.contact,
            digest,
            vocabulary,
            settings: head.settings,
            regimes,
            facts: book.into_inner(),
            requesters,
            recipients,
            service,
            rules: rules.iter().map(|(r, _)| r.clone()).collect(),
            invariants,
            native,
            clauses: clauses.iter().map(|(c, _)| c.clone()).collect(),
            cases: cases.iter().map(|(c, _)| c.clone()).collect(),
            warnings: Diagnostics::default(),
        };
        if let Some(before) = before.filter(|_| bundle.settings.locked) {
            before.check(&bundle, &mut self.reader);
        }
        check(&bundle, &rules, &clauses, &cases, &mut self.reader);
        check_native(&bundle, &mut self.reader);
        let found = self.reader.found.closed();
        if found.has_errors() { Err(Box::new(found)) } else { Ok(Bundle { warnings: found, ..bundle }) }
    }

    /// Who may receive, and who may ask.
    fn parties(&mut self, vocabulary: &mut Vocabulary) -> (Recipients, Requesters) {
        let mut recipients = Recipients::new();
        for node in self.section("recipients") {
            recipients.extend(read_recipients(&node, vocabulary, &mut self.reader));
        }
        let mut requesters = Requesters::new();
        for node in self.section("requesters") {
            read_requesters(&node, vocabulary, &mut requesters, &mut self.reader);
        }
        (recipients, requesters)
    }

    fn each<T>(&mut self, section: &str, read: fn(&Node, &mut Reader) -> Vec<(T, Span)>) -> Vec<(T, Span)> {
        let nodes = self.section(section);
        nodes.iter().flat_map(|node| read(node, &mut self.reader)).collect()
    }

    fn head(&mut self, vocabulary: &Vocabulary) -> Head {
        let nodes = self.section("bundle");
        let [node] = &nodes[..] else {
            let span = nodes.get(1).map_or(Span::default(), |n| n.span);
            let message = "a bundle has exactly one `bundle` section";
            self.reader.error("one-bundle", span, message);
            return Head::default();
        };
        read_head(node, vocabulary, &mut self.reader)
    }

    fn service(
        &mut self,
        vocabulary: &Vocabulary,
        recipients: &Recipients,
        book: &RefCell<FactBook>,
        head: &Head,
    ) -> ServiceMap {
        let mut map = ServiceMap::default();
        let context = RouteContext { vocabulary, recipients, book, excess: head.excess };
        for node in self.section("routes") {
            read_routes(&node, &context, &mut map, &mut self.reader);
        }
        for node in self.section("cookies") {
            read_cookies(&node, vocabulary, &mut map.cookies, &mut self.reader);
        }
        map.add_cookie_classes(&vocabulary.subjects);
        let looked_for: Vec<_> = head.settings.detect.iter().map(|(_, category)| category.clone()).collect();
        map.add_detected(&looked_for, &vocabulary.subjects);
        map
    }

    fn core_rules(
        &mut self,
        vocabulary: &Vocabulary,
        requesters: &Requesters,
        book: &RefCell<FactBook>,
    ) -> Vec<(Rule, Span)> {
        let Some(section) = self.shipped("core.yaml", CORE, &["rules"]) else {
            self.reader.error("core-missing", Span::default(), "the core rules cannot be read");
            return Vec::new();
        };
        let context = RuleContext { vocabulary, requesters, book, origin: Origin::Core };
        section.iter().flat_map(|node| read_rules(node, &context, &mut self.reader)).collect()
    }

    /// The regimes that the bundle names, and their rules: each holds where its regime is not known not to govern.
    fn regimes(
        &mut self,
        head: &Head,
        vocabulary: &Vocabulary,
        requesters: &Requesters,
        book: &RefCell<FactBook>,
    ) -> (Regimes, Vec<(Rule, Span)>) {
        let mut found = Regimes { home: head.home, all: Vec::new() };
        let mut rules = Vec::new();
        for (id, span) in &head.regimes {
            let text = shipped(id).unwrap_or_default();
            let [data, its_rules] =
                ["regime", "rules"].map(|key| self.shipped(&format!("{id}.yaml"), text, &[key]));
            let regime = data.and_then(|nodes| Regime::read(nodes.first()?, &mut self.reader));
            let (Some(regime), Some(nodes)) = (regime, its_rules) else {
                self.reader.error("regime-missing", *span, format!("the regime `{id}` cannot be read"));
                continue;
            };
            let governs = book.borrow_mut().ask_for(BuiltIn::Regime(Arc::clone(id)));
            let context = RuleContext { vocabulary, requesters, book, origin: Origin::Regime };
            for node in &nodes {
                let read = read_rules(node, &context, &mut self.reader);
                rules.extend(read.into_iter().map(|(rule, span)| (rule.only_when(governs), span)));
            }
            found.all.push(regime);
        }
        (found, rules)
    }

    /// Sections of a file that is shipped with the product; its text can be shown like any other's.
    fn shipped(&mut self, name: &str, text: &str, keys: &[&str]) -> Option<Vec<Node>> {
        let file = self.reader.found.sources_mut().push(name, text);
        let node = Node::parse(text, file).ok()?;
        let Kind::Map(entries) = node.kind else { return None };
        let wanted = entries.into_iter().filter(|(key, ..)| keys.contains(&key.as_str()));
        let nodes: Vec<_> = wanted.map(|(.., node)| node).collect();
        (!nodes.is_empty()).then_some(nodes)
    }
}

fn collect(
    file: usize,
    text: &str,
    nodes_left: &mut usize,
    sections: &mut BTreeMap<&'static str, Vec<Node>>,
    reader: &mut Reader,
) {
    let node = match Node::parse_within(text, file, *nodes_left) {
        Ok(node) => node,
        Err(fault) => {
            reader.error("yaml", Span { file, start: fault.start, len: fault.len }, fault.message);
            return;
        }
    };
    *nodes_left = nodes_left.saturating_sub(node.count());
    if reader.object(&node, &SECTIONS, "a bundle file").is_none() {
        return;
    }
    let Kind::Map(entries) = node.kind else { return };
    for (key, _, value) in entries {
        if let Some(section) = SECTIONS.iter().find(|s| **s == key) {
            sections.entry(section).or_default().push(value);
        }
    }
}
