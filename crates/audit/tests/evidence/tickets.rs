//! Slots, endings, and finding requests again.

use consentry_audit::{
    AuditLog, Closing, End, Entry, Full, Kind, LogOptions, Reader, Search, TraceParent, VerifyOptions, verify,
};
use consentry_model::{Moment, Outcome, Purpose, Reason, RequesterId};

use crate::support::{NOON, head, kinds, line, records, subject, window};

#[tokio::test]
async fn slots_run_out_and_are_free_again_after_the_last_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = LogOptions::default();
    options.slots_max = 2;
    let log = AuditLog::open(dir.path(), options).unwrap();
    let first = log.reserve(NOON).unwrap();
    let second = log.reserve(NOON).unwrap();
    assert_eq!(log.reserve(NOON).unwrap_err(), Full::Slots);
    assert_eq!(Full::Slots.reason(), Reason::EvidenceFull);
    first.close(&Closing::new(End::Delivered));
    log.flush().await.unwrap();
    let third = log.reserve(NOON).unwrap();
    assert_eq!(log.reserve(NOON).unwrap_err(), Full::Slots);
    drop((second, third));
    log.flush().await.unwrap();
    let health = log.health();
    assert_eq!((health.slots_used, health.slots_max, health.full_total), (0, 2, 2));
}

#[tokio::test]
async fn a_ticket_ends_exactly_once_also_when_it_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
    let closed = log.reserve(NOON).unwrap();
    let dropped = log.reserve(NOON).unwrap();
    let ids = [closed.id(), dropped.id()];
    let mut closing = Closing::new(End::Refused);
    closing.status = Some(403);
    closed.close(&closing);
    drop(dropped);
    log.shutdown();
    for (id, end) in ids.into_iter().zip([End::Refused, End::Abandoned]) {
        let found = Reader::open(dir.path()).unwrap().ticket(id).unwrap();
        let ends: Vec<_> = found
            .iter()
            .filter_map(|r| if let Entry::Outcome(closing) = r.entry() { Some(closing.end) } else { None })
            .collect();
        assert_eq!(ends, [end]);
    }
}

#[tokio::test]
async fn a_head_names_the_trace_and_the_callers_sampling_drops_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
    let mut ticket = log.reserve(NOON).unwrap();
    let caller = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap();
    ticket.join_trace(caller);
    let ours = TraceParent::parse(&ticket.traceparent().unwrap()).unwrap();
    assert_eq!((ours.trace_id, ours.sampled), (caller.trace_id, false));
    assert_ne!(ours.span_id, caller.span_id);
    ticket.commit(head("shop", "essential", Outcome::Allow, None)).await.unwrap();
    ticket.close(&Closing::new(End::Delivered));
    log.shutdown();
    let found = records(dir.path());
    let Entry::Head(head) = found[1].entry() else { panic!() };
    assert_eq!(ours.header(), format!("00-{}-{}-00", head.trace_id, head.span_id));
    assert_eq!(kinds(dir.path()), ["log.opened", "head", "outcome"]);
}

/// Three requests; what each is found by.
#[tokio::test]
async fn requests_are_found_by_what_any_of_their_records_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = LogOptions::default();
    let clock = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(1_000));
    let told = std::sync::Arc::clone(&clock);
    options.clock =
        std::sync::Arc::new(move || Moment::from_unix_millis(told.load(std::sync::atomic::Ordering::SeqCst)));
    let log = AuditLog::open(dir.path(), options).unwrap();
    let mut ids = Vec::new();
    for (n, requester, purpose, outcome, reason, clause) in [
        (1, "shop", "essential.service", Outcome::Allow, None, "c-1"),
        (2, "mailer", "marketing.email", Outcome::Refuse, Some(Reason::ConsentWithdrawn), "c-2"),
        (3, "shop", "marketing.email", Outcome::Redact, Some(Reason::ConsentRequired), "c-2"),
    ] {
        clock.store(i64::from(n) * 10_000, std::sync::atomic::Ordering::SeqCst);
        let mut ticket = log.reserve(NOON).unwrap();
        ids.push(ticket.id());
        ticket.commit(head(requester, purpose, outcome, reason)).await.unwrap();
        ticket.commit(window(0, vec![line(n, clause, reason)])).await.unwrap();
        ticket.close(&Closing::new(if n == 2 { End::Refused } else { End::Delivered }));
        log.flush().await.unwrap();
    }
    log.shutdown();
    let reader = Reader::open(dir.path()).unwrap();
    let moment = |seconds: i64| Some(Moment::from_unix_millis(seconds * 1_000));
    type Change = Box<dyn Fn(&mut Search)>;
    let cases: Vec<(&str, Change, Vec<usize>)> = vec![
        ("requester", Box::new(|s| s.requester = Some(RequesterId::new("shop"))), vec![2, 0]),
        ("purpose", Box::new(|s| s.purpose = Purpose::new("marketing").ok()), vec![2, 1]),
        ("outcome", Box::new(|s| s.outcome = Some(Outcome::Refuse)), vec![1]),
        ("end", Box::new(|s| s.end = Some(End::Delivered)), vec![2, 0]),
        ("reason", Box::new(|s| s.reason = Some(Reason::ConsentRequired)), vec![2]),
        ("clause", Box::new(|s| s.clause = Some("c-2".into())), vec![2, 1]),
        ("subject", Box::new(|s| s.subject = Some(subject(1))), vec![0]),
        ("since", Box::new(move |s| s.since = moment(20)), vec![2, 1]),
        ("window of time", Box::new(move |s| (s.since, s.until) = (moment(20), moment(30))), vec![1]),
        (
            "two records together",
            Box::new(|s| {
                s.requester = Some(RequesterId::new("shop"));
                s.subject = Some(subject(3));
            }),
            vec![2],
        ),
        (
            "nobody",
            Box::new(|s| {
                s.requester = Some(RequesterId::new("mailer"));
                s.subject = Some(subject(3));
            }),
            vec![],
        ),
        (
            "oldest first, one",
            Box::new(|s| {
                s.clause = Some("c-2".into());
                (s.newest_first, s.limit) = (false, 1);
            }),
            vec![1],
        ),
    ];
    for (name, change, expected) in cases {
        let mut search = Search::default();
        change(&mut search);
        let found = search.run(&reader).unwrap();
        let tickets: Vec<_> = found.iter().map(|f| f.ticket.unwrap()).collect();
        assert_eq!(tickets, expected.iter().map(|n| ids[*n]).collect::<Vec<_>>(), "{name}");
        for found in &found {
            let kinds: Vec<_> = found.records.iter().map(consentry_audit::Record::kind).collect();
            assert_eq!(kinds, [Kind::Head, Kind::Verdicts, Kind::Outcome], "{name}");
        }
    }
    let mut by_id = Search::default();
    by_id.id = Some(ids[1]);
    assert_eq!(by_id.run(&reader).unwrap()[0].ticket, Some(ids[1]));
    assert_eq!(verify(dir.path(), &VerifyOptions::default()).tickets_open, 0);
}
