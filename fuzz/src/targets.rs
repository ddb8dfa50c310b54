//! The list of targets.

use crate::{bundle, carriers, coding, exchange, json, media, people, purpose, token, wire};

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of its module, its program and its folder of seeds.
    pub name: &'static str,
    /// What it does with some bytes. It panics when a promise is broken.
    pub run: fn(&[u8]),
    /// How many mutations the bounded run tries. The slower a target, the fewer.
    pub rounds: u32,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "bundle", run: bundle::run, rounds: 300 },
    Target { name: "carriers", run: carriers::run, rounds: 20_000 },
    Target { name: "coding", run: coding::run, rounds: 3_000 },
    Target { name: "exchange", run: exchange::run, rounds: 3_000 },
    Target { name: "json", run: json::run, rounds: 20_000 },
    Target { name: "media", run: media::run, rounds: 20_000 },
    Target { name: "people", run: people::run, rounds: 3_000 },
    Target { name: "purpose", run: purpose::run, rounds: 50_000 },
    Target { name: "token", run: token::run, rounds: 2_000 },
    Target { name: "wire", run: wire::run, rounds: 50_000 },
];
