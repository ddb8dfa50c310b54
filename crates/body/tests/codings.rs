//! Content codings against other people's encoders, and against whoever writes them by hand.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::io::Write as _;

use consentry_body::{Coding, CodingFault, CodingLimits, Decoded, Decoder, Encoder, decode};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

const TEXT: &[u8] = br#"{"id":"c-1","name":"Ann Sample","notes":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","b"],"plan":"pro"}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bare(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8], quality: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 4096, quality, 22);
    writer.write_all(bytes).unwrap();
    drop(writer);
    out
}

/// As a server streams it: the length is unknown when the frame begins.
fn zstd_streamed(bytes: &[u8], level: i32, checksum: bool, window_log: Option<u32>) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level).unwrap();
    encoder.include_checksum(checksum).unwrap();
    if let Some(log) = window_log {
        encoder.window_log(log).unwrap();
    }
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn coded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => gzip(bytes),
        Coding::Deflate => zlib(bytes),
        Coding::Brotli => brotli(bytes, 5),
        Coding::Zstd => zstd_streamed(bytes, 3, true, None),
    }
}

/// Decodes in pieces of so many bytes, each only when it is asked for.
fn in_pieces(
    codings: &[Coding],
    limits: CodingLimits,
    body: &[u8],
    size: usize,
) -> Result<Vec<u8>, CodingFault> {
    let mut decoder = Decoder::new(codings, limits)?;
    let mut pieces = body.chunks(size.max(1));
    let (mut out, mut ended) = (Vec::new(), false);
    loop {
        match decoder.step()? {
            Decoded::Bytes(bytes) => {
                assert!(!bytes.is_empty(), "an empty piece says nothing");
                out.extend_from_slice(&bytes);
            }
            Decoded::Done => return Ok(out),
            Decoded::NeedInput => match pieces.next() {
                Some(piece) => decoder.push(piece)?,
                None => {
                    assert!(!ended, "it asks for input after its end");
                    ended = true;
                    decoder.end()?;
                }
            },
        }
    }
}

fn whole(codings: &[Coding], body: &[u8]) -> Result<Vec<u8>, CodingFault> {
    decode(codings, CodingLimits::default(), body)
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Changes one byte.
fn with(mut bytes: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    bytes[at] = byte;
    bytes
}

/// Changes a byte counted from the end.
fn flipped(mut bytes: Vec<u8>, from_end: usize) -> Vec<u8> {
    let at = bytes.len() - 1 - from_end;
    bytes[at] ^= 0x55;
    bytes
}

fn gzip_with_everything() -> Vec<u8> {
    let builder = GzBuilder::new().filename("a.json").comment("c").extra(vec![1, 2, 3]).mtime(7);
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(TEXT).unwrap();
    encoder.finish().unwrap()
}

/// A gzip header that carries its own checksum, right or wrong.
fn gzip_with_header_sum(right: bool) -> Vec<u8> {
    let plain = gzip(TEXT);
    let mut head = plain[..10].to_vec();
    head[3] = 2;
    let mut crc = flate2::Crc::new();
    crc.update(&head);
    let sum = crc.sum().to_le_bytes();
    head.extend_from_slice(&[sum[0], if right { sum[1] } else { sum[1] ^ 1 }]);
    joined(&[&head, &plain[10..]])
}

#[test]
fn what_encoders_write_is_read() {
    use Coding::{Brotli, Deflate, Gzip, Zstd};
    let rows: Vec<(&str, Vec<Coding>, Vec<u8>)> = vec![
        ("gzip", vec![Gzip], gzip(TEXT)),
        ("gzip, with name, comment, extra field and time", vec![Gzip], gzip_with_everything()),
        ("gzip, with a sum over its header", vec![Gzip], gzip_with_header_sum(true)),
        ("two gzip members", vec![Gzip], joined(&[&gzip(&TEXT[..40]), &gzip(&TEXT[40..])])),
        ("gzip members, one of them empty", vec![Gzip], joined(&[&gzip(b""), &gzip(TEXT), &gzip(b"")])),
        ("zlib", vec![Deflate], zlib(TEXT)),
        ("brotli, quick", vec![Brotli], brotli(TEXT, 0)),
        ("brotli, slow", vec![Brotli], brotli(TEXT, 11)),
        ("zstd, quick", vec![Zstd], zstd_streamed(TEXT, 1, false, None)),
        ("zstd, with a checksum", vec![Zstd], zstd_streamed(TEXT, 19, true, None)),
        ("zstd, with its length", vec![Zstd], zstd::bulk::compress(TEXT, 3).unwrap()),
        ("zstd, a window as large as it may be", vec![Zstd], zstd_streamed(TEXT, 3, true, Some(23))),
        (
            "two zstd frames",
            vec![Zstd],
            joined(&[
                &zstd_streamed(&TEXT[..40], 3, true, None),
                &zstd::bulk::compress(&TEXT[40..], 3).unwrap(),
            ]),
        ),
        ("gzip, then brotli", vec![Gzip, Brotli], brotli(&gzip(TEXT), 5)),
        ("zstd, then zlib", vec![Zstd, Deflate], zlib(&zstd_streamed(TEXT, 3, true, None))),
        ("gzip twice", vec![Gzip, Gzip], gzip(&gzip(TEXT))),
        ("our own", vec![Gzip], ours(TEXT)),
    ];
    for (name, codings, body) in rows {
        assert_eq!(whole(&codings, &body).as_deref(), Ok(TEXT), "{name}");
        for size in [1, 2, 3, 7, body.len()] {
            let got = in_pieces(&codings, CodingLimits::default(), &body, size);
            assert_eq!(got.as_deref(), Ok(TEXT), "{name}, in pieces of {size}");
        }
    }
}

fn ours(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    for part in bytes.chunks(20) {
        encoder.push(part);
        out.extend_from_slice(&encoder.flush());
    }
    out.extend_from_slice(&encoder.finish());
    out
}

#[test]
fn what_was_pushed_before_a_flush_can_be_read_after_it() {
    let mut encoder = Encoder::new();
    encoder.push(TEXT);
    let sent = encoder.flush();
    let mut decoder = Decoder::new(&[Coding::Gzip], CodingLimits::default()).unwrap();
    decoder.push(&sent).unwrap();
    assert_eq!(decoder.step(), Ok(Decoded::Bytes(TEXT.into())));
}

/// A frame header for a window of so many bytes, and one raw block.
fn zstd_by_hand(descriptor: u8, rest: &[u8], block: &[u8]) -> Vec<u8> {
    joined(&[&[0x28, 0xb5, 0x2f, 0xfd, descriptor], rest, block])
}

const LAST_RAW_A: &[u8] = &[0x09, 0, 0, b'a'];

type Row = (&'static str, &'static [Coding], Vec<u8>, CodingFault);

fn rows() -> Vec<Row> {
    use Coding::{Brotli, Deflate, Gzip, Zstd};
    use CodingFault::{Checksum, Dictionary, Malformed, Mislabelled, TrailingBytes, Truncated, Window};
    let skippable = joined(&[&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0], b"Ann"]);
    let frame = zstd_streamed(TEXT, 3, true, None);
    let mut long_name = gzip(TEXT);
    long_name[3] = 8;
    let long_name = joined(&[&long_name[..10], &[b'a'; 5000], &[0], &long_name[10..]]);
    vec![
        ("nothing at all, as gzip", &[Gzip], vec![], Truncated),
        ("nothing at all, as zlib", &[Deflate], vec![], Truncated),
        ("nothing at all, as brotli", &[Brotli], vec![], Truncated),
        ("nothing at all, as zstd", &[Zstd], vec![], Truncated),
        ("plain text as gzip", &[Gzip], TEXT.to_vec(), Mislabelled),
        ("plain text as zlib", &[Deflate], TEXT.to_vec(), Mislabelled),
        ("plain text as brotli", &[Brotli], TEXT.to_vec(), Malformed),
        ("plain text as zstd", &[Zstd], TEXT.to_vec(), Mislabelled),
        ("zlib as gzip", &[Gzip], zlib(TEXT), Mislabelled),
        ("gzip as deflate", &[Deflate], gzip(TEXT), Mislabelled),
        ("a bare deflate stream as deflate", &[Deflate], bare(TEXT), Mislabelled),
        ("zstd as gzip", &[Gzip], frame.clone(), Mislabelled),
        ("gzip as zstd", &[Zstd], gzip(TEXT), Mislabelled),
        ("brotli as gzip", &[Gzip], brotli(TEXT, 5), Mislabelled),
        ("an outer coding that is not there", &[Gzip, Brotli], gzip(TEXT), Malformed),
        ("an inner coding that is not there", &[Brotli, Gzip], gzip(TEXT), Malformed),
        ("codings in the other order", &[Gzip, Zstd], gzip(&frame), Mislabelled),
        ("gzip with another method", &[Gzip], with(gzip(TEXT), 2, 7), Mislabelled),
        ("gzip with a reserved flag", &[Gzip], with(gzip(TEXT), 3, 0x20), Mislabelled),
        ("gzip with a wrong sum over its header", &[Gzip], gzip_with_header_sum(false), Mislabelled),
        ("gzip with a name of thousands of bytes", &[Gzip], long_name, Mislabelled),
        ("gzip with a reserved block type", &[Gzip], with(gzip(TEXT), 10, 0xff), Malformed),
        ("gzip with a wrong checksum", &[Gzip], flipped(gzip(TEXT), 7), Checksum),
        ("gzip with a wrong length", &[Gzip], flipped(gzip(TEXT), 0), Checksum),
        ("gzip with a zero after it", &[Gzip], joined(&[&gzip(TEXT), &[0]]), TrailingBytes),
        ("gzip with text after it", &[Gzip], joined(&[&gzip(TEXT), TEXT]), TrailingBytes),
        ("gzip with a zlib stream after it", &[Gzip], joined(&[&gzip(TEXT), &zlib(TEXT)]), TrailingBytes),
        ("gzip whose second member is cut", &[Gzip], joined(&[&gzip(TEXT), &gzip(TEXT)[..20]]), Truncated),
        (
            "gzip whose second member is wrong",
            &[Gzip],
            joined(&[&gzip(TEXT), &flipped(gzip(TEXT), 5)]),
            Checksum,
        ),
        ("zlib with a wrong checksum", &[Deflate], flipped(zlib(TEXT), 0), Checksum),
        ("zlib with a byte after it", &[Deflate], joined(&[&zlib(TEXT), &[0]]), TrailingBytes),
        ("zlib twice", &[Deflate], joined(&[&zlib(TEXT), &zlib(TEXT)]), TrailingBytes),
        ("zlib with a preset dictionary", &[Deflate], vec![0x78, 0xbb, 0, 0, 0, 1, 3, 0], Dictionary),
        ("zlib with a window that does not exist", &[Deflate], vec![0x88, 0x1c, 3, 0], Mislabelled),
        ("brotli with a byte after it", &[Brotli], joined(&[&brotli(TEXT, 5), &[0]]), TrailingBytes),
        ("brotli twice", &[Brotli], joined(&[&brotli(TEXT, 5), &brotli(TEXT, 5)]), TrailingBytes),
        ("brotli with a large window", &[Brotli], vec![0x11, 0x1e, 0x03], Malformed),
        ("zstd with a wrong checksum", &[Zstd], flipped(frame.clone(), 0), Checksum),
        ("zstd with a byte after it", &[Zstd], joined(&[&frame, &[0]]), TrailingBytes),
        ("zstd with text after it", &[Zstd], joined(&[&frame, TEXT]), TrailingBytes),
        ("zstd before a skippable frame", &[Zstd], joined(&[&frame, &skippable]), TrailingBytes),
        ("zstd after a skippable frame", &[Zstd], joined(&[&skippable, &frame]), Mislabelled),
        ("zstd of a window of 16 MiB", &[Zstd], zstd_by_hand(0, &[0x70], LAST_RAW_A), Window),
        ("zstd of the largest window there is", &[Zstd], zstd_by_hand(0, &[0xff], LAST_RAW_A), Window),
        ("zstd of one segment of 9 MiB", &[Zstd], zstd_by_hand(0xa0, &[0, 0, 0x90, 0], LAST_RAW_A), Window),
        ("zstd of one segment of all there is", &[Zstd], zstd_by_hand(0xe0, &[0xff; 8], LAST_RAW_A), Window),
        ("zstd with a dictionary", &[Zstd], zstd_by_hand(1, &[0x58, 7], LAST_RAW_A), Dictionary),
        ("zstd with a reserved bit", &[Zstd], zstd_by_hand(8, &[0x58], LAST_RAW_A), Malformed),
        ("zstd with a reserved block", &[Zstd], zstd_by_hand(0, &[0x58], &[0x0f, 0, 0, b'a']), Malformed),
        (
            "zstd with a block of 256 KiB",
            &[Zstd],
            zstd_by_hand(0, &[0x58], &[0x02, 0, 0x20, b'a']),
            Malformed,
        ),
        (
            "zstd with garbage in a block",
            &[Zstd],
            zstd_by_hand(0, &[0x58], &[0x2d, 0, 0, 1, 2, 3, 4, 5]),
            Malformed,
        ),
        ("zstd shorter than it says", &[Zstd], zstd_by_hand(0x20, &[2], LAST_RAW_A), Checksum),
        ("zstd without a last block", &[Zstd], zstd_by_hand(0, &[0x58], &[0x08, 0, 0, b'a']), Truncated),
    ]
}

#[test]
fn law_1_whatever_is_not_one_whole_coded_body_is_refused_for_its_own_reason() {
    for (name, codings, body, fault) in rows() {
        assert_eq!(whole(codings, &body), Err(fault), "{name}");
        for size in [1, 2, 5] {
            assert_eq!(
                in_pieces(codings, CodingLimits::default(), &body, size),
                Err(fault),
                "{name}, by {size}"
            );
        }
    }
    // The rows by hand are near misses: the same with nothing wrong is read.
    for good in [zstd_by_hand(0, &[0x58], LAST_RAW_A), zstd_by_hand(0x20, &[1], LAST_RAW_A)] {
        assert_eq!(whole(&[Coding::Zstd], &good).as_deref(), Ok(&b"a"[..]));
    }
}

#[test]
fn law_1_a_coded_body_cut_anywhere_is_truncated() {
    for coding in Coding::ALL {
        let body = coded(coding, TEXT);
        for cut in 0..body.len() {
            assert_eq!(
                whole(&[coding], &body[..cut]),
                Err(CodingFault::Truncated),
                "{coding:?} cut at {cut}"
            );
        }
    }
    let stacked = brotli(&gzip(TEXT), 5);
    for cut in 0..stacked.len() {
        let got = whole(&[Coding::Gzip, Coding::Brotli], &stacked[..cut]);
        assert_eq!(got, Err(CodingFault::Truncated), "cut at {cut}");
    }
}

#[test]
fn law_1_a_body_that_grows_too_much_is_refused_before_it_is_there() {
    let zeros = vec![0; 8 << 20];
    let limits = CodingLimits::default();
    for coding in Coding::ALL {
        let bomb = coded(coding, &zeros);
        let mut decoder = Decoder::new(&[coding], limits).unwrap();
        decoder.push(&bomb).unwrap();
        let mut out = 0;
        let fault = loop {
            match decoder.step() {
                Ok(Decoded::Bytes(bytes)) => out += bytes.len() as u64,
                Ok(other) => panic!("{coding:?}: {other:?}"),
                Err(fault) => break fault,
            }
        };
        assert_eq!(fault, CodingFault::Ratio, "{coding:?}");
        assert!(
            out <= limits.ratio_floor_bytes.max(bomb.len() as u64 * limits.ratio_max),
            "{coding:?}: {out}"
        );
        assert_eq!(decoder.step(), Err(CodingFault::Ratio), "it stays in its fault");
        assert_eq!(decoder.push(b""), Err(CodingFault::Ratio));
    }
    // A bomb inside a bomb grows in the middle already.
    let nested = gzip(&gzip(&zeros));
    assert_eq!(whole(&[Coding::Gzip, Coding::Gzip], &nested), Err(CodingFault::Ratio));
    // Empty members, multiplied: the inner coding would make nothing of all of them.
    let members = gzip(&gzip(b"").repeat(1 << 20));
    assert_eq!(whole(&[Coding::Gzip, Coding::Gzip], &members), Err(CodingFault::Ratio));
}

/// A zstd frame of raw blocks of so many bytes.
fn zstd_in_blocks(blocks: usize, bytes: usize) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    for at in 0..blocks {
        let header = u32::try_from(bytes << 3 | usize::from(at + 1 == blocks)).unwrap();
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend(std::iter::repeat_n(b'a', bytes));
    }
    out
}

/// Each costs work of its own, however short it is.
#[test]
fn law_1_a_body_in_many_tiny_members_frames_or_blocks_is_refused() {
    let (gz, zs) = (Coding::Gzip, Coding::Zstd);
    let frame = zstd_in_blocks(1, 1);
    let long: Vec<u8> = (0..200_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    for (name, coding, body, length) in [
        ("a member for each of a few", gz, gzip(b"a").repeat(64), Ok(64)),
        ("one more", gz, gzip(b"a").repeat(65), Err(CodingFault::Ratio)),
        ("many", gz, gzip(b"a").repeat(50_000), Err(CodingFault::Ratio)),
        ("many that are not so short", gz, gzip(&long).repeat(1_000), Ok(200_000)),
        ("a frame for each of a few", zs, frame.repeat(64), Ok(64)),
        ("one more frame", zs, frame.repeat(65), Err(CodingFault::Ratio)),
        ("many frames that are not so short", zs, zstd_in_blocks(1, 200).repeat(1_000), Ok(200_000)),
        ("a block for each of some", zs, zstd_in_blocks(4_096, 1), Ok(4_096)),
        ("one more block", zs, zstd_in_blocks(4_097, 1), Err(CodingFault::Ratio)),
        ("many blocks", zs, zstd_in_blocks(260_000, 1), Err(CodingFault::Ratio)),
        ("many blocks that are not so short", zs, zstd_in_blocks(10_000, 20), Ok(200_000)),
    ] {
        for (how, codings, body) in
            [("plain", &[coding][..], body.clone()), ("once more", &[coding, Coding::Gzip], gzip(&body))]
        {
            assert_eq!(whole(codings, &body).map(|out| out.len()), length, "{name}, {how}");
        }
    }
}

/// Whoever decodes byte by byte hands nothing out so, and what is good before a fault is handed out all the same.
#[test]
fn what_is_decoded_is_handed_out_in_pieces_and_all_of_it_before_a_fault() {
    let members = joined(&[&gzip(b"a").repeat(40), &gzip(b"b")]);
    for (end, last) in [(members.len(), Ok(Decoded::Done)), (members.len() - 1, Err(CodingFault::Truncated))]
    {
        let mut decoder = Decoder::new(&[Coding::Gzip], CodingLimits::default()).unwrap();
        decoder.push(&members[..end]).unwrap();
        decoder.end().unwrap();
        let expected = "a".repeat(40) + "b";
        assert_eq!(decoder.step(), Ok(Decoded::Bytes(expected.into())));
        assert_eq!(decoder.step(), last);
    }
    let mut decoder = Decoder::new(&[Coding::Gzip], CodingLimits::default()).unwrap();
    decoder.push(&joined(&[&gzip(b"good"), b"bad"])).unwrap();
    assert_eq!(decoder.step(), Ok(Decoded::Bytes("good".into())));
    assert_eq!(decoder.step(), Err(CodingFault::TrailingBytes));
    assert_eq!(decoder.step(), Err(CodingFault::TrailingBytes));
}

#[test]
fn law_1_a_body_over_the_absolute_limit_is_refused_and_one_at_it_is_not() {
    let limits = CodingLimits { decoded_bytes_max: TEXT.len() as u64, ..CodingLimits::default() };
    let less = CodingLimits { decoded_bytes_max: TEXT.len() as u64 - 1, ..limits };
    for coding in Coding::ALL {
        let body = coded(coding, TEXT);
        assert_eq!(decode(&[coding], limits, &body).as_deref(), Ok(TEXT), "{coding:?}");
        assert_eq!(decode(&[coding], less, &body), Err(CodingFault::TooLarge), "{coding:?}");
    }
}

#[test]
fn below_the_floor_nobody_asks_by_how_much_it_grew() {
    let zeros = vec![b'0'; 1 << 20];
    for coding in Coding::ALL {
        assert_eq!(whole(&[coding], &coded(coding, &zeros)).as_deref(), Ok(&zeros[..]), "{coding:?}");
    }
}

#[test]
fn law_1_codings_are_counted() {
    let triple = gzip(&gzip(&gzip(TEXT)));
    let three = [Coding::Gzip; 3];
    assert_eq!(whole(&three, &triple), Err(CodingFault::Stacked));
    let more = CodingLimits { codings_max: 3, ..CodingLimits::default() };
    assert_eq!(decode(&three, more, &triple).as_deref(), Ok(TEXT));
    assert_eq!(whole(&[], TEXT), Err(CodingFault::OutOfTurn));
}

#[test]
fn law_1_a_window_over_the_limit_is_refused_before_it_is_made() {
    let body = zstd_streamed(TEXT, 3, false, Some(24));
    assert_eq!(whole(&[Coding::Zstd], &body), Err(CodingFault::Window));
    let wide = CodingLimits { window_bytes_max: 16 << 20, ..CodingLimits::default() };
    assert_eq!(decode(&[Coding::Zstd], wide, &body).as_deref(), Ok(TEXT));
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let run = (any::<u8>(), 1_usize..2000).prop_map(|(byte, n)| vec![byte; n]);
    let noise = proptest::collection::vec(any::<u8>(), 0..300);
    let text = Just(TEXT.to_vec());
    proptest::collection::vec(prop_oneof![run, noise, text], 0..12).prop_map(|parts| parts.concat())
}

fn stack() -> impl Strategy<Value = Vec<Coding>> {
    proptest::collection::vec(proptest::sample::select(Coding::ALL.to_vec()), 1..=2)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_coded_decodes_to_itself_however_it_is_cut(bytes in content(), codings in stack(), size in 1_usize..400) {
        let body = codings.iter().fold(bytes.clone(), |body, coding| coded(*coding, &body));
        prop_assert_eq!(whole(&codings, &body), Ok(bytes.clone()));
        prop_assert_eq!(in_pieces(&codings, CodingLimits::default(), &body, size), Ok(bytes));
    }

    #[test]
    fn our_own_gzip_is_read_by_others(bytes in content()) {
        let mut theirs = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&ours(&bytes)[..]), &mut theirs).unwrap();
        prop_assert_eq!(theirs, bytes);
    }

    #[test]
    fn law_1_a_changed_byte_is_noticed_or_changes_nothing(bytes in content(), at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
        // Where there is a checksum, what is decoded is what was coded or a fault.
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
            let mut body = coded(coding, &bytes);
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            if let Ok(got) = whole(&[coding], &body) {
                prop_assert_eq!(got, bytes.clone(), "{:?} at {}", coding, at);
            }
        }
    }

    #[test]
    fn law_1_noise_never_panics_and_is_cut_the_same(
        noise in proptest::collection::vec(any::<u8>(), 0..600),
        codings in stack(),
        begins in any::<bool>(),
        size in 1_usize..40,
    ) {
        let mut body = noise;
        if begins {
            let head = match codings.last() {
                Some(Coding::Gzip) => vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
                Some(Coding::Deflate) => vec![0x78, 0x9c],
                Some(Coding::Zstd) => vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58],
                Some(Coding::Brotli) | None => vec![0x0b],
            };
            body.splice(0..0, head);
        }
        let limits = CodingLimits { decoded_bytes_max: 1 << 20, ..CodingLimits::default() };
        // Of two faults in a stack it may depend on the cut which is met first.
        let at_once = decode(&codings, limits, &body);
        prop_assert_eq!(in_pieces(&codings, limits, &body, size).ok(), at_once.ok());
    }
}
