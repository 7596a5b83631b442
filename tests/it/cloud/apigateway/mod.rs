//! API Gateway v1 through the SDK, and its data path through the endpoint: what its tests share.

mod admission;
mod apis;
mod data_path;
mod links;
mod on_the_way;
mod reads;
mod stages;

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use berth_aws::sdk::apigateway_error::{ProvideErrorMetadata, SdkError};
use berth_local::stand_in::net::{Listener, Stream};
use http::{Request, Response};
use tests::Account;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SUBNET: &str = "subnet-0be27400000000001";
const SECURITY_GROUP: &str = "sg-0be27400000000001";

/// An account with a load balancer, and what stands behind it: a small server at the load balancer's port 8080.
struct World {
    account: Account,
    load_balancer: String,
    host: String,
}

impl World {
    async fn new() -> Self {
        let account = Account::new();
        let (load_balancer, host) = load_balancer(&account, "one", &[]).await;
        let listener = account.cloud.net().listen((host.clone(), 8080)).await.unwrap();
        tokio::spawn(serve(listener));
        Self { account, load_balancer, host }
    }

    /// An available VPC link to the load balancer.
    async fn link(&self) -> String {
        let link = self.link_to(&self.load_balancer).await;
        self.pass(600).await;
        link
    }

    async fn link_to(&self, arn: &str) -> String {
        let create =
            self.account.clients.apigateway.create_vpc_link().name("berth").target_arns(arn).tags("berth:env", "e1");
        create.send().await.unwrap().id.unwrap()
    }

    async fn link_status(&self, id: &str) -> (String, Option<String>) {
        let link = self.account.clients.apigateway.get_vpc_link().vpc_link_id(id).send().await.unwrap();
        (link.status.unwrap().as_str().to_owned(), link.status_message)
    }

    /// A new API, once AWS's rate lets it through: its id and the id of `/`.
    async fn api(&self) -> (String, String) {
        self.pass(3).await;
        let api = self
            .account
            .clients
            .apigateway
            .create_rest_api()
            .name("berth")
            .tags("berth:env", "e1")
            .send()
            .await
            .unwrap();
        (api.id.unwrap(), api.root_resource_id.unwrap())
    }

    async fn resource(&self, api: &str, parent: &str, part: &str) -> String {
        let create =
            self.account.clients.apigateway.create_resource().rest_api_id(api).parent_id(parent).path_part(part);
        create.send().await.unwrap().id.unwrap()
    }

    async fn method(&self, api: &str, resource: &str, method: &str) {
        let put =
            self.account.clients.apigateway.put_method().rest_api_id(api).resource_id(resource).http_method(method);
        let put = put.authorization_type("NONE").request_parameters("method.request.path.proxy", true);
        put.send().await.unwrap();
    }

    /// ANY on the resource, through the link, to this path at the service.
    async fn through(&self, api: &str, resource: &str, link: &str, path: &str) {
        let uri = format!("http://{}:8080{path}", self.host);
        let put =
            self.account.clients.apigateway.put_integration().rest_api_id(api).resource_id(resource).http_method("ANY");
        let put = put.r#type("HTTP_PROXY".into()).integration_http_method("ANY").uri(uri);
        let put = put.connection_type("VPC_LINK".into()).connection_id(link);
        let put = put.request_parameters("integration.request.path.proxy", "method.request.path.proxy");
        put.send().await.unwrap();
    }

    /// `/` and `/{proxy+}` through a link that is named as given.
    async fn proxy_api(&self, link: &str) -> (String, String, String) {
        let (api, root) = self.api().await;
        let proxy = self.resource(&api, &root, "{proxy+}").await;
        for (resource, path) in [(&root, "/"), (&proxy, "/{proxy}")] {
            self.method(&api, resource, "ANY").await;
            self.through(&api, resource, link, path).await;
        }
        (api, root, proxy)
    }

    /// A deployment to stage `live`, with the stage variable `link`, once AWS's rate lets it through.
    async fn deploy(&self, api: &str, link: &str) -> String {
        self.pass(5).await;
        let deploy = self
            .account
            .clients
            .apigateway
            .create_deployment()
            .rest_api_id(api)
            .stage_name("live")
            .variables("link", link);
        deploy.send().await.unwrap().id.unwrap()
    }

    /// A served API: `/` and `/{proxy+}` through a stage variable, deployed to `live` and spread.
    async fn served(&self) -> (String, String) {
        let link = self.link().await;
        let (api, _, _) = self.proxy_api("${stageVariables.link}").await;
        self.deploy(&api, &link).await;
        self.pass(30).await;
        (api, link)
    }

    async fn pass(&self, seconds: u64) {
        self.account.clock.sleep(Duration::from_secs(seconds)).await;
    }

    async fn ask(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("x-mine", "yes").header("te", "trailers");
        let request = request.header("host", "127.0.0.1:4566").body(body.into().into()).unwrap();
        Answer::from(self.account.endpoint.request(request).await.unwrap())
    }

    /// A request to stage `live` with these header lines.
    async fn ask_with(&self, api: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let (method, path) = request.split_once(' ').unwrap();
        let uri = format!("/restapis/{api}/live/_user_request_{path}");
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::from(self.account.endpoint.request(request.body(body.to_vec().into()).unwrap()).await.unwrap())
    }

    async fn get(&self, api: &str, path: &str) -> Answer {
        self.ask("GET", &format!("/restapis/{api}/live/_user_request_{path}"), "").await
    }
}

async fn load_balancer(account: &Account, name: &str, groups: &[&str]) -> (String, String) {
    let create = account.clients.elb.create_load_balancer().name(name).r#type("network".into());
    let create = create.scheme("internal".into()).subnets(SUBNET);
    let groups = (!groups.is_empty()).then(|| groups.iter().map(|group| (*group).to_owned()).collect());
    let reply = create.set_security_groups(groups).send().await.unwrap();
    account.clock.sleep(Duration::from_secs(600)).await;
    let created = &reply.load_balancers()[0];
    (created.load_balancer_arn().unwrap().to_owned(), created.dns_name().unwrap().to_owned())
}

/// What the caller sees.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// Several lines of one name are joined by line feeds.
    headers: HashMap<String, String>,
    body: String,
}

impl<B: AsRef<[u8]>> From<Response<B>> for Answer {
    fn from(response: Response<B>) -> Self {
        let lines = |name: &http::HeaderName| {
            let lines = response.headers().get_all(name).iter().map(|value| value.to_str().unwrap());
            lines.collect::<Vec<_>>().join("\n")
        };
        Self {
            status: response.status().as_u16(),
            headers: response.headers().keys().map(|name| (name.to_string(), lines(name))).collect(),
            body: String::from_utf8_lossy(response.body().as_ref()).into_owned(),
        }
    }
}

impl Answer {
    /// The lines of a header as the small server got them.
    fn arrived(&self, name: &str) -> Vec<&str> {
        let lines = self.body.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The gateway's own answer, as status, `x-amzn-ErrorType` and message.
    fn gateway(&self) -> (u16, &str, String) {
        let kind = self.headers.get("x-amzn-errortype").unwrap_or_else(|| panic!("not the gateway's answer: {self:?}"));
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        (self.status, kind, body["message"].as_str().unwrap().to_owned())
    }
}

const FORBIDDEN: (u16, &str, &str) = (403, "ForbiddenException", "Forbidden");
const NO_METHOD: (u16, &str, &str) = (403, "MissingAuthenticationTokenException", "Missing Authentication Token");
const INTERNAL: (u16, &str, &str) = (500, "InternalServerErrorException", "Internal server error");
const NETWORK: (u16, &str, &str) = (504, "InternalServerErrorException", "Network error communicating with endpoint");
const TIMED_OUT: (u16, &str, &str) = (504, "InternalServerErrorException", "Endpoint request timed out");

#[track_caller]
fn is_gateway(answer: &Answer, (status, kind, message): (u16, &str, &str)) {
    assert_eq!(answer.gateway(), (status, kind, message.to_owned()));
}

/// The small server: says back what it got, the body in hexadecimal if `x-hex` asks for it. It sends the headers that
/// `x-answer` lists, divided by bars. Some paths misbehave.
async fn serve(mut listener: Listener) {
    while let Ok(stream) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: Stream) {
    let mut got = Vec::new();
    let (head, mut body) = loop {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => got.extend_from_slice(&buffer[..length]),
        }
        if let Some(end) = got.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&got[..end]).into_owned(), got.split_off(end + 4));
        }
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    while body.len() < length {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        body.extend_from_slice(&buffer[..read]);
    }
    let reply = if head.starts_with("GET /close ") {
        return;
    } else if head.starts_with("GET /cut ") {
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this".to_owned()
    } else if head.starts_with("GET /slow ") {
        tokio::time::sleep(Duration::from_secs(40)).await;
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()
    } else if head.starts_with("GET /refuses ") {
        "HTTP/1.1 403 Forbidden\r\nserver: mine\r\ndate: today\r\nwww-authenticate: Basic\r\nx-amzn-errortype: Mine\r\nx-other: kept\r\nkeep-alive: 5\r\ncontent-length: 2\r\n\r\nno".to_owned()
    } else {
        let short = body.len() < 4096;
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let body = match header("x-hex: ") {
            Some(_) => body.iter().map(|byte| format!("{byte:02x}")).collect(),
            None if short => String::from_utf8_lossy(&body).into_owned(),
            None => body.len().to_string(),
        };
        let said = if head.starts_with("HEAD ") { String::new() } else { format!("{head}\n\n{body}") };
        let lines = header("x-answer: ").map(|lines| lines.split('|').map(|line| format!("{line}\r\n")).collect());
        let lines: String = lines.unwrap_or_default();
        format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n{lines}\r\n{said}", said.len())
    };
    stream.write_all(reply.as_bytes()).await.unwrap();
}

/// Status, code and message of a refused call.
#[track_caller]
fn refused<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, SdkError<E>>) -> (u16, String, String) {
    let error = result.expect_err("refused");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let service = error.as_service_error().unwrap().meta();
    (status, service.code().unwrap_or_default().to_owned(), service.message().unwrap_or_default().to_owned())
}

#[track_caller]
fn is_refused<T: Debug, E: ProvideErrorMetadata + Debug>(
    result: Result<T, SdkError<E>>,
    (status, code, message): (u16, &str, &str),
) {
    assert_eq!(refused(result), (status, code.to_owned(), message.to_owned()));
}

const BAD: &str = "BadRequestException";
const NOT_FOUND: &str = "NotFoundException";
const CONFLICT: &str = "ConflictException";
const LIMIT: &str = "LimitExceededException";

fn patch(op: &str, path: &str, value: Option<&str>) -> berth_aws::sdk::apigateway_types::PatchOperation {
    let patch = berth_aws::sdk::apigateway_types::PatchOperation::builder().op(op.into()).path(path);
    patch.set_value(value.map(str::to_owned)).build()
}
