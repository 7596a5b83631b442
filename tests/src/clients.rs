//! Clients of an environment's URL: one that its access invites, and a stranger.

use std::net::{IpAddr, Ipv4Addr};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use berth_aws::Signer;
use berth_domain::access::AccessKind;
use berth_local::embedded::Embedded;
use berth_local::endpoint::sdk;
use berth_local::stand_in::REGION;
use berth_local::stand_in::apigateway::SourceIp;
use bytes::Bytes;
use http::{Request, Response};

use crate::EnvironmentView;

/// The address of a client that nothing invites.
pub const STRANGER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

/// Requests `url` with GET from this address.
///
/// # Panics
/// When `url` is none.
pub async fn plain(system: &Embedded, url: &str, from: Ipv4Addr) -> Response<Bytes> {
    let mut request = Request::get(url).body(Bytes::new()).expect("a request");
    request.extensions_mut().insert(SourceIp(IpAddr::V4(from)));
    system.endpoint.request(request).await.expect("no fault is scripted for this")
}

/// Requests `url` with GET, signed by the developer, whose policies permit invoking or do not.
///
/// # Panics
/// When `url` is none.
pub async fn signed(system: &Embedded, url: &str, may_invoke: bool) -> Response<Bytes> {
    let key = system.cloud.change(|account| {
        account.keys.developer.may_invoke = may_invoke;
        account.keys.developer.clone()
    });
    let signer = Signer { role: key.principal.clone(), credentials: sdk::credentials(&key), region: REGION.to_owned() };
    let request = signer.sign(HttpRequest::get(url).expect("a request"), &system.clock).await.expect("a signature");
    let (parts, _) = request.try_into_http1x().expect("a request").into_parts();
    let request = Request::from_parts(parts, Bytes::new());
    system.endpoint.request(request).await.expect("no fault is scripted for this")
}

/// Requests a ready environment's URL as a client that its access invites.
///
/// # Panics
/// When it has no URL.
pub async fn invited(system: &Embedded, view: &EnvironmentView) -> Response<Bytes> {
    let url = view.url.as_deref().expect("a url");
    match view.access.kind {
        AccessKind::Open => plain(system, url, STRANGER).await,
        AccessKind::Iam => signed(system, url, true).await,
        AccessKind::Cidrs => {
            let (first, _) = view.access.cidrs[0].split_once('/').expect("a range");
            plain(system, url, first.parse().expect("an address")).await
        }
    }
}
