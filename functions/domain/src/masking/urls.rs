//! The password in a URL: `scheme://user:password@host`.

use super::{Span, is_space, position};

pub(super) fn secrets(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.find("://")) {
        let start = at + offset + 3;
        let end = position(text, start, |byte| is_space(byte) || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`'));
        let password = text.get(start..end).and_then(|authority| password(authority, end == text.len()));
        match password {
            Some(password) => {
                found.push(start + password.start..start + password.end);
                at = end;
            }
            None => at = start,
        }
    }
    found
}

/// Where the password stands in what follows `://`. Where the text was cut off before the `@`, it goes on to the end.
fn password(authority: &str, is_cut: bool) -> Option<Span> {
    let at = authority.rfind('@');
    let colon = authority.find(':')?;
    let is_authority = !authority.get(..colon)?.contains(['/', '?', '#', '@', '[']);
    let end = match at {
        Some(at) if at > colon => at,
        Some(_) => return None,
        None if is_cut => authority.len(),
        None => return None,
    };
    let behind = authority.get(colon + 1..end)?;
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    let after = behind.as_bytes().get(digits);
    let is_port = digits > 0
        && (matches!(after, Some(b'/' | b'?' | b'#' | b',' | b':' | b')' | b'.')) || (at.is_none() && after.is_none()));
    (is_authority && !is_port && !behind.is_empty() && !behind.starts_with('/')).then_some(colon + 1..end)
}
