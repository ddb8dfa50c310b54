//! Scratch.
use consentry_model::*;
use consentry_policy::*;
use std::collections::BTreeSet;
use std::path::Path;

struct P<'a> {
    events: Vec<&'a LedgerEvent>,
}
fn project(b: &Bundle, p: Option<&P>, purpose: &Purpose, facts: &mut Facts) -> Person {
    let Some(p) = p else { return Person::UNRESOLVED };
    let lin = b.vocabulary.lineage(purpose).unwrap();
    let c = &b.core;
    for k in c.consent {
        facts.set_bool(k, false)
    }
    facts.set_bool(c.said_no, false);
    facts.set_bool(c.erased, false);
    facts.set_bool(c.restricted, false);
    facts.set_word(&b.schema, c.contract, "none");
    let mut person = Person { resolved: true, consent: None, objected: false };
    let mut last: Option<(Moment, ConsentState, ConsentKind)> = None;
    let mut nos: Vec<(Moment, Purpose, bool)> = vec![];
    for e in &p.events {
        match e {
            LedgerEvent::Consent(ev) => {
                if lin.height(&ev.purpose).is_some() && last.is_none_or(|l| ev.effective >= l.0) {
                    last = Some((ev.effective, ev.state, ev.kind));
                }
                if lin.touches(&ev.purpose) {
                    if ev.state.is_a_no() {
                        nos.push((ev.effective, ev.purpose.clone(), false))
                    } else if ev.state.is_valid() {
                        nos.retain(|n| !(b.vocabulary.covers(&n.1, &ev.purpose) && ev.effective > n.0));
                    }
                }
            }
            LedgerEvent::Objection { purpose, effective, .. } => {
                if lin.touches(purpose) {
                    nos.push((*effective, purpose.clone(), true))
                }
            }
            LedgerEvent::Contract { state, .. } => facts.set_word(&b.schema, c.contract, state.code()),
            LedgerEvent::Restriction { on, .. } => facts.set_bool(c.restricted, *on),
            LedgerEvent::Erasure { .. } => facts.set_bool(c.erased, true),
        }
    }
    if !nos.is_empty() {
        facts.set_bool(c.said_no, true);
        person.objected = nos.iter().any(|n| n.2);
    }
    if let Some((at, s, k)) = last {
        person.consent = Some(s);
        if s.is_valid() && !nos.iter().any(|n| n.0 >= at) {
            let sat = |want: ConsentKind| match (k, want) {
                (ConsentKind::Parental, w) => w == ConsentKind::Parental,
                (_, ConsentKind::Parental) => false,
                (k, w) => k >= w,
            };
            for w in ConsentKind::ALL {
                facts.set_bool(c.consent_of(w), sat(w));
            }
        }
    }
    person
}

#[test]
fn cases() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/panopta");
    let b = match Bundle::load(&dir) {
        Ok(b) => b,
        Err(ReadError::Wrong(f)) => panic!("{f}"),
        Err(e) => panic!("{e}"),
    };
    let plain = Engine::new(b.clone()).unwrap();
    let tempted = Engine::tempted(b.clone()).unwrap();
    let mut bad = 0;
    for case in &b.cases {
        if case.ledger_down {
            continue;
        }
        let engine = if case.tempted { &tempted } else { &plain };
        let mut ds = BTreeSet::new();
        let got = run(engine, case, &mut ds);
        let want = case.then;
        let outcome = match (&got, want) {
            (Ruling::Refuse(r), CaseOutcome::Refuse(w)) => r.reason == w,
            (g, w) => g.outcome() == w.outcome(),
        };
        let cookies = !case.expect.stripped.is_empty();
        let mut wl: BTreeSet<String> =
            case.expect.withheld.iter().chain(&case.expect.dropped).cloned().collect();
        for (k, v) in &case.expect.left {
            wl.insert(format!("{k}={v}"));
        }
        if case.expect.omitted > 0 {
            wl.insert(format!("omitted {}", case.expect.omitted));
        }
        let same = matches!(got, Ruling::Refuse(_)) || wl == ds;
        if !cookies && (!outcome || !same) {
            bad += 1;
            eprintln!(
                "CASE {} [{}]\n   want {:?} {:?}\n   got {:?} {:?}",
                case.name, case.clause, want, wl, got, ds
            );
        }
    }
    assert_eq!(bad, 0);
}
fn run(engine: &Engine, case: &Case, ds: &mut BTreeSet<String>) -> Ruling {
    let b = engine.bundle();
    let now = case.at.unwrap_or(Moment::from_unix_millis(1795305600000));
    let segs: Vec<&str> = case.path.split('/').skip(1).collect();
    let m = b.service.find(&case.method, &segs).unwrap_or_else(|| panic!("route {}", case.path));
    let route = m.route;
    let purpose = match &route.purpose {
        PurposeRule::Fixed(p) => p.clone(),
        PurposeRule::OneOf(l) => {
            let p = Purpose::new(case.why.as_ref().unwrap()).unwrap();
            assert!(l.iter().any(|a| b.vocabulary.covers(a, &p)), "route purpose {}", case.name);
            p
        }
    };
    let person_named = case.about.contains(&case.who);
    let (requester, rec) = if case.who == "anyone" {
        (RequesterId::new("anyone"), RecipientId::new("public"))
    } else if let Some(r) = b.requesters.get(&RequesterId::new(&case.who)) {
        if !matches!(route.purpose, PurposeRule::Fixed(_)) || true {
            assert!(
                r.purposes.iter().any(|a| b.vocabulary.covers(a, &purpose)),
                "requester purpose {}",
                case.name
            );
        }
        (RequesterId::new(&case.who), r.receives_as.clone())
    } else {
        assert!(person_named || case.given.iter().any(|g| g.person == case.who));
        (RequesterId::new("customer-portal"), RecipientId::new("subject"))
    };
    let hdr = |n: &str| case.headers.keys().any(|k| k.eq_ignore_ascii_case(n));
    let mut base = engine.facts();
    base.set_bool(b.core.gpc, hdr("sec-gpc"));
    base.set_bool(b.core.legal, hdr("legal-request"));
    base.set_bool(b.core.approver, hdr("legal-approver"));
    base.set_word(
        &b.schema,
        b.core.assurance,
        case.assurance.as_deref().unwrap_or(if case.who == "anyone" { "none" } else { "substantial" }),
    );
    let mut people: std::collections::BTreeMap<String, P> =
        case.about.iter().map(|a| (a.clone(), P { events: vec![] })).collect();
    for g in &case.given {
        let p = people.entry(g.person.clone()).or_insert(P { events: vec![] });
        p.events.extend(g.events.iter());
    }
    let mut owned = vec![];
    for e in &route.events {
        if e.condition.iter().all(|(p, v)| case.sends.as_ref().and_then(|s| s.get(&p[0])) == Some(v)) {
            owned.push(match &e.effect {
                EventEffect::Consent(k, p) => LedgerEvent::Consent(ConsentEvent {
                    purpose: p.clone(),
                    state: ConsentState::Given,
                    kind: *k,
                    recipient: None,
                    effective: now,
                    valid_until: None,
                    notice: None,
                }),
                EventEffect::Object(p) => {
                    LedgerEvent::Objection { purpose: p.clone(), recipient: None, effective: now }
                }
                EventEffect::Withdraw(p) => LedgerEvent::Consent(ConsentEvent {
                    purpose: p.clone(),
                    state: ConsentState::Withdrawn,
                    kind: ConsentKind::OptIn,
                    recipient: None,
                    effective: now,
                    valid_until: None,
                    notice: None,
                }),
                EventEffect::Contract(s) => LedgerEvent::Contract { state: *s, effective: now },
            })
        }
    }
    let subject_name = match &route.about.as_ref().unwrap().subject {
        SubjectSource::Named { at: Reference::Path(v), .. } => Some(m.variables[v.as_str()].to_owned()),
        SubjectSource::Named { at: Reference::Query(v), .. } => Some(case.query[v].clone()),
        SubjectSource::Named { at: Reference::Body(v), .. } => Some(
            case.sends.as_ref().unwrap()[&v[0]].as_str().unwrap().trim_end_matches("@example.org").to_owned(),
        ),
        _ => None,
    };
    if let Some(n) = &subject_name
        && let Some(p) = people.get_mut(n)
    {
        p.events.extend(owned.iter());
    }
    let mut memo = Memo::default();
    let mut item = |class: ClassId, act: Act, rec: &RecipientId, who: Option<&str>| -> Item {
        let q = Question {
            requester: requester.clone(),
            recipient: rec.clone(),
            act,
            purpose: purpose.clone(),
            class,
        };
        let hopeless = engine.hopeless(&q, &base, now);
        let mut f = base.clone();
        let person = match &route.about.as_ref().unwrap().subject {
            SubjectSource::Anonymous => {
                let _ = project(b, Some(&P { events: vec![] }), &purpose, &mut f);
                f.set_bool(b.core.own, false);
                Person::ANONYMOUS
            }
            _ => {
                let p = project(b, who.and_then(|w| people.get(w)), &purpose, &mut f);
                f.set_bool(b.core.own, who == Some(case.who.as_str()));
                p
            }
        };
        let v = engine.decide(&q, &f, person, now, &mut memo);
        Item { hopeless, verdict: Some(v) }
    };
    // request
    let mut present: Vec<(String, Option<Field>)> = vec![];
    if let Some(serde_json::Value::Object(o)) = &case.sends {
        for k in o.keys() {
            let f = match &route.request_body {
                Body::Json(m) => m.leaves().find(|(p, _)| p == k).map(|x| x.1),
                Body::None => None,
            };
            present.push((k.clone(), f));
        }
    }
    for k in case.query.keys() {
        present
            .push((format!("query.{k}"), route.request_query.iter().find(|h| h.name == *k).map(|h| h.field)));
    }
    for k in case.headers.keys() {
        let l = k.to_lowercase();
        present.push((
            format!("header.{l}"),
            route.request_headers.iter().find(|h| h.name == l).map(|h| h.field),
        ));
    }
    let mut items = vec![];
    let mut dropped = false;
    for (n, f) in &present {
        match f {
            None => {
                dropped = true;
                ds.insert(n.clone());
            }
            Some(Field::Open) => {}
            Some(Field::Class(c, _)) => {
                let i = item(*c, Act::Collect, &route.collector(), subject_name.as_deref());
                if i.verdict.as_ref().unwrap().treatment != Treatment::Clear {
                    ds.insert(n.clone());
                }
                items.push(i)
            }
        }
    }
    let mut r =
        if route.excess == Excess::Refuse { Ruling::fold_strictly(&items) } else { Ruling::fold(&items) };
    if dropped {
        r = r.redacted();
    }
    if matches!(r, Ruling::Refuse(_)) {
        return r;
    }
    // response
    let ext = b.vocabulary.recipient_is(rec.as_str(), "external");
    let act = if ext { Act::Disclose } else { Act::Read };
    let leaves: Vec<(String, Field)> = match &route.response_body {
        Body::Json(m) => m.leaves().map(|(p, f)| (p.to_owned(), f)).collect(),
        Body::None => vec![],
    };
    let records = matches!(route.about.as_ref().unwrap().subject, SubjectSource::PerRecord);
    let names: Vec<Option<String>> =
        if records { case.about.iter().cloned().map(Some).collect() } else { vec![subject_name.clone()] };
    if records {
        let its: Vec<Item> = leaves
            .iter()
            .filter_map(|(_, f)| {
                if let Field::Class(c, _) = f {
                    let mut i = item(*c, act, &rec, None);
                    i.verdict = None;
                    Some(i)
                } else {
                    None
                }
            })
            .collect();
        let rr = Ruling::fold(&its);
        if matches!(rr, Ruling::Refuse(_)) {
            return rr;
        }
        let mut om = 0;
        let mut any = false;
        for n in &names {
            let mut w = vec![];
            let mut some = false;
            for (p, f) in &leaves {
                if let Field::Class(c, _) = f {
                    let v = item(*c, act, &rec, n.as_deref()).verdict.unwrap();
                    match v.treatment {
                        Treatment::Withheld => w.push(p.clone()),
                        Treatment::Clear => some = true,
                        t => {
                            some = true;
                            w.push(format!("{p}={t}"))
                        }
                    }
                }
            }
            if !some {
                om += 1
            } else {
                any |= !w.is_empty();
                ds.extend(w)
            }
        }
        if om > 0 {
            ds.insert(format!("omitted {om}"));
            any = true
        }
        return if any { rr } else { r };
    }
    let its: Vec<Item> = leaves
        .iter()
        .filter_map(|(p, f)| {
            if let Field::Class(c, _) = f {
                let i = item(*c, act, &rec, subject_name.as_deref());
                match i.verdict.as_ref().unwrap().treatment {
                    Treatment::Clear => {}
                    Treatment::Withheld => {
                        ds.insert(p.clone());
                    }
                    t => {
                        ds.insert(format!("{p}={t}"));
                    }
                }
                Some(i)
            } else {
                None
            }
        })
        .collect();
    r.and(Ruling::fold(&its))
}
