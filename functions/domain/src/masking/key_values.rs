//! The value behind a name that says that it is secret: `DB_PASSWORD=…`, `"client_secret": "…"`, `--token …`,
//! `Authorization: Bearer …`, `<password>…</password>`.

use super::{MASK, Span, is_space, is_word, position, words};

/// Names that end so have a secret value; compared without hyphens, underscores and points.
const SECRETS: [&str; 15] = [
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "accountkey",
    "masterkey",
    "sharedkey",
    "authkey",
    "licensekey",
    "signature",
    "credentials",
];
const PASSWORDS: [&str; 4] = ["password", "passwd", "passphrase", "passcode"];
/// These are passwords only as a whole part of a name: `DB_PASS`, not `compass`.
const SHORT_PASSWORDS: [&str; 2] = ["pass", "pwd"];
const HEADERS: [&str; 4] = ["authorization", "proxyauthorization", "cookie", "setcookie"];
/// What stands before "key" in two words.
const KEYS: [&str; 7] = ["api", "access", "secret", "private", "signing", "encryption", "account"];
/// Values that say that there is no secret, or only where one would be.
const HARMLESS: [&str; 9] = ["true", "false", "null", "none", "nil", "undefined", "yes", "no", "empty"];

/// What a name says of its value.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Password,
    ShortPassword,
    Secret,
    Header,
}

/// What stands between a name and its value.
#[derive(Clone, Copy, PartialEq)]
enum Separator {
    Equals,
    Colon,
    /// Between a command line's option and its value.
    Space,
    /// Between two tags.
    Tag,
}

pub(super) fn secrets(text: &str) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut before = 0..0;
    for word in words(text) {
        if found.last().is_some_and(|last| last.end > word.start) {
            continue;
        }
        let spelled = text.get(word.clone()).unwrap_or_default();
        let previous = if before.end + 1 == word.start { text.get(before).unwrap_or_default() } else { "" };
        let value = kind(spelled, previous).and_then(|kind| value(text, &word, spelled, kind));
        found.extend(value);
        before = word;
    }
    found
}

fn kind(word: &str, previous: &str) -> Option<Kind> {
    let name: String =
        word.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    let last = word.rsplit(['_', '-', '.']).next().unwrap_or_default().to_ascii_lowercase();
    if HEADERS.contains(&&*name) {
        Some(Kind::Header)
    } else if ends(&PASSWORDS) {
        Some(Kind::Password)
    } else if SHORT_PASSWORDS.contains(&&*last) {
        Some(Kind::ShortPassword)
    } else if ends(&SECRETS) || (name == "key" && KEYS.contains(&&*previous.to_ascii_lowercase())) {
        Some(Kind::Secret)
    } else {
        None
    }
}

/// Where the secret value of the name at `name` stands, if it has one.
fn value(text: &str, name: &Span, spelled: &str, kind: Kind) -> Option<Span> {
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let (mut at, quoted_name) = behind_quote(text, name.end);
    let is_tag = name.start.checked_sub(1).and_then(byte) == Some(b'<');
    let separator = if is_tag && byte(at) == Some(b'>') {
        at += 1;
        Separator::Tag
    } else {
        let gap = at;
        at = position(text, at, |byte| !is_blank(byte));
        match (byte(at), byte(at + 1)) {
            (Some(b'='), Some(b'=' | b'>')) | (Some(b':'), Some(b'=')) => {
                at += 2;
                Separator::Equals
            }
            (Some(b'='), _) => {
                at += 1;
                Separator::Equals
            }
            (Some(b':'), Some(b':')) | (None, _) => return None,
            (Some(b':'), _) => {
                at += 1;
                Separator::Colon
            }
            _ if at > gap && spelled.starts_with("--") => Separator::Space,
            _ => return None,
        }
    };
    at = position(text, at, |byte| !is_blank(byte));
    let wrapped = text.get(at..).is_some_and(|rest| rest.starts_with("Some("));
    at += if wrapped { "Some(".len() } else { 0 };
    let (start, quote) = behind_quote(text, at);
    let span = match quote {
        Some(quote) => start..closing(text, start, quote),
        None => at..unquoted_end(text, at, kind, separator),
    };
    let scheme = if kind == Kind::Header { scheme(text.get(span.clone())?) } else { 0 };
    let span = span.start + scheme..span.end;
    let value = text.get(span.clone())?;
    let is_marked = quote.is_some() || quoted_name.is_some() || scheme > 0;
    (!value.is_empty() && is_secret(value, kind, separator, is_marked)).then_some(span)
}

/// Whether `value` is a secret; `is_marked` says that quotation marks or a scheme tell it from a sentence.
fn is_secret(value: &str, kind: Kind, separator: Separator, is_marked: bool) -> bool {
    let is_placeholder =
        value.starts_with("${") || value.starts_with("arn:") || value.starts_with(MASK.trim_end_matches(']'));
    let says_nothing = !value.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && value.bytes().all(|byte| b"*.<>{}[]()".contains(&byte));
    if HARMLESS.iter().any(|word| value.eq_ignore_ascii_case(word)) || is_placeholder || says_nothing {
        return false;
    }
    let in_a_sentence = separator == Separator::Colon && !is_marked;
    match kind {
        Kind::Password => separator != Separator::Space || !value.starts_with('-'),
        // The shell's PWD is a folder, and "pass: 12" counts tests.
        Kind::ShortPassword => !in_a_sentence && !value.starts_with('/'),
        // "invalid token: expired" is a sentence; a token is longer, or has digits.
        Kind::Secret | Kind::Header if in_a_sentence => {
            value.len() >= 16 || value.bytes().any(|byte| byte.is_ascii_digit() || byte == b'=')
        }
        Kind::Secret | Kind::Header => separator != Separator::Space || !value.starts_with('-'),
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The position behind a quotation mark at `at`, and the mark with the backslashes before it.
fn behind_quote(text: &str, at: usize) -> (usize, Option<&str>) {
    let mark = position(text, at, |byte| byte != b'\\');
    match text.as_bytes().get(mark) {
        Some(b'"' | b'\'' | b'`') => (mark + 1, text.get(at..=mark)),
        _ => (at, None),
    }
}

/// Where a value in quotation marks ends: at the same mark with as many backslashes, or where the text was cut off.
fn closing(text: &str, start: usize, quote: &str) -> usize {
    let mut at = start;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.find(quote)) {
        let end = at + offset;
        let escaped =
            text.as_bytes().get(..end).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'\\').count();
        if escaped % 2 == 0 {
            return end;
        }
        at = end + 1;
    }
    position(text, start, |byte| byte < b' ' && byte != b'\t')
}

/// Where a value without quotation marks ends.
fn unquoted_end(text: &str, start: usize, kind: Kind, separator: Separator) -> usize {
    if kind == Kind::Header {
        return position(text, start, |byte| matches!(byte, b'"' | b'\'') || (byte < b' ' && byte != b'\t'));
    }
    if separator == Separator::Tag {
        return position(text, start, |byte| byte == b'<');
    }
    let end = position(text, start, is_space);
    let run = text.get(start..end).unwrap_or_default();
    // Another name and its value may follow without a space: a query string, a connection string.
    let next = run.match_indices(['&', ';', ',']).find(|(at, _)| {
        let rest = run.get(at + 1..).unwrap_or_default();
        let name = rest.bytes().take_while(|byte| is_word(*byte)).count();
        rest.is_empty() || (name > 0 && matches!(rest.as_bytes().get(name), Some(b'=' | b':')))
    });
    let value = next.and_then(|(at, _)| run.get(..at)).unwrap_or(run);
    start + value.trim_end_matches(['"', '\'', '`', ')', '}', ']', ',', ';', '\\']).len()
}

/// The length of the scheme that a header's credentials begin with. It says how they are sent and is shown.
fn scheme(value: &str) -> usize {
    let schemes = ["Bearer ", "Basic ", "Digest ", "Token ", "Negotiate "];
    let begins = |scheme: &&&str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    schemes.iter().find(begins).map_or(0, |scheme| scheme.len())
}
