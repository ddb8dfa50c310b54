//! How many connections one address has open; in IPv6 the network that one customer gets counts as one address. Whoever ends
//! TLS in front of the sidecar brings everybody's, and is not counted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consentry_identity::Network;

/// Counts connections by address, as the layer counts requests. There are never more entries than connections, which have a limit of their own.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    each_max: usize,
    /// Who ends TLS in front of the sidecar.
    uncounted: Arc<[Network]>,
}

/// A connection of an address; it counts until this goes.
#[derive(Debug)]
pub(crate) struct PeerPlace {
    /// Whom it counts for; `None` where nobody counts.
    address: Option<IpAddr>,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Peers {
    /// Counts everybody but those in `uncounted`.
    pub(crate) fn new(each_max: usize, uncounted: &[Network]) -> Self {
        Self { open: Arc::default(), each_max, uncounted: uncounted.into() }
    }

    /// A place for one more connection, if the address may have it.
    pub(crate) fn take(&self, address: IpAddr) -> Option<PeerPlace> {
        if self.uncounted.iter().any(|network| network.contains(address)) {
            return Some(PeerPlace { address: None, open: Arc::clone(&self.open) });
        }
        let address = counted(address);
        let mut open = lock(&self.open);
        let count = open.entry(address).or_default();
        if *count >= self.each_max {
            return None;
        }
        *count += 1;
        Some(PeerPlace { address: Some(address), open: Arc::clone(&self.open) })
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&address);
            }
        }
    }
}

/// Whom an address counts for: whoever has one of IPv6 has the 2^64 of its network.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn lock(open: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_no_more_than_its_part_and_gets_it_back() {
        let peers = Peers::new(2, &[]);
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let one = peers.take(a).unwrap();
        let _two = peers.take("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert!(peers.take(a).is_none());
        let _other = peers.take(b).unwrap();
        drop(one);
        peers.take(a).unwrap();
        assert_eq!(lock(&peers.open).len(), 2);
    }

    #[test]
    fn whoever_has_a_whole_network_of_addresses_is_one() {
        let peers = Peers::new(1, &[]);
        let take = |text: &str| peers.take(text.parse().unwrap());
        let _one = take("2001:db8::1").unwrap();
        for (address, free) in [
            ("2001:db8::2", false),
            ("2001:db8::ffff:ffff:ffff:ffff", false),
            ("2001:db8:0:1::1", true),
            ("192.0.2.1", true),
            ("::ffff:192.0.2.2", true),
        ] {
            assert_eq!(take(address).is_some(), free, "{address}");
        }
    }

    #[test]
    fn whoever_ends_tls_in_front_is_not_one_client() {
        let front = ["192.0.2.0/28", "2001:db8::5"].map(|text| Network::parse(text).unwrap());
        let peers = Peers::new(1, &front);
        let places = ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::5", "192.0.2.77", "2001:db8::6"];
        let _held = places.map(|text| peers.take(text.parse().unwrap()).unwrap());
        let again = places.map(|text| peers.take(text.parse().unwrap()).is_some());
        assert_eq!(again, [true, true, true, false, false]);
        assert_eq!(lock(&peers.open).len(), 2);
    }
}
