//! Which sentences of a line a clause most likely comes from: its paraphrase shares words with them.

use super::fold::fold;

/// Words that say nothing about what a sentence is about.
const EMPTY: &[&str] = &[
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "before",
    "but", "by", "can", "do", "does", "each", "for", "from", "had", "has", "have", "how", "if", "in", "into",
    "is", "it", "its", "may", "might", "more", "most", "of", "on", "one", "or", "other", "our", "own", "so",
    "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "those", "through", "to", "under", "up", "us", "was", "we", "were", "what", "when", "where", "which",
    "who", "will", "with", "would", "you", "your",
];

/// What a word counts that one sentence alone has.
const RARE_WORD: usize = 12;
/// What it counts that a clause comes from the sentence of the clause before it, and from a later one: clauses stand in
/// the order of the document, and a document says little twice. From an earlier one it counts nothing.
const SAME: usize = 13;
const ONWARD: usize = 20;

/// The shortest beginning that two words can share as forms of one word.
const STEM_MIN: usize = 3;

/// For each paraphrase the indices of the sentences that share most words with it. Paraphrases come in the order of the
/// document, as far as their words do not say otherwise; what is equally good is all named.
pub(super) fn choose(paraphrases: &[&str], sentences: &[&str]) -> Vec<Vec<usize>> {
    let sentences: Vec<Vec<String>> = sentences.iter().map(|s| words(s)).collect();
    let scores: Vec<Vec<usize>> = paraphrases.iter().map(|p| score(&words(p), &sentences)).collect();
    // The best sum of all before, and of all after, for each place of one; both prefer the order.
    let before = sums(scores.iter(), sentences.len(), false);
    let after = sums(scores.iter().rev(), sentences.len(), true);
    let rows = scores.iter().zip(before.iter().zip(after.iter().rev()));
    rows.map(|(own, (before, after))| {
        let whole: Vec<usize> =
            own.iter().zip(before.iter().zip(after)).map(|(own, (b, a))| own + b + a).collect();
        let best = whole.iter().max().copied().unwrap_or_default();
        whole.iter().enumerate().filter(|(_, sum)| **sum == best).map(|(at, _)| at).collect()
    })
    .collect()
}

/// For each row and column, the best sum of the rows before it when it takes that column, with what each step from one
/// row to the next is worth.
fn sums<'s>(rows: impl Iterator<Item = &'s Vec<usize>>, columns: usize, backwards: bool) -> Vec<Vec<usize>> {
    let mut out = Vec::new();
    let mut before = vec![0; columns];
    for row in rows {
        out.push(before.clone());
        let here: Vec<usize> = row.iter().zip(&before).map(|(own, before)| own + before).collect();
        before = steps(&here, backwards);
    }
    out
}

/// For each column the best of staying on it and of coming to it from another.
fn steps(values: &[usize], backwards: bool) -> Vec<usize> {
    let (from_left, from_right) = if backwards { (0, ONWARD) } else { (ONWARD, 0) };
    let left = passed(values.iter());
    let right = passed(values.iter().rev());
    let sides = left.into_iter().zip(right.into_iter().rev());
    let best = |(value, (left, right)): (&usize, (Option<usize>, Option<usize>))| {
        let stay = value + SAME;
        let come = left.map(|most| most + from_left).max(right.map(|most| most + from_right));
        come.map_or(stay, |come| come.max(stay))
    };
    values.iter().zip(sides).map(best).collect()
}

/// For each value the greatest of those before it.
fn passed<'v>(values: impl Iterator<Item = &'v usize>) -> Vec<Option<usize>> {
    let mut most: Option<usize> = None;
    let mut pass = |value: &usize| {
        let before = most;
        most = most.max(Some(*value));
        before
    };
    values.map(&mut pass).collect()
}

/// How much a paraphrase shares with each sentence. A word counts for more the fewer of them have it, and for nothing
/// when all do.
fn score(paraphrase: &[String], sentences: &[Vec<String>]) -> Vec<usize> {
    let mut out = vec![0; sentences.len()];
    for word in paraphrase {
        let has: Vec<bool> = sentences.iter().map(|s| s.iter().any(|other| alike(word, other))).collect();
        let lack = has.iter().filter(|has| !**has).count();
        let weight = (lack * RARE_WORD).checked_div(sentences.len().saturating_sub(1)).unwrap_or_default();
        for (sum, _) in out.iter_mut().zip(&has).filter(|(_, has)| **has) {
            *sum += weight;
        }
    }
    out
}

/// How alike two sentences are, in hundredths: what they share of what they have.
pub(super) fn likeness(one: &str, other: &str) -> usize {
    let (one, other) = (words(one), words(other));
    let shared = one.iter().filter(|word| other.iter().any(|o| alike(word, o))).count();
    let all = one.len() + other.len();
    (shared * 200).checked_div(all).unwrap_or_default()
}

fn words(text: &str) -> Vec<String> {
    let text = fold(text).replace('\'', "");
    let mut out: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !EMPTY.contains(word))
        .map(str::to_owned)
        .collect();
    out.sort();
    out.dedup();
    out
}

/// Whether two words are forms of one: they begin alike, and differ in the ending.
fn alike(one: &str, other: &str) -> bool {
    let shared = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let (a, b) = (one.chars().count(), other.chars().count());
    let (short, long) = (a.min(b), a.max(b));
    if short == long && shared == short {
        return true;
    }
    let (ending, longer) = match shared {
        ..STEM_MIN => return false,
        STEM_MIN => (0, 2),
        4..=5 => (2, 6),
        _ => (3, 6),
    };
    short - shared <= ending && long - shared <= longer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_alike_and_others_are_not() {
        let rows = [
            ("collect", "collection", true),
            ("month", "monthly", true),
            ("use", "used", true),
            ("advertisements", "advertising", true),
            ("visit", "visitor", true),
            ("inform", "information", true),
            ("contact", "contract", false),
            ("use", "usury", false),
            ("hive", "honey", false),
            ("in", "inn", false),
            ("law", "lawyers", false),
        ];
        for (one, other, expected) in rows {
            assert_eq!(alike(one, other), expected, "{one} {other}");
            assert_eq!(alike(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_clause_goes_to_the_sentence_that_shares_its_words() {
        let sentences = [
            "The honey is sold in spring.",
            "Wax goes to the candle maker.",
            "Nobody may open a hive at night.",
        ];
        let rows: &[(&[&str], &[&[usize]])] = &[
            (&["Candles take the wax."], &[&[1]]),
            (&["Hives stay shut in the dark."], &[&[2]]),
            (&["Nothing in common."], &[&[0, 1, 2]]),
            (&["Honey and wax leave the house."], &[&[0, 1]]),
            // In order, each one from another sentence, as far as words do not say otherwise.
            (&["Sold in spring.", "Something else.", "Hives stay shut."], &[&[0], &[1], &[2]]),
            (&["One.", "Two.", "Three."], &[&[0], &[1], &[2]]),
            (&["Wax for candles.", "Honey, sold in spring."], &[&[1], &[0]]),
            (&["Hive and night.", "Night and hive."], &[&[2], &[2]]),
        ];
        for (paraphrases, expected) in rows {
            assert_eq!(&choose(paraphrases, &sentences), expected, "{paraphrases:?}");
        }
        assert_eq!(choose(&["Wax."], &[]), [Vec::<usize>::new()]);
        assert_eq!(choose(&["Honey."], &["Wax."]), [[0]]);
    }
}
