//! Words that are secrets by their form, whatever stands before them.

use super::{Span, position, words};

/// Prefixes of well-known tokens, each with the least number of characters behind it.
const PREFIXES: [(&str, usize); 19] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxe-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("npm_", 30),
    ("AIza", 30),
    ("dop_v1_", 30),
];

/// The prefixes of AWS's access key ids, with 16 characters behind each.
const ACCESS_KEYS: [&str; 2] = ["AKIA", "ASIA"];

pub(super) fn secrets(text: &str) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for word in words(text) {
        if found.last().is_some_and(|last| last.end > word.start) {
            continue;
        }
        let Some(spelled) = text.get(word.clone()) else { continue };
        let in_word = jwt(spelled).or_else(|| prefixed(spelled)).or_else(|| access_key(spelled));
        let secret = match in_word {
            Some(secret) => Some(word.start + secret.start..word.start + secret.end),
            None => credentials(text, spelled, word.end),
        };
        found.extend(secret);
    }
    found
}

/// A JWT: base64 of JSON objects, with a point between them.
fn jwt(word: &str) -> Option<Span> {
    let start = word.find("eyJ")?;
    let parts: Vec<&str> = word.get(start..)?.split('.').collect();
    let long = |part: &&str| part.len() >= 10;
    (parts.iter().take(2).filter(|part| long(part)).count() == 2).then_some(start..word.len())
}

fn prefixed(word: &str) -> Option<Span> {
    PREFIXES.iter().find_map(|(prefix, least)| {
        let start = word.find(prefix)?;
        (begins(word, start) && word.len() - start - prefix.len() >= *least).then_some(start..word.len())
    })
}

fn access_key(word: &str) -> Option<Span> {
    ACCESS_KEYS.iter().find_map(|prefix| {
        let start = word.find(prefix)?;
        let key = word.get(start..)?;
        let length = key.bytes().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
        let ends = key.as_bytes().get(length).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        (begins(word, start) && length == 20 && ends).then_some(start..start + length)
    })
}

/// Whether nothing stands before `start` that would make it the middle of something else.
fn begins(word: &str, start: usize) -> bool {
    !word.as_bytes().get(..start).is_some_and(|before| before.last().is_some_and(u8::is_ascii_alphanumeric))
}

/// What follows `Bearer` or `Basic`, if it looks like credentials and not like the next word of a sentence.
fn credentials(text: &str, scheme: &str, end: usize) -> Option<Span> {
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if !(is_bearer || scheme.eq_ignore_ascii_case("basic")) || text.as_bytes().get(end) != Some(&b' ') {
        return None;
    }
    let start = end + 1;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let end = position(text, start, |byte| !is_token(byte));
    let value = text.get(start..end)?;
    let mixed = value.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
        && value.bytes().any(|byte| byte.is_ascii_lowercase());
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let least = if is_bearer { 16 } else { 8 };
    (value.len() >= least && (mixed || has_digit || value.ends_with('='))).then_some(start..end)
}
