//! Wrong bundles, and what their authors are told. Every snapshot is written for a lawyer: what is wrong, where, and
//! what to write instead.
#![allow(clippy::panic, clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use consentry_policy::{Bundle, Diagnostics, ReadError, Sources};

mod gallery_wrong;

use gallery_wrong::{
    CASES, CLAUSES, HEADS, LOOKS, MEDIA, NATIVE, PARTIES, ROUTES, RULES, WHOLE, WORDS, YAML,
};

/// A bundle in which nothing is wrong. Each exhibit adds a file to it.
const BASE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
vocabulary:
  subjects: [reader]
  recipients: {printer: {parents: [processor]}}
facts:
  datum.origin: {values: [web, shop]}
  request.order: {type: reference, from: header.X-Order}
requesters:
  shop: {purposes: [essential, marketing]}
recipients:
  press: {class: printer, country: DE}
routes:
  - route: GET /customers/{id}
    purposes: [essential.service, marketing]
    about: {type: customer, space: customer, id: path.id}
    facts: {datum.origin: shop}
    response: {body: {name: user.name, email: user.contact.email}}
cookies:
  - {name: sid, purpose: essential.service, data: user.device.cookie, form: {hex: 32}}
rules:
  - {id: serve, permit: essential.service, data: user, of: customer, basis: contract, clauses: [c-1]}
clauses:
  - {id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}
cases:
  - {case: a customer is served, clause: c-1, who: shop, asks: GET /customers/ann, why: essential.service, about: ann, then: refuse basis-lapsed}
";

/// What is wrong, and the file that says it.
type Exhibit = (&'static str, &'static str);

fn read(text: &str) -> Result<Bundle, Box<Diagnostics>> {
    Bundle::read(&Sources::from_texts([("base.yaml", BASE), ("wrong.yaml", text)]))
}

fn found(text: &str) -> Diagnostics {
    match read(text) {
        Err(found) => *found,
        Ok(bundle) => bundle.warnings,
    }
}

fn show(exhibits: &[Exhibit]) -> String {
    let mut out = String::new();
    for (what, text) in exhibits {
        let found = found(text);
        assert_ne!(found.counts(), (0, 0), "nothing is wrong with: {what}");
        out.push_str(&format!("=== {what}\n\n{}\n", found.render(false).trim_end()));
        out.push('\n');
    }
    out
}

#[test]
fn nothing_is_wrong_with_the_base() {
    let bundle = Bundle::read(&Sources::from_texts([("base.yaml", BASE)])).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(bundle.warnings.counts(), (0, 0), "{}", bundle.warnings);
}

#[test]
fn gallery_of_words() {
    insta::assert_snapshot!("words", show(WORDS));
}

#[test]
fn gallery_of_parties() {
    insta::assert_snapshot!("parties", show(PARTIES));
}

#[test]
fn gallery_of_routes() {
    insta::assert_snapshot!("routes", show(ROUTES));
}

#[test]
fn gallery_of_media_types() {
    insta::assert_snapshot!("media", show(MEDIA));
}

#[test]
fn gallery_of_rules() {
    insta::assert_snapshot!("rules", show(RULES));
}

#[test]
fn gallery_of_clauses() {
    insta::assert_snapshot!("clauses", show(CLAUSES));
}

#[test]
fn gallery_of_cases() {
    insta::assert_snapshot!("cases", show(CASES));
}

#[test]
fn gallery_of_whole_bundles() {
    insta::assert_snapshot!("whole", show(WHOLE));
}

/// The base with other settings.
fn with_head(settings: &str, more: &str) -> Diagnostics {
    let head = "bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}";
    let base = BASE.replacen(head, &format!("{head}, {settings}"), 1);
    match Bundle::read(&Sources::from_texts([("base.yaml", base.as_str()), ("wrong.yaml", more)])) {
        Err(found) => *found,
        Ok(bundle) => bundle.warnings,
    }
}

fn with_cedar(policy: &str) -> Diagnostics {
    match Bundle::read(&Sources::from_texts([("base.yaml", BASE), ("more.cedar", policy)])) {
        Err(found) => *found,
        Ok(bundle) => bundle.warnings,
    }
}

/// A locked policy whose content changed under one version.
fn changed_under_one_version() -> Diagnostics {
    let locked = BASE.replacen("from: 2026-01-01}", "from: 2026-01-01, locked: true}", 1);
    let read = |text: &str| Sources::from_texts([("base.yaml", text)]);
    let accepted = Bundle::read(&read(&locked)).unwrap_or_else(|found| panic!("{found}"));
    assert!(accepted.followed_by(&read(&locked)).is_ok(), "the same again is no change");
    let changed = locked.replace("permit: essential.service,", "permit: essential,");
    let raised = changed.replace("version: v1", "version: v2");
    assert!(accepted.followed_by(&read(&raised)).is_ok(), "a new version may say something else");
    *accepted.followed_by(&read(&changed)).unwrap_err()
}

#[test]
fn gallery_of_heads() {
    let mut out = String::new();
    for (what, settings, more) in HEADS {
        let found = with_head(settings, more);
        assert!(found.has_errors(), "nothing is wrong with: {what}");
        out.push_str(&format!("=== {what}\n\n{}\n\n", found.render(false).trim_end()));
    }
    out.push_str(&format!(
        "=== a locked policy\n\n{}\n",
        changed_under_one_version().render(false).trim_end()
    ));
    insta::assert_snapshot!("heads", out);
}

#[test]
fn gallery_of_native_policies() {
    let mut out = String::new();
    for (what, policy) in NATIVE {
        let found = with_cedar(policy);
        assert!(found.has_errors(), "nothing is wrong with: {what}");
        out.push_str(&format!("=== {what}\n\n{}\n\n", found.render(false).trim_end()));
    }
    insta::assert_snapshot!("native", out);
}

#[test]
fn gallery_of_yaml() {
    insta::assert_snapshot!("yaml", show(YAML));
}

#[test]
fn gallery_of_what_should_be_looked_at() {
    for (what, text) in LOOKS {
        let bundle = read(text).unwrap_or_else(|found| panic!("{what}: {found}"));
        assert_eq!(bundle.warnings.counts().0, 0, "{what}");
    }
    insta::assert_snapshot!("looks", show(LOOKS));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let all = [WORDS, PARTIES, ROUTES, RULES].concat();
    // Sections of one name may stand in several files, so every exhibit gets a file of its own.
    let names: Vec<String> = (0..all.len()).map(|n| format!("wrong-{n:02}.yaml")).collect();
    let files = names.iter().map(String::as_str).zip(all.iter().map(|(_, text)| *text));
    let found = Bundle::read(&Sources::from_texts(files.chain([("base.yaml", BASE)]))).unwrap_err();
    let told: BTreeSet<_> = found.iter().filter_map(|d| d.place.as_ref()).map(|p| p.file.clone()).collect();
    let silent: Vec<_> = names.iter().zip(&all).filter(|(name, _)| !told.contains(*name)).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

/// The codes that the source can give, read from the source.
fn codes_of_the_source() -> BTreeSet<String> {
    let mut waiting = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut codes = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for start in
            ["error(", "error_help(", "warning(", "warning_help(", "_somewhere(", "unknown(", "Some(("]
        {
            for (at, _) in text.match_indices(start) {
                let rest = text[at + start.len()..].trim_start();
                let code = rest.strip_prefix('"').and_then(|r| r.split('"').next()).unwrap_or_default();
                let plain = code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                if !code.is_empty() && plain && (code.contains('-') || code == "yaml") {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
    codes
}

#[test]
fn every_code_is_on_show() {
    let all = [WORDS, PARTIES, MEDIA, ROUTES, RULES, CLAUSES, CASES, WHOLE, YAML, LOOKS].concat();
    assert!(all.len() + HEADS.len() + NATIVE.len() >= 80, "{}", all.len());
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for (_, text) in &all {
        shown.extend(found(text).iter().map(|d| d.code.to_owned()));
    }
    for (_, settings, more) in HEADS {
        shown.extend(with_head(settings, more).iter().map(|d| d.code.to_owned()));
    }
    for (_, policy) in NATIVE {
        shown.extend(with_cedar(policy).iter().map(|d| d.code.to_owned()));
    }
    shown.extend(changed_under_one_version().iter().map(|d| d.code.to_owned()));
    // Only a broken build has no core rules, or no regimes. The code `cedar` has no hyphen to be found by.
    shown.extend(["core-missing".to_owned(), "regime-missing".to_owned()]);
    shown.remove("cedar");
    assert_eq!(shown, codes_of_the_source());
}

#[test]
fn law_1_hostile_yaml_is_refused_quickly_and_without_a_panic() {
    let bomb = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, n| {
        text.push_str(&format!("a{}: &a{} [*a{n}, *a{n}, *a{n}]\n", n + 1, n + 1));
        text
    });
    let huge = format!("rules: {}\n", "x".repeat(3 * 1024 * 1024));
    let wide = |entry: &str, count: usize| format!("rules: [{}]\n", entry.repeat(count));
    let keys: String = (0..40_000).map(|n| format!("k{n}: x\n")).collect();
    let words: String = (0..90_000).map(|n| format!("w{n}, ")).collect();
    let table = [
        ("an alias bomb", bomb),
        ("a hundred thousand brackets", "[".repeat(100_000)),
        ("a hundred thousand braces", "{a: ".repeat(100_000)),
        ("a hundred thousand dashes", "- ".repeat(100_000)),
        ("deep nesting that closes", format!("rules: {}{}", "[".repeat(200), "]".repeat(200))),
        ("a huge scalar", huge),
        ("a list of 400,000 entries", wide("x, ", 400_000)),
        ("a list of as many entries as are read", wide("x, ", 39_000)),
        ("as many entries on lines of their own", wide("x,\n", 39_000)),
        ("as many entries of letters of two bytes", wide("ä, ", 39_000)),
        ("as many rules without anything", wide("{}, ", 39_000)),
        ("as many rules that nobody knows", wide("{id: x}, ", 33_000)),
        ("sections that nobody knows", keys),
        (
            "data that nobody knows",
            format!("rules: [{{id: x, forbid: [{words}], data: [x], cure: never}}]\n"),
        ),
        ("a key twice", "rules: []\nrules: []\n".to_owned()),
        ("two documents", "rules: []\n---\nrules: []\n".to_owned()),
        ("an anchor that nobody uses", "rules: &r []\n".to_owned()),
        ("an alias of nothing", "rules: *r\n".to_owned()),
        ("a merge key", "bundle: {<<: {controller: x}}\n".to_owned()),
        ("a tab", "rules:\n\t- id: x\n".to_owned()),
        ("a NUL", "rules: \"\0\"\n".to_owned()),
        ("a byte order mark in the middle", "rules:\n  - \u{feff}id: x\n".to_owned()),
        ("a text that never ends", "rules: \"abc\n".to_owned()),
        ("letters of several bytes before the error", "bündle: {ï: ö}\nrüles: [ä, {ö: \"ü\n".to_owned()),
        ("a list", "- rules\n".to_owned()),
        ("a number", "42\n".to_owned()),
    ];
    for (what, text) in table {
        let started = Instant::now();
        let refused = read(&text).err().unwrap_or_else(|| panic!("{what} was read"));
        assert!(refused.has_errors(), "{what}");
        let rendered = refused.render(true).len() + refused.to_json().len();
        // Generous: what it takes is measured by the benchmark `hostile`, optimised and alone.
        let took = started.elapsed();
        assert!(rendered > 0 && took < Duration::from_secs(20), "{what}: {took:?}");
        assert!(rendered < 4 * 1024 * 1024, "{what}: {rendered} bytes are said");
    }
}

#[test]
fn law_1_hostile_cedar_is_refused_quickly_and_without_a_panic() {
    let within = |open: &str, count: usize, close: &str| {
        let (open, close) = (open.repeat(count), close.repeat(count));
        format!(
            "@id(\"x\")\n@clauses(\"c-1\")\nforbid (principal, action, resource) when {{ {open}true{close} }};"
        )
    };
    let table = [
        ("brackets", within("(", 20_000, ")")),
        ("brackets that stay open", within("(", 100_000, "")),
        ("negations", within("!", 20_000, "")),
        ("conditions in conditions", within("if true then ", 20_000, " else false")),
        ("lists in lists", within("[", 20_000, "]")),
        ("a chain of conditions", within("true && ", 20_000, "")),
        (
            "a chain of members",
            format!(
                "@id(\"x\")\nforbid (principal, action, resource) when {{ context{} }};",
                ".a".repeat(20_000)
            ),
        ),
        ("a word without end", "x".repeat(3 * 1024 * 1024)),
    ];
    for (what, policy) in table {
        let started = Instant::now();
        let refused = with_cedar(&policy);
        assert!(refused.has_errors(), "{what}");
        let (rendered, took) = (refused.render(true).len() + refused.to_json().len(), started.elapsed());
        assert!(
            took < Duration::from_secs(20) && rendered < 1024 * 1024,
            "{what}: {rendered} bytes, {took:?}"
        );
    }
}

#[test]
fn law_1_errors_beyond_those_that_are_shown_are_counted_and_remain_errors() {
    let wrong = format!("rules: [{}]\n", "x, ".repeat(3_000));
    let refused = read(&wrong).unwrap_err();
    assert_eq!(refused.counts().0, 3_000);
    let shown = refused.iter().filter(|d| d.code == "wrong-shape").count();
    let last = refused.iter().last().unwrap();
    assert_eq!(last.code, "more-errors");
    assert_eq!(
        last.message,
        format!("{} more errors were found; the first {shown} are shown", 3_000 - shown)
    );
    assert!(refused.render(false).contains(&last.message) && refused.to_json().contains(&last.message));
    // Said twice at one place it is one error.
    assert_eq!(found("rules: [x, x]\n").counts().0, 2);
}

#[test]
fn law_1_however_much_is_warned_of_an_error_is_not_lost() {
    let looks: String = (0..700)
        .map(|n| {
            format!(
                "  - {{id: w{n}, forbid: personalize.profiling, data: user, cure: never, clauses: [c-1]}}\n"
            )
        })
        .collect();
    let warned = read(&format!("rules:\n{looks}")).unwrap_or_else(|found| panic!("{found}"));
    let (errors, warnings) = warned.warnings.counts();
    assert!(errors == 0 && warnings >= 700, "{errors} {warnings}");
    assert!(warned.warnings.iter().any(|d| d.code == "more-warnings"));
    let refused =
        read(&format!("rules:\n{looks}  - {{id: last, forbid: nonsense, data: user}}\n")).unwrap_err();
    assert!(refused.has_errors() && refused.render(false).contains("`nonsense` is no purpose"));
}

#[test]
fn law_1_an_empty_file_adds_nothing_and_an_empty_bundle_is_none() {
    for text in ["", "\n\n", "# nothing\n", "---\n", "rules:\n"] {
        assert!(read(text).is_ok(), "{text:?}");
        assert!(Bundle::read(&Sources::from_texts([("only.yaml", text)])).is_err(), "{text:?}");
    }
}

#[test]
fn law_1_what_is_no_text_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("base.yaml"), BASE).unwrap();
    assert!(Bundle::load(dir.path()).is_ok());
    std::fs::write(dir.path().join("latin.yaml"), b"rules: [\xe4]\n").unwrap();
    assert!(matches!(Bundle::load(dir.path()), Err(ReadError::Unreadable(_))));
    std::fs::remove_file(dir.path().join("latin.yaml")).unwrap();
    std::fs::create_dir(dir.path().join("folder.yaml")).unwrap();
    assert!(matches!(Bundle::load(dir.path()), Err(ReadError::Unreadable(_))));
}
