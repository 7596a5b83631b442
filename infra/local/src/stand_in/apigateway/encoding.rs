//! Percent-encoding on the way to the service: API Gateway decodes a path and a query before it passes them
//! (docs/aws.md#paths-and-queries). What it does to a character that would then change the request's parts is not known, so
//! such a request is refused.

use percent_encoding::percent_decode_str;

use super::gateway_response::GatewayResponse;

/// The text of a part of a URL. Refuses an invalid escape, and escapes that are not UTF-8.
pub fn decode(part: &str) -> Result<String, GatewayResponse> {
    let is_escape =
        |rest: &str| rest.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if !part.split('%').skip(1).all(is_escape) {
        return Err(GatewayResponse::bad_escape());
    }
    let text = percent_decode_str(part).decode_utf8();
    Ok(text.map_err(|_| GatewayResponse::not_played("a URL whose escapes are no UTF-8"))?.into_owned())
}

/// A text in the path to the service.
pub fn in_path(text: &str) -> Result<String, GatewayResponse> {
    written(text, "a path", "?#")
}

/// A text in the query to the service.
pub fn in_query(text: &str) -> Result<String, GatewayResponse> {
    written(text, "a query", "&+;#")
}

/// `text` as it goes over the wire. The percent sign is encoded again, as AWS says; so is what may stand in no URL.
fn written(text: &str, place: &str, dividing: &str) -> Result<String, GatewayResponse> {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if letter.is_ascii_control() || dividing.contains(letter) => {
                return Err(GatewayResponse::not_played(format_args!(
                    "an encoded %{:02X} in {place}, because it is not known whether API Gateway decodes it for the \
                     service: send the value in the body or in a header",
                    u32::from(letter)
                )));
            }
            '%' | ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                written.push_str(&format!("%{:02X}", u32::from(letter)));
            }
            _ => written.push(letter),
        }
    }
    Ok(written)
}

/// The caller's query, as a proxy integration passes it: decoded parameter by parameter.
pub fn passed_query(query: &str) -> Result<String, GatewayResponse> {
    if let Some(letter) = query.chars().find(|letter| "|{}".contains(*letter)) {
        return Err(GatewayResponse::bad_query(letter));
    }
    // A semicolon is no part of a value for API Gateway: the query is split there.
    let parameters = query.split(['&', ';']).filter(|parameter| !parameter.is_empty());
    let passed: Vec<String> = parameters.map(passed_parameter).collect::<Result<_, _>>()?;
    Ok(passed.join("&"))
}

fn passed_parameter(parameter: &str) -> Result<String, GatewayResponse> {
    let Some((name, value)) = parameter.split_once('=') else { return passed_part(parameter, true) };
    Ok(format!("{}={}", passed_part(name, true)?, passed_part(value, false)?))
}

fn passed_part(part: &str, is_name: bool) -> Result<String, GatewayResponse> {
    let mut passed = Vec::new();
    // A plus sign that is not encoded stays; only an encoded one would change its meaning.
    for piece in part.split('+') {
        let text = decode(piece)?;
        if is_name && text.contains('=') {
            return Err(GatewayResponse::not_played("an encoded '=' in the name of a query parameter"));
        }
        passed.push(in_query(&text)?);
    }
    Ok(passed.join("+"))
}
