//! Masks what looks like a secret in text that a program or a service wrote, before it is stored. Masked are:
//!
//! - the value behind a name like `password`, `secret`, `token` or `api_key`, in the usual notations (`key_values`);
//! - the password in a URL, private keys in PEM (`urls`, `private_keys`);
//! - words that are secrets by their form: JWTs, AWS's access keys, tokens with a well-known prefix (`words`).
//!
//! It is a help and no guarantee: a program that prints a secret without a name has printed it. What only speaks of secrets
//! ("password authentication failed") stays as it is.

mod key_values;
mod private_keys;
mod urls;
mod words;

/// What stands in place of a secret.
pub const MASK: &str = "[masked]";
/// Between two lines while they are masked together.
const LINE_END: char = '\u{1e}';

/// `text` without its secrets.
#[must_use]
pub fn masked(text: &str) -> String {
    [private_keys::secrets, key_values::secrets, urls::secrets, words::secrets]
        .iter()
        .fold(text.to_owned(), |text, secrets| replaced(&text, secrets(&text)))
}

/// The same for lines that follow each other, because a private key goes over several of them.
#[must_use]
pub fn masked_lines(lines: &[String]) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    let text = lines.join(&LINE_END.to_string());
    masked(&text).split(LINE_END).map(str::to_owned).collect()
}

/// Where a secret stands, in bytes.
type Span = std::ops::Range<usize>;

/// `text` with the mask in place of `secrets`, which come in order.
fn replaced(text: &str, secrets: Vec<Span>) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for secret in secrets {
        masked.push_str(text.get(end..secret.start).unwrap_or_default());
        masked.push_str(MASK);
        end = secret.end;
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    masked
}

/// Whether a name or a word may contain `byte`.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Whether `byte` ends a value without quotes: white space or a control character.
fn is_space(byte: u8) -> bool {
    byte <= b' '
}

/// The position from `from` on where `ends` holds first, or the end of `text`.
fn position(text: &str, from: usize, ends: impl Fn(u8) -> bool) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    rest.iter().position(|byte| ends(*byte)).map_or(text.len(), |offset| from + offset)
}

/// The words of `text`, each with its place.
fn words(text: &str) -> impl Iterator<Item = Span> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = position(text, at, is_word);
        at = position(text, start, |byte| !is_word(byte));
        (start < at).then_some(start..at)
    })
}
