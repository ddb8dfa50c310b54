//! Networks of addresses, by which connections are told apart.

use std::fmt;
use std::net::IpAddr;

/// A network: an address and how many of its leading bits count (RFC 4632, RFC 4291).
///
/// ```
/// use consentry_identity::Network;
///
/// let network = Network::parse("10.1.0.0/16").ok_or("no network")?;
/// assert!(network.contains("10.1.2.3".parse()?) && network.contains("::ffff:10.1.2.3".parse()?));
/// assert!(!network.contains("10.2.0.1".parse()?));
/// assert_eq!(Network::parse("10.1.2.3/16"), None); // bits beyond the prefix: it could mean either
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `address/bits`, or an address, which is a network of one. Bits beyond the prefix are no network.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => {
                let plain = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
                let short = bits.len() == 1 || !bits.starts_with('0');
                (address, Some(bits.parse::<u8>().ok().filter(|_| plain && short)?))
            }
        };
        let base: IpAddr = address.parse().ok()?;
        // A mapped address would make two spellings of one network; only a single one is taken over as what it maps.
        let base = if bits.is_none() { base.to_canonical() } else { base };
        if base != base.to_canonical() {
            return None;
        }
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        let network = Self { base, bits };
        (bits <= width && network.prefix(base) == Some(raw(base))).then_some(network)
    }

    /// Whether an address lies in it. An IPv4 address mapped into IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && self.prefix(address) == Some(raw(self.base))
    }

    /// The leading bits of an address, the others zero.
    fn prefix(&self, address: IpAddr) -> Option<u128> {
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let host = width.checked_sub(u32::from(self.bits))?;
        // Shifting out every bit at once is no shift: a prefix of no bits is zero.
        Some(raw(address).checked_shr(host).and_then(|p| p.checked_shl(host)).unwrap_or(0))
    }
}

fn raw(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_network_has_one_spelling_and_holds_its_own() {
        for (text, inside, outside) in [
            (
                "10.0.0.0/8",
                &["10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"][..],
                &["11.0.0.0", "::a00:1"][..],
            ),
            ("192.0.2.7", &["192.0.2.7"], &["192.0.2.6", "192.0.2.8"]),
            ("::ffff:192.0.2.7", &["192.0.2.7"], &["192.0.2.6"]),
            ("192.0.2.7/32", &["192.0.2.7"], &["192.0.2.6"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::", "2001:db8::1"]),
            ("::/0", &["::", "2001:db8::1"], &["192.0.2.7", "::ffff:192.0.2.7"]),
            ("2001:db8::/32", &["2001:db8::1", "2001:db8:ffff::"], &["2001:db9::", "32.1.13.184"]),
            ("fd00::1/128", &["fd00::1"], &["fd00::2"]),
        ] {
            let network = Network::parse(text).unwrap();
            for address in inside {
                assert!(network.contains(address.parse().unwrap()), "{text} {address}");
            }
            for address in outside {
                assert!(!network.contains(address.parse().unwrap()), "{text} {address}");
            }
        }
        for text in [
            "",
            "10",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.0 /8",
            "010.0.0.0/8",
            "::/129",
            "::1/64",
            "::ffff:10.0.0.0/104",
            "localhost",
            "*",
            "10.0.0.*",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
