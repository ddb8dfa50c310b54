//! The real policy's cases, played through the real layer; and whether the rehearsal would notice.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::path::{Path, PathBuf};

use consentry_model::{Reason, Treatment};
use consentry_policy::{Bundle, Case, CaseOutcome, Change, Sources};
use consentry_proxy::{coverage, rehearse};

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn load(dir: &Path) -> (Bundle, Sources) {
    let sources = Sources::read(dir).unwrap();
    let bundle = Bundle::read(&sources).unwrap_or_else(|e| panic!("{}: {}", dir.display(), e.render(false)));
    (bundle, sources)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_every_policy_holds() {
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(policies()).unwrap().map(|e| e.unwrap().path()).collect();
    dirs.sort();
    assert!(dirs.len() >= 5, "{dirs:?}");
    let mut failing = Vec::new();
    for dir in dirs {
        let (bundle, sources) = load(&dir);
        assert!(!bundle.cases.is_empty(), "{}", dir.display());
        let mut heard = 0;
        let results = rehearse(&bundle, &sources, |played| heard = played).await;
        assert_eq!((results.len(), heard), (bundle.cases.len(), bundle.cases.len()));
        failing.extend(results.iter().filter(|r| !r.holds()).map(ToString::to_string));
    }
    assert!(failing.is_empty(), "{} cases fail\n{}", failing.len(), failing.join("\n"));
}

/// Each change makes a good case say something that does not come out.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_says_anything_else_fails() {
    type Change = fn(&mut Case);
    let table: [(&str, Change, &str); 14] = [
        ("billing sees what it takes to be paid", |c| c.then = CaseOutcome::Allow, "outcome"),
        ("billing sees what it takes to be paid", |c| c.expect.withheld.clear(), "withheld"),
        ("billing sees what it takes to be paid", |c| c.expect.withheld.push("phone".into()), "withheld"),
        ("billing sees what it takes to be paid", |c| c.expect.dropped.push("query.x".into()), "dropped"),
        ("billing sees what it takes to be paid", |c| c.expect.stripped.push("sid".into()), "stripped"),
        ("billing sees what it takes to be paid", |c| c.expect.status = Some(206), "status"),
        ("billing sees what it takes to be paid", |c| c.given.clear(), "outcome"),
        (
            "billing sees what it takes to be paid",
            |c| _ = c.expect.left.insert("phone".into(), Treatment::Masked),
            "left",
        ),
        ("but not those who objected", |c| c.expect.omitted = 2, "omitted"),
        ("but not those who objected", |c| c.expect.omitted = 0, "omitted"),
        ("whoever ticks the box gets the newsletter", |c| c.expect.recorded.clear(), "recorded"),
        (
            "a contract that is over carries nothing",
            |c| c.then = CaseOutcome::Refuse(Reason::Erased),
            "outcome",
        ),
        (
            "every refusal says whom to ask",
            |c| _ = c.expect.shows.insert("contact".into(), "mailto:nobody@example.org".into()),
            "shows",
        ),
        ("an opaque session cookie passes", |c| _ = c.sets.insert("x".into(), "1".into()), "stripped"),
    ];
    let (mut bundle, sources) = load(&policies().join("panopta"));
    let good = std::mem::take(&mut bundle.cases);
    for (name, change, _) in &table {
        let mut case = good.iter().find(|c| c.name == *name).unwrap_or_else(|| panic!("{name}")).clone();
        bundle.cases.push(case.clone());
        change(&mut case);
        bundle.cases.push(case);
    }
    let results = rehearse(&bundle, &sources, |_| {}).await;
    for (pair, (name, _, what)) in results.chunks(2).zip(&table) {
        assert!(pair[0].holds(), "{}", pair[0]);
        assert!(pair[1].differences.iter().any(|d| d.what == *what), "{name}: {what}\n{}", pair[1]);
    }
}

/// A shop that writes to its customers, serves a page and counts its visits.
const SHOP: &str = r#"
bundle:
  controller: Shop
  policy: {version: v1, from: 2026-01-01}
  hosts: [shop.example.org]
  time_zone: Europe/Vienna
vocabulary: {subjects: [reader]}
facts:
  subject.age: {if_unknown: 30, because: nobody asks for it here}
requesters:
  mailer: {purposes: [marketing.communications]}
  analyst: {purposes: [analytics]}
routes:
  - route: POST /mail
    purposes: [marketing.communications.email]
    about: {type: reader, space: email, id: "body.to[]"}
    excess: drop
    request: {body: {"to[]": user.contact.email, topic: none, text: none}}
    message: {to: "body.to[]", topic: body.topic, text: body.text}
    response: {body: {sent: none}}
  - route: GET /page
    public: true
    purpose: essential.service
    about: {type: visitor, anonymous: true}
    response: {body: page}
  - route: GET /counts
    purposes: [analytics]
    about: {type: visitor, population: all}
    response:
      records: "groups[]"
      size: n
      body: {"groups[].page": user.behavior.browsing_history, "groups[].n": none}
cookies:
  - {name: sid, purpose: essential.service, data: user.device.cookie_id, form: hex}
rules:
  - {id: mail-on-opt-in, permit: marketing.communications, data: user.contact.email, of: reader, by: mailer, basis: {consent: opt-in}, clauses: [shop-1]}
  - {id: one-a-month, require: {at_most: {times: 1, per: calendar-month, of: [subject]}}, for: marketing, data: any, clauses: [shop-1]}
  - {id: nobody-young, forbid: marketing, data: any, when: {subject.age: {below: 16}}, cure: never, reason: age-gate, clauses: [shop-1]}
  - {id: page-loads-nothing-else, require: {set_header: {Content-Security-Policy: "default-src 'self'"}}, for: essential.service, clauses: [shop-2]}
  - {id: session, permit: essential.service, data: user.device.cookie_id, of: visitor, act: collect, basis: {legitimate_interests: LIA}, clauses: [shop-2]}
  - {id: no-cookie-for-ever, require: {clamp: {cookie.lives_until: P1Y}}, for: any, clauses: [shop-2]}
  - {id: counts, permit: analytics, data: user.behavior, of: visitor, as: {aggregated: {min_group: 10}}, basis: aggregate, clauses: [shop-3]}
clauses:
  - {id: shop-1, line: 1, section: mail, says: who asked for mail gets one a month, status: enforced}
  - {id: shop-2, line: 2, section: page, says: the page loads nothing else, status: enforced}
  - {id: shop-3, line: 3, section: counts, says: large groups are counted, status: enforced}
cases:
  - case: mail
    clause: shop-1
    who: mailer
    asks: POST /mail
    why: marketing.communications.email
    sends: {to: [ann, bob, cy], topic: news, text: hello}
    about: [ann, bob, cy]
    given:
      - ann gave opt-in consent to marketing.communications on 2026-01-02
      - cy gave opt-in consent to marketing.communications on 2026-01-02
      - cy was sent news on 2026-06-01
    then: redact
    omitted: [bob, cy]
    assumed: [subject.age]
    recorded: [ann was sent news]
  - case: a child
    clause: shop-1
    who: mailer
    asks: POST /mail
    why: marketing.communications.email
    sends: {to: [ann], topic: news, text: hello}
    about: ann
    given: [ann gave opt-in consent to marketing.communications on 2026-01-02, ann was born on 2016-01-01]
    tempted: true
    then: refuse age-gate
  - case: page
    clause: shop-2
    who: anyone
    asks: GET /page
    about: nobody
    sets: {sid: {value: "17", max_age: 99999999}}
    then: redact
    changed: {cookie.sid.max_age: 31536000, header.Content-Security-Policy: "default-src 'self'"}
  - case: elsewhere
    clause: shop-2
    host: other.example.org
    who: anyone
    asks: GET /page
    about: nobody
    then: refuse no-applicable-policy
  - case: counts
    clause: shop-3
    who: analyst
    asks: GET /counts
    why: analytics
    about: everybody
    answer: {groups: [{page: /a, n: 50}, {page: /b, n: 9}]}
    then: redact
    omitted: [/b]
  - case: made up counts
    clause: shop-3
    who: analyst
    asks: GET /counts
    why: analytics
    about: everybody
    then: allow
  - case: another host
    clause: shop-2
    if_bundle_had: {bundle: {hosts: [shop.example.org, other.example.org]}}
    host: other.example.org
    who: anyone
    asks: GET /page
    about: nobody
    then: allow
    changed: {header.Content-Security-Policy: "default-src 'self'"}
  - case: an unknown word
    clause: shop-3
    if_bundle_had: {vocabulary: {subjects: [Ann Lee]}, nonsense: {}}
    then: load error unknown-key
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_a_case_is_exact() {
    type Alter = fn(&mut Case);
    let sources = Sources::from_texts([("shop.yaml", SHOP)]);
    let mut bundle = Bundle::read(&sources).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let table: [(&str, Alter, &str); 19] = [
        ("mail", |c| c.expect.omitted_names = vec!["ann".into(), "cy".into()], "omitted"),
        ("mail", |c| (c.expect.omitted, c.expect.omitted_names) = (1, Vec::new()), "omitted"),
        ("mail", |c| c.expect.recorded.clear(), "recorded"),
        ("mail", |c| c.expect.assumed = vec!["subject.region".into()], "assumed"),
        ("mail", |c| c.then = CaseOutcome::Allow, "outcome"),
        ("mail", |c| _ = c.given.pop(), "omitted"),
        ("mail", |c| c.host = Some("other.example.org".into()), "outcome"),
        ("a child", |c| c.then = CaseOutcome::Refuse(Reason::Prohibited), "outcome"),
        ("a child", |c| c.expect.assumed.push("subject.age".into()), "assumed"),
        ("page", |c| _ = c.expect.changed.remove(0), "changed"),
        ("page", |c| c.expect.changed.push(Change::Header("x-a".into(), "1".into())), "changed"),
        ("page", |c| _ = c.sets.insert("sid".into(), "17; Max-Age=60".into()), "changed"),
        ("page", |c| _ = c.sets.insert("other".into(), "17".into()), "stripped"),
        ("elsewhere", |c| c.host = None, "outcome"),
        ("counts", |c| c.expect.omitted_names = vec!["/a".into()], "omitted"),
        ("made up counts", |c| c.query = [("x".into(), "1".into())].into(), "outcome"),
        ("another host", |c| c.if_bundle_had = Some(r#"{"rulez": []}"#.into()), "outcome"),
        ("an unknown word", |c| c.then = CaseOutcome::LoadError("no-such-code".into()), "outcome"),
        ("an unknown word", |c| c.if_bundle_had = Some(r#"{"clauses": []}"#.into()), "outcome"),
    ];
    let good = bundle.cases.clone();
    // A case that does not say when plays on the first day of a policy that is newer than most.
    let newer = SHOP.replace("from: 2026-01-01", "from: 2026-06-01").replace("2026-06-01", "2030-06-01");
    let newer = Sources::from_texts([("shop.yaml", newer.as_str())]);
    let results = rehearse(&Bundle::read(&newer).unwrap(), &newer, |_| {}).await;
    assert!(
        results.iter().all(|result| result.holds()),
        "{}",
        results.iter().map(ToString::to_string).collect::<String>()
    );
    let results = rehearse(&bundle, &sources, |_| {}).await;
    let failing: Vec<String> = results.iter().filter(|r| !r.holds()).map(ToString::to_string).collect();
    assert!(failing.is_empty(), "{}", failing.join("\n"));
    bundle.cases.clear();
    for (name, change, _) in &table {
        let mut case = good.iter().find(|c| c.name == *name).unwrap_or_else(|| panic!("{name}")).clone();
        change(&mut case);
        bundle.cases.push(case);
    }
    let results = rehearse(&bundle, &sources, |_| {}).await;
    for (result, (name, _, what)) in results.iter().zip(&table) {
        assert!(result.differences.iter().any(|d| d.what == *what), "{name}: {what}\n{result}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_tried_out_where_some_case_would_notice_that_it_is_gone() {
    let sources = Sources::from_texts([("shop.yaml", SHOP)]);
    let mut bundle = Bundle::read(&sources).unwrap();
    let tried = async |bundle: &Bundle| {
        let results = rehearse(bundle, &sources, |_| {}).await;
        let found = coverage(bundle, &results).await;
        let untried: Vec<String> =
            found.rules.iter().filter(|r| !r.covered).map(|r| r.rule.to_string()).collect();
        let clauses: Vec<String> =
            found.clauses.iter().filter(|c| !c.covered).map(|c| c.clause.to_string()).collect();
        (untried, clauses, found.clause_percent())
    };
    assert_eq!(tried(&bundle).await, (Vec::new(), Vec::new(), 100));
    let child = |bundle: &mut Bundle, change: fn(&mut Case)| {
        bundle.cases.iter_mut().filter(|case| case.name == "a child").for_each(change);
    };
    child(&mut bundle, |case| case.tempted = false);
    assert_eq!(tried(&bundle).await.0, Vec::<String>::new(), "without it the child would be written to");
    child(&mut bundle, |case| {
        case.given.remove(0);
        case.then = CaseOutcome::Refuse(Reason::ConsentRequired);
    });
    assert_eq!(tried(&bundle).await.0, ["nobody-young"], "nobody agreed: it changes nothing");
    bundle.cases.retain(|case| case.name != "a child" && !case.name.contains("counts"));
    assert_eq!(
        tried(&bundle).await,
        (vec!["nobody-young".to_owned(), "counts".to_owned()], vec!["shop-3".to_owned()], 66)
    );
}
