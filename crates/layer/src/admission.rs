//! How many requests may come, and how often: in all, and of each client. Whoever is turned away has cost no memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consentry_model::{Moment, Reason, RequesterId};

use crate::limits::Limits;

/// How many clients are told apart at a time. Whoever comes when nobody of them can be forgotten is turned away.
const CLIENTS_MAX: usize = 16_384;
/// A request costs so much of a bucket that fills by so much in a millisecond, times the rate.
const COST: u64 = 1_000;

/// Whom requests are counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// Who the token says.
    Requester(RequesterId),
    /// Where the connection comes from, while nobody is known to ask; all of an IPv6 network of 64 bits is one.
    Address(IpAddr),
    /// Nobody said where from.
    Nowhere,
}

impl Client {
    pub(crate) fn at(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V6(v6)) => {
                let network = v6.to_bits() & !u128::from(u64::MAX);
                Self::Address(IpAddr::V6(network.into()))
            }
            Some(v4) => Self::Address(v4),
            None => Self::Nowhere,
        }
    }
}

/// What one client has.
#[derive(Debug)]
struct Usage {
    under_way: usize,
    /// What is left of the bucket, and as of when.
    left: u64,
    as_of: Moment,
}

#[derive(Debug, Default)]
struct Book {
    under_way: usize,
    clients: HashMap<Client, Usage>,
}

/// Admits requests.
#[derive(Debug)]
pub(crate) struct Admission {
    book: Arc<Mutex<Book>>,
    requests_max: usize,
    client_requests_max: usize,
    per_sec: u64,
    bucket: u64,
}

/// A request that was admitted; it counts as under way until this goes.
#[derive(Debug)]
pub(crate) struct Admitted {
    book: Arc<Mutex<Book>>,
    client: Option<Client>,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            book: Arc::default(),
            requests_max: limits.requests_max,
            client_requests_max: limits.client_requests_max,
            per_sec: limits.client_requests_per_sec_max.max(1),
            bucket: limits.client_burst_max.max(1).saturating_mul(COST),
        }
    }

    /// Admits a request of whom nothing is known but the address. Whoever keeps coming without a name that holds is not
    /// listened to any more.
    pub(crate) fn enter(&self, address: Option<IpAddr>, now: Moment) -> Result<Admitted, Reason> {
        let mut book = lock(&self.book);
        if book.under_way >= self.requests_max {
            return Err(Reason::Overloaded);
        }
        // Of whom nobody says where they come from, one may not use up what is another's.
        if let Some(usage) = address.and_then(|_| book.clients.get(&Client::at(address)))
            && self.left(usage, now) < COST
        {
            return Err(Reason::RateExceeded);
        }
        book.under_way += 1;
        Ok(Admitted { book: Arc::clone(&self.book), client: None })
    }

    /// Counts the request for a client, and no more for whom it was counted before.
    pub(crate) fn count(&self, admitted: &mut Admitted, client: Client, now: Moment) -> Result<(), Reason> {
        if admitted.client.as_ref() == Some(&client) {
            return Ok(());
        }
        let mut book = lock(&self.book);
        if !book.clients.contains_key(&client) && book.clients.len() >= CLIENTS_MAX {
            book.clients.retain(|_, usage| usage.under_way > 0 || self.left(usage, now) < self.bucket);
            if book.clients.len() >= CLIENTS_MAX {
                return Err(Reason::Overloaded);
            }
        }
        let fresh = Usage { under_way: 0, left: self.bucket, as_of: now };
        let usage = book.clients.entry(client.clone()).or_insert(fresh);
        if usage.under_way >= self.client_requests_max {
            return Err(Reason::ClientBusy);
        }
        let left = self.left(usage, now).checked_sub(COST).ok_or(Reason::RateExceeded)?;
        usage.left = left;
        // A clock that is set back fills no bucket twice.
        usage.as_of = usage.as_of.max(now);
        usage.under_way += 1;
        if let Some(usage) = admitted.client.replace(client).and_then(|before| book.clients.get_mut(&before))
        {
            usage.under_way = usage.under_way.saturating_sub(1);
        }
        Ok(())
    }

    fn left(&self, usage: &Usage, now: Moment) -> u64 {
        let millis = u64::try_from(now.millis_since(usage.as_of)).unwrap_or(0);
        usage.left.saturating_add(millis.saturating_mul(self.per_sec)).min(self.bucket)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut book = lock(&self.book);
        book.under_way = book.under_way.saturating_sub(1);
        if let Some(usage) = self.client.as_ref().and_then(|client| book.clients.get_mut(client)) {
            usage.under_way = usage.under_way.saturating_sub(1);
        }
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(requests: usize, of_client: usize, per_sec: u64, burst: u64) -> Admission {
        let limits = Limits {
            requests_max: requests,
            client_requests_max: of_client,
            client_requests_per_sec_max: per_sec,
            client_burst_max: burst,
            ..Limits::default()
        };
        Admission::new(&limits)
    }

    fn at(millis: i64) -> Moment {
        Moment::from_unix_millis(millis)
    }

    fn named(name: &str) -> Client {
        Client::Requester(RequesterId::new(name))
    }

    fn come(admission: &Admission, client: Client, millis: i64) -> Result<Admitted, Reason> {
        let mut admitted = admission.enter(None, at(millis))?;
        admission.count(&mut admitted, client, at(millis))?;
        Ok(admitted)
    }

    #[test]
    fn no_more_are_under_way_than_there_is_room_for() {
        let admission = admission(3, 2, 1_000, 1_000);
        let one = come(&admission, named("a"), 0).unwrap();
        let _two = come(&admission, named("a"), 0).unwrap();
        assert_eq!(come(&admission, named("a"), 0).unwrap_err(), Reason::ClientBusy);
        let three = come(&admission, named("b"), 0).unwrap();
        assert_eq!(come(&admission, named("c"), 0).unwrap_err(), Reason::Overloaded);
        drop(three);
        assert_eq!(come(&admission, named("a"), 0).unwrap_err(), Reason::ClientBusy, "and left no trace");
        drop(one);
        come(&admission, named("a"), 0).unwrap();
    }

    #[test]
    fn a_bucket_empties_by_requests_and_fills_with_time() {
        let admission = admission(100, 100, 2, 3);
        for (millis, admitted) in [
            (0, true),
            (0, true),
            (0, true),
            (0, false),
            (499, false),
            (500, true),
            (500, false),
            // Never more than the burst, and a clock that is set back gives nothing.
            (60_000, true),
            (60_000, true),
            (60_000, true),
            (60_000, false),
            (0, false),
            (60_000, false),
        ] {
            let came = come(&admission, named("a"), millis);
            assert_eq!(came.err(), (!admitted).then_some(Reason::RateExceeded), "at {millis}");
        }
        come(&admission, named("b"), 0).unwrap();
    }

    #[test]
    fn whoever_has_no_name_is_known_by_the_address() {
        let address = |text: &str| Client::at(Some(text.parse().unwrap()));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        let admission = admission(100, 100, 1, 1);
        let stranger = Some("192.0.2.1".parse().unwrap());
        let mut first = admission.enter(stranger, at(0)).unwrap();
        admission.count(&mut first, Client::at(stranger), at(0)).unwrap();
        assert_eq!(
            admission.enter(stranger, at(0)).unwrap_err(),
            Reason::RateExceeded,
            "before any token is read"
        );
        admission.enter(stranger, at(1_000)).unwrap();
    }

    #[test]
    fn whoever_turns_out_to_ask_takes_the_place_of_the_address() {
        let admission = admission(100, 1, 1, 2);
        let address = || Client::at(Some("192.0.2.1".parse().unwrap()));
        let mut first = admission.enter(None, at(0)).unwrap();
        admission.count(&mut first, address(), at(0)).unwrap();
        admission.count(&mut first, address(), at(0)).unwrap();
        let mut second = admission.enter(None, at(0)).unwrap();
        assert_eq!(admission.count(&mut second, address(), at(0)).unwrap_err(), Reason::ClientBusy);
        admission.count(&mut first, named("a"), at(0)).unwrap();
        admission.count(&mut second, address(), at(0)).unwrap();
        assert_eq!(admission.count(&mut second, named("a"), at(0)).unwrap_err(), Reason::ClientBusy);
        drop((first, second));
        assert!(lock(&admission.book).clients.values().all(|usage| usage.under_way == 0));
    }

    #[test]
    fn nobody_uses_up_for_others_what_comes_from_nowhere() {
        let admission = admission(100, 100, 1, 1);
        come(&admission, Client::Nowhere, 0).unwrap();
        assert_eq!(come(&admission, Client::Nowhere, 0).unwrap_err(), Reason::RateExceeded);
        come(&admission, named("a"), 0).unwrap();
    }

    #[test]
    fn clients_that_rest_are_forgotten_and_nobody_else() {
        let admission = admission(usize::MAX, 1, 1_000, 1);
        let held: Vec<_> =
            (0..CLIENTS_MAX).map(|n| come(&admission, named(&n.to_string()), 0).unwrap()).collect();
        assert_eq!(come(&admission, named("one more"), 9_000).unwrap_err(), Reason::Overloaded);
        drop(held);
        come(&admission, named("one more"), 9_000).unwrap();
        assert_eq!(lock(&admission.book).clients.len(), 1);
    }
}
