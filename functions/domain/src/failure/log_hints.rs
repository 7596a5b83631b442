//! Where a program says that it listens: the one hint at a wrong port that can be had from outside a container. Only a
//! hint, because a program may say anything; `causes` words it so.

/// After one of these, programs name their address or port ("Listening on 0.0.0.0:3000", "Running on
/// http://127.0.0.1:5000", "Tomcat started on port 8080", "server started at :8080").
const WORDS: [&str; 5] = ["listen", "running on", "running at", "started on", "started at"];
/// Names of the address that only the container itself can reach.
const LOOPBACK: [&str; 3] = ["127.0.0.1:", "localhost:", "[::1]:"];

/// Where a program says it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The port.
    pub port: u16,
    /// Whether it names an address that only the container itself can reach.
    pub only_itself: bool,
}

/// What `line` of a log says of where the program listens.
#[must_use]
pub fn listening(line: &str) -> Option<Listening> {
    let line = line.to_lowercase();
    let said = WORDS.iter().filter_map(|word| line.find(word)).min()?;
    let said = line.get(said..)?;
    let port = port(said)?;
    let only_itself = LOOPBACK.iter().any(|address| said.contains(&format!("{address}{port}")));
    Some(Listening { port, only_itself })
}

/// The first number that stands where ports stand: after a colon, "port" or "on".
fn port(said: &str) -> Option<u16> {
    let mut before = 0;
    for (at, _) in said.match_indices(|c: char| c.is_ascii_digit()) {
        if at < before {
            continue;
        }
        let digits: &str = said.get(at..)?.split(|c: char| !c.is_ascii_digit()).next()?;
        before = at + digits.len();
        let lead = said.get(..at)?;
        // "0.0.0.0:3000" begins with a number that is followed by a dot: no port.
        let stands_alone = !said.get(before..)?.starts_with('.') || said.get(before + 1..)?.trim().is_empty();
        let stands_there = lead.ends_with(':')
            || ["port ", "port: ", "port=", "port(s): ", "on "].iter().any(|end| lead.ends_with(end));
        if stands_alone
            && stands_there
            && let Ok(port) = digits.parse()
        {
            return Some(port).filter(|port| *port > 0);
        }
    }
    None
}
