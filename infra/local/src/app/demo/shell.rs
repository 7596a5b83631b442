//! The lines for a reader's shell: variables, and one curl line for each call. The demo builds its request from the same text,
//! with the values of the variables, so each line works as printed.

use http::{Method, Request};

/// The shell variables of the printed lines, with their values.
#[derive(Default)]
pub(super) struct Variables(Vec<(&'static str, String)>);

impl Variables {
    /// Gives the variable `name` (without `$`) a value, as `name=text` does in a shell.
    pub fn set(&mut self, name: &'static str, text: &str) {
        let value = self.expand(text.trim_matches('"'));
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
    }

    fn expand(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
    }
}

/// One HTTP call, as a reader's shell would make it.
pub(super) struct Call {
    /// The method.
    pub method: Method,
    /// The URL, with shell variables.
    pub url: &'static str,
    /// A header, with shell variables.
    pub header: Option<&'static str>,
    /// The JSON body; `None`: no body.
    pub body: Option<String>,
}

impl Call {
    /// A call of Berth's API, with the token.
    pub fn api(method: Method, url: &'static str) -> Self {
        Self { method, url, header: Some("$AUTH"), body: None }
    }

    /// The line for a reader's shell; a body is on a second line. With a body, curl sends a POST.
    pub fn curl(&self) -> String {
        let mut line = "curl ".to_owned();
        if self.method == Method::DELETE {
            line += "-X DELETE ";
        }
        line += &format!("\"{}\"", self.url);
        if let Some(header) = self.header {
            line += &format!(" -H \"{header}\"");
        }
        if let Some(body) = &self.body {
            line += &format!(" \\\n  -d '{body}'");
        }
        line
    }

    /// The request that the line sends.
    ///
    /// # Errors
    /// One line, when a variable's value makes no valid request.
    pub fn request(&self, variables: &Variables) -> Result<Request<String>, String> {
        let mut request = Request::builder().method(&self.method).uri(variables.expand(self.url));
        let header = self.header.map(|header| variables.expand(header));
        if let Some((name, value)) = header.as_deref().and_then(|header| header.split_once(": ")) {
            request = request.header(name, value);
        }
        request.body(self.body.clone().unwrap_or_default()).map_err(|error| error.to_string())
    }
}
