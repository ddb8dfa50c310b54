//! Native Cedar policies beside the rules, for what YAML cannot say.

use std::sync::Arc;

use consentry_model::RuleId;

use crate::text::{Reader, Span};

/// How deep one policy may nest: Cedar reads it by recursion, and a stack that overflows ends the process.
const DEPTH_MAX: usize = 32;
/// How many operators one policy may have, each letter of them counted.
const OPERATORS_MAX: usize = 512;

/// A policy as a bundle's `.cedar` file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativePolicy {
    /// Its `@id`.
    pub id: RuleId,
    /// Its text.
    pub text: String,
    /// Whether it permits.
    pub permits: bool,
    /// The clauses that its `@clauses` names.
    pub clauses: Vec<Arc<str>>,
    /// Where it stands.
    pub(crate) span: Span,
}

/// Reads a `.cedar` file. Templates, policies without an id and policies without clauses are errors.
pub(crate) fn read_native(file: usize, text: &str, reader: &mut Reader) -> Vec<NativePolicy> {
    if let Some(at) = too_nested(text) {
        let message =
            format!("a policy nests deeper than {DEPTH_MAX}, or has over {OPERATORS_MAX} operators");
        reader.error("cedar-too-nested", Span { file, start: at, len: 1 }, message);
        return Vec::new();
    }
    let set: cedar_policy::PolicySet = match text.parse() {
        Ok(set) => set,
        Err(error) => {
            let span = Span { file, ..Span::default() };
            reader.error("cedar", span, format!("this file is not a set of Cedar policies: {error}"));
            return Vec::new();
        }
    };
    if let Some(template) = set.templates().next() {
        let span = Span { file, ..Span::default() };
        let message = format!("`{}` is a template; a bundle's policies have no slots", template.id());
        reader.error("cedar-template", span, message);
    }
    let mut out = Vec::new();
    for policy in set.policies() {
        let text_of = policy.to_string();
        let at = text.find(text_of.trim()).unwrap_or(0);
        let span = Span { file, start: at, len: text_of.len().min(text.len().saturating_sub(at)) };
        let Some(id) = policy.annotation("id") else {
            reader.error("key-missing", span, "a Cedar policy needs `@id(\"...\")`");
            continue;
        };
        let permits = policy.effect() == cedar_policy::Effect::Permit;
        if permits && policy.annotation("basis").is_none() {
            reader.error("key-missing", span, format!("the permission `{id}` needs `@basis(\"...\")`"));
        }
        // A policy whose expression cannot be looked at counts as one of either kind.
        let json = policy.to_json().ok();
        let has = |words: &[&str]| json.as_ref().is_none_or(|json| mentions(json, words));
        if has(&EXTENSIONS) {
            let message = format!("the policy `{id}` reads a text as a network, a number or a time");
            let help = "no fact is of such a type: compare facts with constants";
            reader.error_help("cedar-can-fail", span, message, "of an extension of Cedar", help);
        } else if !permits && has(&ARITHMETIC) {
            let message =
                format!("the prohibition `{id}` could fail to be evaluated, and would then hold nothing");
            let help = "leave out arithmetic and what reads texts: compare facts with constants";
            reader.error_help("cedar-can-fail", span, message, "sums overflow, texts do not read", help);
        }
        let clauses: Vec<Arc<str>> =
            policy.annotation("clauses").unwrap_or_default().split_whitespace().map(Arc::from).collect();
        for (name, _) in policy.annotations() {
            if !["id", "clauses", "basis"].contains(&name) {
                let known = ["id", "clauses", "basis"];
                reader.unknown("unknown-annotation", span, "annotation", name, known);
            }
        }
        out.push(NativePolicy { id: RuleId::new(id), text: text_of, permits, clauses, span });
    }
    out
}

/// Where one policy nests deeper, or has more operators, than Cedar reads without running out of stack.
fn too_nested(text: &str) -> Option<usize> {
    let (mut depth, mut operators, mut conditions) = (0_usize, 0_usize, 0_usize);
    let (mut quoted, mut comment, mut before) = (false, false, b' ');
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        let next = bytes.peek().map_or(b' ', |(_, next)| *next);
        match byte {
            b'\n' => comment = false,
            _ if comment => {}
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'/' if next == b'/' => comment = true,
            b';' => (depth, operators, conditions) = (0, 0, 0),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'i' if next == b'f' && !before.is_ascii_alphanumeric() && before != b'_' => conditions += 1,
            b'!' | b'-' | b'+' | b'*' | b'.' | b'&' | b'|' | b'<' | b'>' | b'=' => operators += 1,
            _ => {}
        }
        before = byte;
        if depth + conditions > DEPTH_MAX || operators > OPERATORS_MAX {
            return Some(at);
        }
    }
    None
}

/// What Cedar computes and what can end in an error although it passes strict validation.
const ARITHMETIC: [&str; 4] = ["+", "-", "*", "neg"];
/// The constructors of extension types, which read texts. Whether Cedar knows them depends on how it was built; a bundle
/// must not.
const EXTENSIONS: [&str; 5] = ["decimal", "ip", "datetime", "duration", "offset"];

/// Whether an expression of a policy, in Cedar's JSON form, uses one of some operators or functions.
fn mentions(json: &serde_json::Value, words: &[&str]) -> bool {
    match json {
        serde_json::Value::Object(members) => {
            members.iter().any(|(key, value)| words.contains(&key.as_str()) || mentions(value, words))
        }
        serde_json::Value::Array(items) => items.iter().any(|item| mentions(item, words)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => false,
    }
}
