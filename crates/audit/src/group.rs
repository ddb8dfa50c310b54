//! Which records are written and synced together.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::record::Body;
use crate::writer::{Append, Message, Then};

/// Most records of one group.
const GROUP_RECORDS_MAX: usize = 1_024;
/// A group is closed once it has this many bytes.
const GROUP_BYTES_MAX: usize = 1 << 20;
/// How long the last records of requests, for which nobody waits, may wait to be synced with others.
const CLOSINGS_REST: Duration = Duration::from_millis(4);
/// While so many requests are under way, the next records are near: a group waits for them.
const CROWD: usize = 8;
/// How long it waits for each of them, and in all: the more are under way, the more share the sync.
const CROWD_REST_EACH: Duration = Duration::from_micros(30);
const CROWD_REST_MAX: Duration = Duration::from_millis(2);

/// Records of one write and one sync.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) appends: Vec<Append>,
    records: usize,
    bytes: usize,
    /// Whether somebody waits for one of them.
    awaited: bool,
    /// Whether it has waited for others already.
    rested: bool,
    /// Since when there is something in it.
    since: Option<Instant>,
}

impl Group {
    pub(crate) fn add(&mut self, append: Append) {
        self.records += append.bodies.len();
        self.bytes += append.bodies.iter().map(Body::bytes).sum::<usize>();
        self.awaited |= matches!(append.then, Then::Answer(_));
        self.since.get_or_insert_with(Instant::now);
        self.appends.push(append);
    }

    /// The next message for this group; `None` when the group is to be written as it is.
    pub(crate) fn next(&mut self, queue: &Receiver<Message>, under_way: usize) -> Option<Message> {
        if self.records >= GROUP_RECORDS_MAX || self.bytes >= GROUP_BYTES_MAX {
            return None;
        }
        if let Ok(message) = queue.try_recv() {
            return Some(message);
        }
        if !self.rested && under_way >= CROWD {
            self.rest(under_way);
            if let Ok(message) = queue.try_recv() {
                return Some(message);
            }
        }
        if self.awaited {
            return None;
        }
        let waited = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        queue.recv_timeout(CLOSINGS_REST.saturating_sub(waited)).ok()
    }

    /// Slept through rather than waited for: nobody who sends has to wake this thread.
    fn rest(&mut self, under_way: usize) {
        self.rested = true;
        let rest = CROWD_REST_EACH.saturating_mul(u32::try_from(under_way).unwrap_or(u32::MAX));
        std::thread::sleep(rest.min(CROWD_REST_MAX));
    }
}
