//! Reading a whole bundle: every section of every file, every error at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use consentry_model::{BundleDigest, FactSchema, Moment, RuleId};

use super::cases::{Case, read_cases};
use super::clauses::{Clause, read_clauses};
use super::cookies::read_cookies;
use super::facts::read_facts;
use super::parties::{Recipients, Requesters, read_recipients, read_requesters};
use super::routes::{RouteContext, read_excess, read_routes};
use super::seal::{LockError, SealedSource};
use super::service::{Excess, Reference, ServiceMap};
use super::vocabulary::Vocabulary;
use crate::rules::{CoreFacts, Origin, Rule, RuleContext, check, core_schema, read_rules};
use crate::text::{Diagnostics, Node, Reader, Sources, Span};

/// The rules that every bundle gets: laws 7 and 9, written in the same language.
const CORE: &str = include_str!("../rules/core.yaml");

const SECTIONS: [&str; 10] = [
    "bundle",
    "vocabulary",
    "facts",
    "requesters",
    "recipients",
    "routes",
    "cookies",
    "rules",
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

/// Whom to ask about the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// A URI, as it appears in problem bodies.
    pub url: String,
    /// The clauses that promise it.
    pub clauses: Vec<Arc<str>>,
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
    /// The facts that rules may ask.
    pub schema: FactSchema,
    /// Those of them that every bundle has.
    pub core: CoreFacts,
    /// Facts of the request that the bundle adds, and where they stand.
    pub references: BTreeMap<String, Reference>,
    /// Who may ask.
    pub requesters: Requesters,
    /// Who may receive.
    pub recipients: Recipients,
    /// Which route carries what.
    pub service: ServiceMap,
    /// The rules, the core's first.
    pub rules: Vec<Rule>,
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
        Loader::new(sources).bundle(super::seal::digest(sources))
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
        Loader::new(&sealed.sources).bundle(sealed.digest).map_err(ReadError::Wrong)
    }

    /// A rule by its id.
    #[must_use]
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.iter().find(|r| r.id == *id)
    }

    /// A clause by its id.
    #[must_use]
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|c| *c.id == *id)
    }
}

struct Loader {
    reader: Reader,
    sections: BTreeMap<&'static str, Vec<Node>>,
    core: Option<Node>,
}

#[derive(Default)]
struct Head {
    controller: String,
    version: String,
    from: Option<Moment>,
    contact: Option<Contact>,
    excess: Excess,
}

impl Loader {
    fn new(sources: &Sources) -> Self {
        let mut reader = Reader { found: Diagnostics::new(sources.clone()) };
        let mut sections: BTreeMap<&'static str, Vec<Node>> = BTreeMap::new();
        for (file, (name, text)) in sources.iter().enumerate() {
            if name.ends_with(".cedar") {
                let message = "native Cedar files cannot be read beside YAML; write the rule in YAML";
                reader.error("cedar-unsupported", Span { file, ..Span::default() }, message);
                continue;
            }
            collect(file, text, &mut sections, &mut reader);
        }
        let file = sources.len();
        let core = match Node::parse(CORE, file) {
            Ok(node) => {
                reader.found.sources_mut().push("core.yaml", CORE);
                Some(node)
            }
            Err(_) => None,
        };
        Self { reader, sections, core }
    }

    fn section(&self, name: &str) -> Vec<Node> {
        self.sections.get(name).cloned().unwrap_or_default()
    }

    fn bundle(mut self, digest: BundleDigest) -> Result<Bundle, Box<Diagnostics>> {
        let mut vocabulary = Vocabulary::shipped();
        for node in self.section("vocabulary") {
            vocabulary.extend(&node, &mut self.reader);
        }
        let head = self.head();
        let mut recipients = Recipients::new();
        for node in self.section("recipients") {
            recipients.extend(read_recipients(&node, &mut vocabulary, &mut self.reader));
        }
        let mut requesters = Requesters::new();
        for node in self.section("requesters") {
            read_requesters(&node, &vocabulary, &mut requesters, &mut self.reader);
        }
        let (mut schema, core) = core_schema();
        let mut references = BTreeMap::new();
        for node in self.section("facts") {
            read_facts(&node, &mut schema, &mut references, &mut self.reader);
        }
        let service = self.service(&vocabulary, &schema, head.excess);
        let rules = self.rules(&vocabulary, &requesters, &schema, &core);
        let clauses = self.each("clauses", read_clauses);
        let cases = self.each("cases", read_cases);
        let bundle = Bundle {
            controller: head.controller,
            version: head.version,
            from: head.from,
            contact: head.contact,
            digest,
            vocabulary,
            schema,
            core,
            references,
            requesters,
            recipients,
            service,
            rules: rules.iter().map(|(r, _)| r.clone()).collect(),
            clauses: clauses.iter().map(|(c, _)| c.clone()).collect(),
            cases: cases.iter().map(|(c, _)| c.clone()).collect(),
            warnings: Diagnostics::default(),
        };
        check(&bundle, &rules, &clauses, &cases, &mut self.reader);
        let found = self.reader.found;
        if found.has_errors() { Err(Box::new(found)) } else { Ok(Bundle { warnings: found, ..bundle }) }
    }

    fn each<T>(&mut self, section: &str, read: fn(&Node, &mut Reader) -> Vec<(T, Span)>) -> Vec<(T, Span)> {
        let nodes = self.section(section);
        nodes.iter().flat_map(|node| read(node, &mut self.reader)).collect()
    }

    fn head(&mut self) -> Head {
        let nodes = self.section("bundle");
        let [node] = &nodes[..] else {
            let span = nodes.get(1).map_or(Span::default(), |n| n.span);
            let message = "a bundle has exactly one `bundle` section";
            self.reader.error("one-bundle", span, message);
            return Head::default();
        };
        let keys = ["controller", "policy", "contact", "excess"];
        let Some(section) = self.reader.object(node, &keys, "bundle") else { return Head::default() };
        let reader = &mut self.reader;
        let mut head = Head::default();
        if let Some(name) = reader.need(&section, "controller", "bundle").and_then(|n| reader.word(n)) {
            name.clone_into(&mut head.controller);
        }
        let policy = reader
            .need(&section, "policy", "bundle")
            .and_then(|n| reader.object(n, &["version", "from"], "policy"));
        if let Some(policy) = policy {
            if let Some(version) = reader.need(&policy, "version", "policy").and_then(|n| reader.word(n)) {
                version.clone_into(&mut head.version);
            }
            head.from = reader.need(&policy, "from", "policy").and_then(|n| reader.date(n));
        }
        head.contact = section.get("contact").and_then(|n| {
            let contact = reader.object(n, &["url", "clauses"], "contact")?;
            let url = reader.need(&contact, "url", "contact").and_then(|n| reader.word(n))?.to_owned();
            Some(Contact { url, clauses: super::routes::clauses(&contact, reader) })
        });
        head.excess = section.get("excess").and_then(|n| read_excess(n, reader)).unwrap_or_default();
        head
    }

    fn service(&mut self, vocabulary: &Vocabulary, schema: &FactSchema, excess: Excess) -> ServiceMap {
        let mut map = ServiceMap::default();
        let context = RouteContext { vocabulary, schema, excess };
        for node in self.section("routes") {
            read_routes(&node, &context, &mut map, &mut self.reader);
        }
        for node in self.section("cookies") {
            read_cookies(&node, vocabulary, &mut map.cookies, &mut self.reader);
        }
        map.add_cookie_classes();
        map
    }

    fn rules(
        &mut self,
        vocabulary: &Vocabulary,
        requesters: &Requesters,
        schema: &FactSchema,
        core: &CoreFacts,
    ) -> Vec<(Rule, Span)> {
        let mut out = Vec::new();
        let context = RuleContext { vocabulary, requesters, schema, core, origin: Origin::Core };
        let Some(shipped) = self.core.take() else {
            self.reader.error("core-missing", Span::default(), "the core rules cannot be read");
            return out;
        };
        if let Some(section) = self.reader.object(&shipped, &["rules"], "the core")
            && let Some(node) = section.get("rules")
        {
            out.extend(read_rules(node, &context, &mut self.reader));
        }
        let context = RuleContext { origin: Origin::Bundle, ..context };
        for node in self.section("rules") {
            out.extend(read_rules(&node, &context, &mut self.reader));
        }
        out
    }
}

fn collect(file: usize, text: &str, sections: &mut BTreeMap<&'static str, Vec<Node>>, reader: &mut Reader) {
    let node = match Node::parse(text, file) {
        Ok(node) => node,
        Err(fault) => {
            reader.error("yaml", Span { file, start: fault.start, len: fault.len }, fault.message);
            return;
        }
    };
    let Some(object) = reader.object(&node, &SECTIONS, "a bundle file") else { return };
    for (key, _, value) in object.entries() {
        if let Some(section) = SECTIONS.iter().find(|s| **s == *key) {
            sections.entry(section).or_default().push(value.clone());
        }
    }
}
