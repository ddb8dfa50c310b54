//! Every limit by name, with its unit in the name, its default and its range.

use super::reader::{Reader, Section};

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $default:literal, $min:literal..=$max:literal;)*) => {
        /// Every limit of the sidecar. What is over a limit is refused with a reason of its own, or waits.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct ProxyLimits {
            $(
                $(#[$doc])*
                #[doc = concat!("Default ", stringify!($default), ", from ", stringify!($min), " to ", stringify!($max), ".")]
                pub $name: u64,
            )*
        }

        impl Default for ProxyLimits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl ProxyLimits {
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            pub(crate) fn read(section: &Section<'_>, reader: &mut Reader<'_>) -> Self {
                Self { $($name: reader.count(section, stringify!($name), $default, $min..=$max),)* }
            }
        }
    };
}

limits! {
    /// How many connections of callers are open at a time; further ones wait to be accepted.
    connections_max = 1_024, 1..=65_536;
    /// How many of them one address may have, in IPv6 one network of 64 bits; further ones are closed at once. Whoever ends
    /// TLS in front of the sidecar may have all.
    client_connections_max = 512, 1..=65_536;
    /// How long a caller may take for the handshake of TLS, its turn included, in milliseconds.
    tls_handshake_ms_max = 5_000, 50..=60_000;
    /// How many handshakes are made at a time, each from the caller's first message on; further ones wait their turn.
    tls_handshakes_max = 64, 1..=10_000;
    /// How many requests are under way at a time, answers that are still being sent included; further ones are refused.
    requests_max = 1_024, 1..=100_000;
    /// How many of them one client may have: one requester, or one address while nobody is known to ask.
    client_requests_max = 512, 1..=100_000;
    /// How many requests one client may begin, on average, in a second.
    client_requests_per_sec_max = 1_000_000, 1..=1_000_000;
    /// How many requests one client may begin at once, after a rest.
    client_burst_max = 1_000_000, 1..=1_000_000;
    /// How many headers a request may have.
    headers_max = 100, 16..=1_000;
    /// How many parameters the query of a request may have.
    query_parameters_max = 256, 1..=999;
    /// How many requests one HTTP/2 connection may have under way.
    streams_max = 100, 1..=1_000;
    /// How long a caller may take for the head of a request, and stay silent between two, in milliseconds. Over HTTP/1.1 it is
    /// one time for both: for the head, idle time before it included.
    head_wait_ms_max = 10_000, 50..=120_000;
    /// How long the head of a request may be, in bytes.
    head_bytes_max = 32_768, 8_192..=1_048_576;
    /// How long a caller may take for the body of a request, in milliseconds.
    request_body_wait_ms_max = 30_000, 50..=600_000;
    /// How long a caller may leave an answer unread before the connection is closed, in milliseconds. Over HTTP/2 the one
    /// answer is ended, when as much as 16 KiB of no other is taken meanwhile, or when all that waited had that time.
    write_stall_ms_max = 30_000, 50..=600_000;
    /// How long a governed request body may be, in bytes.
    request_body_bytes_max = 1_048_576, 1_024..=67_108_864;
    /// How many bytes of an answer are held until its decision is complete.
    response_hold_bytes_max = 1_048_576, 1_024..=67_108_864;
    /// How many bytes of an answer are decided together.
    window_bytes_max = 262_144, 1_024..=16_777_216;
    /// How many subjects of an answer are decided together.
    window_subjects_max = 256, 1..=10_000;
    /// How long one record of an answer may be, in bytes.
    record_bytes_max = 1_048_576, 1_024..=67_108_864;
    /// How deep a body may be nested.
    depth_max = 64, 4..=256;
    /// How many content codings may have been applied one upon another, in either direction.
    codings_max = 2, 1..=4;
    /// By how many times a body may grow when its content codings are undone.
    coding_ratio_max = 256, 8..=1_032;
    /// Up to how many bytes nobody asks by how much a body grew.
    coding_ratio_floor_bytes = 1_048_576, 1_024..=67_108_864;
    /// How large a window zstd may need, in bytes.
    coding_window_bytes_max = 8_388_608, 1_024..=134_217_728;
    /// How long an answer may become when its content codings are undone, in bytes.
    response_decoded_bytes_max = 1_073_741_824, 1_024..=1_099_511_627_776;
    /// How long an answer must be to be coded again for a caller who accepts it, in bytes.
    recode_bytes_min = 1_024, 64..=1_073_741_824;
    /// How many pairs, parts or columns a form or a table may have, how many texts or rows a request, and how many of those
    /// of an answer are decided at once.
    body_fields_max = 1_000, 1..=100_000;
    /// How long connecting to the upstream may take, in milliseconds: to look its name up, to connect, and for the handshake.
    connect_ms_max = 1_000, 10..=60_000;
    /// How long the upstream may take for the head of its answer, in milliseconds.
    upstream_wait_ms_max = 30_000, 50..=600_000;
    /// How long the upstream may pause between two pieces of its answer's body, in milliseconds.
    upstream_pause_ms_max = 300_000, 50..=3_600_000;
    /// How long a connection to the upstream is kept without use, in milliseconds: less than the time after which the
    /// service closes it, perhaps in the moment of the next request.
    upstream_idle_ms_max = 4_000, 50..=600_000;
    /// How long an answer is held back until its decision is complete, from its head on, in milliseconds.
    response_hold_ms_max = 600_000, 50..=3_600_000;
    /// How old a decision may be when what was decided on leaves, in milliseconds; what comes later is decided anew.
    decision_age_ms_max = 10_000, 50..=600_000;
    /// How long the ledger may take, in milliseconds.
    ledger_wait_ms_max = 2_000, 50..=60_000;
    /// How long a record may take to become durable, in milliseconds.
    evidence_wait_ms_max = 10_000, 50..=60_000;
    /// How long a bundle stays in force without being found sealed on disk again, in seconds.
    bundle_age_secs_max = 86_400, 10..=2_592_000;
    /// How many requests can be recorded at a time; further ones are refused.
    evidence_slots_max = 4_096, 1..=1_000_000;
}
