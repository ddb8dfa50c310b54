//! Verified tokens, kept until they end, so that the same token is not verified twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use consentry_model::Moment;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many parts the cache has, each behind its own lock.
const SHARDS: usize = 16;

/// The name of a token in the cache: a keyed hash of all its bytes. Nobody outside knows the key, so nobody can make two
/// tokens of one name, and what is kept in memory cannot be presented as a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenName([u8; 32]);

/// Something that a verified token says, and from when until when it holds.
pub(crate) struct Kept<V> {
    pub(crate) begins: Moment,
    /// The first moment at which it no longer holds.
    pub(crate) expires: Moment,
    pub(crate) said: Arc<V>,
}

/// How often a token was found verified, and how often not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Tokens that were found.
    pub hits: u64,
    /// Tokens that were not found, valid or not.
    pub misses: u64,
    /// Tokens that are held.
    pub held: usize,
}

/// What verified tokens say, by their names. It holds what it is given: whether that still holds is asked on every use.
/// Tokens that did not verify are not kept.
pub(crate) struct Cache<V> {
    /// Keyed and ready to be copied; `None` keeps nothing.
    mac: Option<Hmac<Sha256>>,
    shards: [Mutex<Shard<V>>; SHARDS],
    /// Most tokens of one generation of one shard.
    generation_max: usize,
}

/// Two generations: when the young one is full it becomes the old one, and the former old one is forgotten. What is used
/// becomes young again. No use costs more than a look or two.
struct Shard<V> {
    young: HashMap<TokenName, Kept<V>>,
    old: HashMap<TokenName, Kept<V>>,
    hits: u64,
    misses: u64,
}

impl<V> Cache<V> {
    /// A cache of about so many tokens at most; of none when there is no randomness to key it with.
    pub(crate) fn new(tokens_max: usize) -> Self {
        let mut key = [0_u8; 32];
        let keyed = tokens_max > 0 && getrandom::fill(&mut key).is_ok();
        let mac = keyed.then(|| Hmac::new_from_slice(&key).ok()).flatten();
        let shard = |_| Mutex::new(Shard::default());
        let generation_max = tokens_max.div_ceil(2 * SHARDS);
        Self { mac, shards: std::array::from_fn(shard), generation_max }
    }

    /// The name of a token; `None` when nothing is kept.
    pub(crate) fn name(&self, token: &[u8]) -> Option<TokenName> {
        let mut mac = self.mac.clone()?;
        mac.update(token);
        Some(TokenName(mac.finalize().into_bytes().into()))
    }

    /// What the token of this name was found to say.
    pub(crate) fn find(&self, name: TokenName) -> Option<Kept<V>> {
        let mut shard = self.shard(name)?.lock().ok()?;
        let found = shard.find(name, self.generation_max);
        if found.is_some() {
            shard.hits = shard.hits.saturating_add(1);
        } else {
            shard.misses = shard.misses.saturating_add(1);
        }
        found
    }

    /// Keeps what a verified token says.
    pub(crate) fn keep(&self, name: TokenName, kept: Kept<V>) {
        if let Some(Ok(mut shard)) = self.shard(name).map(Mutex::lock) {
            shard.put(name, kept, self.generation_max);
        }
    }

    pub(crate) fn counts(&self) -> CacheCounts {
        let mut sum = CacheCounts::default();
        for shard in self.shards.iter().filter_map(|shard| shard.lock().ok()) {
            sum.hits = sum.hits.saturating_add(shard.hits);
            sum.misses = sum.misses.saturating_add(shard.misses);
            sum.held = sum.held.saturating_add(shard.young.len()).saturating_add(shard.old.len());
        }
        sum
    }

    fn shard(&self, name: TokenName) -> Option<&Mutex<Shard<V>>> {
        let TokenName([first, ..]) = name;
        self.shards.get(usize::from(first) % SHARDS)
    }
}

impl<V> Shard<V> {
    fn find(&mut self, name: TokenName, generation_max: usize) -> Option<Kept<V>> {
        if let Some(kept) = self.young.get(&name) {
            return Some(kept.clone());
        }
        let kept = self.old.remove(&name)?;
        self.put(name, kept.clone(), generation_max);
        Some(kept)
    }

    fn put(&mut self, name: TokenName, kept: Kept<V>, generation_max: usize) {
        if self.young.len() >= generation_max && !self.young.contains_key(&name) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, kept);
    }
}

impl<V> Default for Shard<V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), hits: 0, misses: 0 }
    }
}

impl<V> Clone for Kept<V> {
    fn clone(&self) -> Self {
        Self { begins: self.begins, expires: self.expires, said: Arc::clone(&self.said) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(said: u64) -> Kept<u64> {
        Kept { begins: Moment::BEGINNING, expires: Moment::BEGINNING, said: Arc::new(said) }
    }

    #[test]
    fn the_cache_stays_within_its_bound_and_keeps_what_is_used() {
        let cache = Cache::new(64);
        let used = cache.name(b"used").unwrap();
        cache.keep(used, kept(0));
        for n in 1..10_000_u64 {
            cache.keep(cache.name(&n.to_le_bytes()).unwrap(), kept(n));
            assert_eq!(cache.find(used).map(|k| *k.said), Some(0), "{n}");
        }
        let counts = cache.counts();
        assert!(counts.held <= 64 && counts.held > 32, "{counts:?}");
        assert_eq!((counts.hits, counts.misses), (9_999, 0));
        assert!(cache.find(cache.name(b"other").unwrap()).is_none());
        assert_eq!(cache.counts().misses, 1);
    }

    #[test]
    fn law_1_a_name_is_of_the_whole_token_and_of_one_cache() {
        let (one, other) = (Cache::<()>::new(1), Cache::<()>::new(1));
        let long = vec![b'a'; 5_000];
        let mut changed = long.clone();
        *changed.last_mut().unwrap() = b'b';
        assert!(one.name(&long) == one.name(&long) && one.name(&long) != one.name(&changed));
        assert!(one.name(&long) != other.name(&long), "keyed anew for every cache");
        assert!(Cache::<()>::new(0).name(b"a").is_none(), "none is kept");
    }
}
