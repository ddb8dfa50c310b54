//! What goes out over HTTP/2, as far as its frames tell how much of the answers is written.

/// The length of what every frame begins with.
const HEAD_BYTES: usize = 9;
const DATA: u8 = 0;

/// Reads along what is written.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    head: Vec<u8>,
    /// How much of the payload of the frame under way is to come, and whether it is of an answer.
    left: usize,
    is_data: bool,
}

impl Frames {
    /// How many of these bytes, which come next, are of answers.
    pub(crate) fn data_in(&mut self, mut bytes: &[u8]) -> usize {
        let mut data = 0;
        while !bytes.is_empty() {
            let wanted = if self.left > 0 { self.left } else { HEAD_BYTES.saturating_sub(self.head.len()) };
            let (part, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
            if self.left > 0 {
                self.left -= part.len();
                data += if self.is_data { part.len() } else { 0 };
            } else {
                self.begin(part);
            }
            bytes = rest;
        }
        data
    }

    fn begin(&mut self, part: &[u8]) {
        self.head.extend_from_slice(part);
        if let [a, b, c, kind, _, _, _, _, _] = self.head[..] {
            self.left = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
            self.is_data = kind == DATA;
            self.head.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_answers_are_counted_however_the_writes_are_cut() {
        let frame =
            |kind, length: u8| [&[0, 0, length, kind, 0, 0, 0, 0, 1], &vec![9; length.into()][..]].concat();
        let all = [frame(4, 6), frame(0, 20), frame(0, 0), frame(1, 3), frame(6, 8), frame(0, 1)].concat();
        for piece in 1..all.len() {
            let mut frames = Frames::default();
            let data: usize = all.chunks(piece).map(|bytes| frames.data_in(bytes)).sum();
            assert_eq!(data, 21, "in pieces of {piece}");
        }
    }
}
