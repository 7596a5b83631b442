//! Private keys in PEM: from the line that begins one to the line that ends it. Of one whose beginning or end is not in the text,
//! what is there of it.

use super::Span;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const LABEL: &str = "PRIVATE KEY";

pub(super) fn secrets(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = line(text, at, BEGIN, END) {
        // Either a key begins here, or one ends here that began before the text.
        let begins = text.get(start..).is_some_and(|rest| rest.starts_with(BEGIN));
        let (from, last) =
            if begins { (start, line(text, start + 1, END, END)) } else { (beginning(text, at, start), Some(start)) };
        let end = last.map_or(text.len(), |last| end_of_line(text, last));
        found.push(from..end);
        at = end;
    }
    found
}

/// Where the next line begins that has one of the prefixes and tells of a private key.
fn line(text: &str, from: usize, prefix: &str, other: &str) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let offset = [rest.find(prefix), rest.find(other)].into_iter().flatten().min()?;
        let start = at + offset;
        let label = text.get(start..end_of_line(text, start))?;
        if label.contains(LABEL) {
            return Some(start);
        }
        at = start + 1;
    }
}

/// The end of the line that begins at `start` with five hyphens: behind the next five.
fn end_of_line(text: &str, start: usize) -> usize {
    let behind = start + BEGIN.len().min(END.len());
    let rest = text.get(behind..).unwrap_or_default();
    rest.find("-----").map_or(text.len(), |offset| behind + offset + 5)
}

/// Where the body of a key begins that ends at `end`: nothing but base64 and ends of lines lies between.
fn beginning(text: &str, from: usize, end: usize) -> usize {
    let is_body =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\\') || *byte < b' ';
    let body = text.as_bytes().get(from..end).unwrap_or_default().iter().rev().take_while(|byte| is_body(byte)).count();
    end - body
}
