//! An issuer's documents as a test wants them, behind an HTTP connector that remembers what was asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// What comes back from a URL.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status and a body.
    Sends(u16, String),
    /// The same with the header `x-amzn-ErrorType`, and with the service's `Date` under another name if it came from one.
    SendsErrorType(u16, &'static str, bool),
    /// A redirect to this URL.
    Redirects(&'static str),
    /// Nothing: the connection is refused.
    Nothing,
    /// The answer, so much later.
    Late(Duration, Box<Answer>),
}

/// Documents by URL; cheap to clone, and all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Documents(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, Answer>,
    others: Option<Answer>,
    asked: Vec<String>,
}

impl Documents {
    /// Where the keys of [`Documents::of`] are.
    pub const KEYS: &str = "https://keys.example/jwks";

    /// The documents of `issuer` with these JSON Web Keys: discovery, which leads to the keys on another host.
    #[must_use]
    pub fn of(issuer: &str, keys: &[Value]) -> Self {
        let documents = Self::default();
        documents.put(&discovery_url(issuer), &json!({"issuer": issuer, "jwks_uri": Self::KEYS}));
        documents.put_keys(keys);
        documents
    }

    /// From now on `url` answers 200 with `document`.
    pub fn put(&self, url: &str, document: &Value) {
        self.set(url, Answer::Sends(200, document.to_string()));
    }

    /// From now on these are the keys.
    pub fn put_keys(&self, keys: &[Value]) {
        self.put(Self::KEYS, &json!({ "keys": keys }));
    }

    /// From now on `url` answers like this.
    pub fn set(&self, url: &str, answer: Answer) {
        self.state().answers.insert(url.to_owned(), answer);
    }

    /// From now on every URL that has no document answers like this.
    pub fn set_others(&self, answer: Answer) {
        self.state().others = Some(answer);
    }

    /// From now on every document comes so much later.
    pub fn delay(&self, by: Duration) {
        for answer in self.state().answers.values_mut() {
            *answer = Answer::Late(by, Box::new(answer.clone()));
        }
    }

    /// From now on every connection is refused.
    pub fn go_down(&self) {
        self.state().answers.values_mut().for_each(|answer| *answer = Answer::Nothing);
    }

    /// The URLs that were asked for since this was last called.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    /// How often the keys themselves were asked for since this or [`Documents::asked`] was last called.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.asked().iter().filter(|url| *url == Self::KEYS).count()
    }

    /// A connector to them.
    #[must_use]
    pub fn connector(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics in here")
    }
}

/// Where the discovery document of `issuer` is.
#[must_use]
pub fn discovery_url(issuer: &str) -> String {
    format!("{issuer}/.well-known/openid-configuration")
}

impl HttpConnector for Documents {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let url = request.uri().to_owned();
        let mut state = self.state();
        let answer = state.answers.get(&url).or(state.others.as_ref()).cloned();
        let answer = answer.unwrap_or(Answer::Sends(404, "no such page".to_owned()));
        state.asked.push(url);
        HttpConnectorFuture::new(give(answer))
    }
}

async fn give(mut answer: Answer) -> Result<HttpResponse, ConnectorError> {
    while let Answer::Late(by, then) = answer {
        tokio::time::sleep(by).await;
        answer = *then;
    }
    let response = http::Response::builder();
    let response = match answer {
        Answer::Sends(status, body) => response.status(status).body(SdkBody::from(body)),
        Answer::SendsErrorType(status, kind, of_service) => {
            let response = response.status(status).header("x-amzn-ErrorType", kind);
            let name = if of_service { "x-amzn-Remapped-Date" } else { "Date" };
            response.header(name, "Fri, 27 Nov 2026 12:00:00 GMT").body(SdkBody::empty())
        }
        Answer::Redirects(url) => response.status(302).header("location", url).body(SdkBody::empty()),
        Answer::Nothing | Answer::Late(..) => return Err(ConnectorError::io("connection refused".into())),
    };
    Ok(HttpResponse::try_from(response.expect("a response")).expect("a response"))
}
