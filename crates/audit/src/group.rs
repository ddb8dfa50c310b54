//! Which records are written and synced together.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::bell::Bell;
use crate::message::{Append, Message, Then};
use crate::record::Body;

/// Most records of one group.
const GROUP_RECORDS_MAX: usize = 1_024;
/// A group is closed once it has this many bytes.
const GROUP_BYTES_MAX: usize = 1 << 20;
/// How long the last records of requests, for which nobody waits, may wait to be synced with others.
const CLOSINGS_REST: Duration = Duration::from_millis(4);
/// While so many requests are under way, the next records are near: a group waits for them.
const CROWD: usize = 8;
/// How long it waits for all of them at most before it looks whether any came, which it does as long as they do: each time
/// twice as long as the time before, and so often at most.
const CROWD_REST: Duration = Duration::from_micros(100);
const CROWD_RESTS_MAX: u32 = 5;

/// Records of one write and one sync.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) appends: Vec<Append>,
    records: usize,
    bytes: usize,
    /// Whether somebody waits for one of them.
    awaited: bool,
    /// How often it has waited for others, and how many appends it had when it last did.
    rests: u32,
    had: usize,
    /// Since when there is something in it.
    since: Option<Instant>,
}

impl Group {
    pub(crate) fn add(&mut self, append: Append, bell: &Bell) {
        if append.ticket.is_some() {
            bell.taken();
        }
        self.records += append.bodies.len();
        self.bytes += append.bodies.iter().map(Body::bytes).sum::<usize>();
        self.awaited |= matches!(append.then, Then::Answer(_));
        self.since.get_or_insert_with(Instant::now);
        self.appends.push(append);
    }

    /// The next message for this group; `None` when the group is to be written as it is.
    pub(crate) fn next(
        &mut self,
        queue: &Receiver<Message>,
        under_way: usize,
        bell: &Bell,
    ) -> Option<Message> {
        if self.records >= GROUP_RECORDS_MAX || self.bytes >= GROUP_BYTES_MAX {
            return None;
        }
        if let Ok(message) = queue.try_recv() {
            return Some(message);
        }
        while self.is_worth_resting(under_way) {
            // Not waited for in the queue, where each that comes would wake this thread.
            let others = under_way.saturating_sub(self.appends.len());
            bell.rest(others, CROWD_REST.saturating_mul(1 << self.rests));
            (self.rests, self.had) = (self.rests + 1, self.appends.len());
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

    /// Whether others may come soon: many are under way, not all of them have something in this group, and while it rested
    /// last somebody came. The more there are, the more share the sync.
    fn is_worth_resting(&self, under_way: usize) -> bool {
        let others = under_way > self.appends.len();
        under_way >= CROWD && others && self.rests < CROWD_RESTS_MAX && self.appends.len() > self.had
    }
}
