//! What many requests have alike is said once in each segment, and read with each of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use consentry_audit::{
    AuditLog, Closing, End, Entry, FactWord, FactWords, Head, LogOptions, Reader, Record, Search,
    VerifyOptions, VerifyStatus, Worded, Wording, verify,
};
use consentry_model::{LedgerRevision, Outcome, Purpose, Reason, RequesterId};

use crate::support::{FailingDisk, Faults, NOON, head, line, records, subject, unsigned};

/// What this requester hears of whomever it asks about.
fn wording(requester: &str) -> Arc<Wording> {
    let mut asked = head(requester, "essential.service", Outcome::Allow, None);
    (asked.ledger, asked.reason) = (None, None);
    let mut lines = vec![line(0, "c-1", None), line(0, "c-2", Some(Reason::ConsentWithdrawn))];
    lines.iter_mut().for_each(|line| line.subjects.clear());
    let facts: FactWords = [("request.gpc".into(), FactWord::Bool(false))].into();
    Arc::new(Wording::new(asked, facts, lines).unwrap())
}

/// Another request that hears that, about this person at this revision of the ledger.
async fn another(log: &AuditLog, wording: &Arc<Wording>, about: u8, ledger: u64) {
    let mut ticket = log.reserve(NOON).unwrap();
    let mut head = Head::new(Outcome::Redact);
    head.ledger = Some(LedgerRevision(ledger));
    head.worded = Some(Worded::new(Arc::clone(wording), Some(subject(about))));
    ticket.commit(head).await.unwrap();
    ticket.close(&Closing::new(End::Delivered));
}

fn heads(records: &[Record]) -> Vec<(&Record, &Head)> {
    let head =
        |record| if let Entry::Head(head) = Record::entry(record) { Some((record, head)) } else { None };
    records.iter().filter_map(head).collect()
}

fn open(dir: &std::path::Path, segment_bytes_max: u64) -> AuditLog {
    let mut options = unsigned();
    options.segment_bytes_max = segment_bytes_max;
    AuditLog::open(dir, options).unwrap()
}

#[tokio::test]
async fn each_segment_spells_out_once_what_its_heads_have_alike() {
    for segment_bytes_max in [1 << 20, 6_000, 1] {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path(), segment_bytes_max);
        let words = [wording("shop"), wording("support")];
        for number in 0..40_u8 {
            another(&log, &words[usize::from(number % 3 == 0)], number, number.into()).await;
        }
        log.shutdown();
        let found = records(dir.path());
        let heads = heads(&found);
        assert_eq!(heads.len(), 40);
        for (number, (record, head)) in (0..40_u8).zip(&heads) {
            let requester = RequesterId::new(if number % 3 == 0 { "support" } else { "shop" });
            assert_eq!(head.requester, Some(requester), "{segment_bytes_max} {number}");
            assert_eq!((head.ledger, head.outcome), (Some(LedgerRevision(number.into())), Outcome::Redact));
            assert_eq!((head.verdicts.len(), head.facts.len()), (2, 1));
            assert!(head.verdicts.iter().all(|line| line.subjects == [subject(number)]));
            let text = std::str::from_utf8(record.bytes()).unwrap();
            assert_eq!(text.contains("verdicts"), head.precedent.is_none());
            assert!(text.contains(r#""bundle":"d1""#), "law 14");
        }
        let spelled_out = heads.iter().filter(|(_, head)| head.precedent.is_none()).count();
        let segments = std::fs::read_dir(dir.path().join("wal")).unwrap().count();
        match segment_bytes_max {
            1 => assert_eq!(spelled_out, 40, "each stands in a segment of its own"),
            6_000 => assert!((3..40).contains(&spelled_out) && spelled_out <= 2 * segments && segments > 1),
            _ => assert_eq!((spelled_out, segments), (2, 1)),
        }
        let checked = verify(dir.path(), &VerifyOptions::default());
        assert_eq!((checked.status, checked.first_failure), (VerifyStatus::Ok, None));
    }
}

#[tokio::test]
async fn a_head_that_follows_another_is_found_by_what_that_one_says_and_by_whom_it_is_about() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), 1 << 20);
    let (shop, support) = (wording("shop"), wording("support"));
    for about in [1, 2, 3] {
        another(&log, &shop, about, 1).await;
        another(&log, &support, about, 1).await;
    }
    log.shutdown();
    type Asks = fn(&mut Search);
    let rows: [(&str, Asks, usize); 6] = [
        ("requester", |s| s.requester = Some(RequesterId::new("shop")), 3),
        ("purpose", |s| s.purpose = Some(Purpose::new("essential").unwrap()), 6),
        ("clause", |s| s.clause = Some("c-2".to_owned()), 6),
        ("reason", |s| s.reason = Some(Reason::ConsentWithdrawn), 6),
        ("subject", |s| s.subject = Some(subject(3)), 2),
        ("nobody", |s| s.subject = Some(subject(0)), 0),
    ];
    let reader = Reader::open(dir.path()).unwrap();
    for (name, asks, found) in rows {
        let mut search = Search::default();
        asks(&mut search);
        assert_eq!(search.run(&reader).unwrap().len(), found, "{name}");
    }
}

#[tokio::test]
async fn law_12_after_a_crash_or_an_outage_nothing_follows_what_was_cut_off() {
    // The record that spells it out is lost with its group, and the next one must not name it.
    let dir = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let mut options: LogOptions = unsigned();
    options.storage = Arc::new(FailingDisk(Arc::clone(&faults)));
    let log = AuditLog::open(dir.path(), options).unwrap();
    let (shop, support) = (wording("shop"), wording("support"));
    another(&log, &shop, 1, 1).await;
    let mut ticket = log.reserve(NOON).unwrap();
    faults.sync.store(true, Ordering::SeqCst);
    let mut lost = Head::new(Outcome::Redact);
    lost.worded = Some(Worded::new(Arc::clone(&support), Some(subject(2))));
    ticket.commit(lost).await.unwrap_err();
    drop(ticket);
    faults.sync.store(false, Ordering::SeqCst);
    log.reopen().await.unwrap();
    for words in [&support, &shop, &support] {
        another(&log, words, 3, 1).await;
    }
    log.shutdown();
    // Another process begins another segment.
    let log = open(dir.path(), 1 << 20);
    another(&log, &shop, 4, 1).await;
    another(&log, &shop, 5, 1).await;
    log.shutdown();
    let found = records(dir.path());
    let follow: Vec<bool> = heads(&found).iter().map(|(_, head)| head.precedent.is_some()).collect();
    assert_eq!(follow, [false, false, false, true, false, true]);
    assert_eq!(verify(dir.path(), &VerifyOptions::default()).status, VerifyStatus::Ok);
}
