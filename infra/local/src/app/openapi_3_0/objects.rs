//! The objects of an OpenAPI 3.0 document except schemas: the members that each may have, and their contents. 3.0 does
//! not know other members.

use serde_json::{Map, Value, json};

use super::{At, Inexpressible};

/// A kind of object, as the specification calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Document,
    Info,
    License,
    Components,
    PathItem,
    /// An operation whose method may carry a body in 3.0.
    Operation,
    /// A GET, HEAD or DELETE operation, for which 3.0 gives a body no meaning.
    OperationWithoutBody,
    Parameter,
    RequestBody,
    MediaType,
    Encoding,
    Response,
    Header,
    /// Path items by expression.
    Callback,
    SecurityScheme,
    Schema,
}

/// How a member is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Kept: both versions give it and its contents the same meaning.
    Keep,
    /// Security requirements.
    Requirements,
    /// An object.
    One(Kind),
    /// An array of them.
    Each(Kind),
    /// An object whose members are such objects.
    Map(Kind),
    /// 3.0 does not have it; it is dropped when it is empty.
    OnlyEmpty,
}

impl Kind {
    /// The rule for this member, if 3.0 knows it.
    pub(super) fn rule(self, member: &str) -> Option<Rule> {
        use Rule::{Each, Keep, Map, One, OnlyEmpty, Requirements};
        Some(match (self, member) {
            (Self::Document, "openapi" | "servers" | "tags" | "externalDocs") => Keep,
            (Self::Document, "security") => Requirements,
            (Self::Document, "info") => One(Self::Info),
            (Self::Document, "paths") => Map(Self::PathItem),
            (Self::Document, "components") => One(Self::Components),
            (Self::Document, "webhooks") => OnlyEmpty,

            (Self::Info, "title" | "description" | "termsOfService" | "contact" | "version") => Keep,
            (Self::Info, "license") => One(Self::License),
            (Self::License, "name" | "url" | "identifier") => Keep,

            (Self::Components, "schemas") => Map(Self::Schema),
            (Self::Components, "responses") => Map(Self::Response),
            (Self::Components, "parameters") => Map(Self::Parameter),
            (Self::Components, "requestBodies") => Map(Self::RequestBody),
            (Self::Components, "headers") => Map(Self::Header),
            (Self::Components, "securitySchemes") => Map(Self::SecurityScheme),
            (Self::Components, "callbacks") => Map(Self::Callback),
            (Self::Components, "examples" | "links") => Keep,
            (Self::Components, "pathItems") => OnlyEmpty,

            (Self::PathItem, "summary" | "description" | "servers") => Keep,
            (Self::PathItem, "parameters") => Each(Self::Parameter),
            (Self::PathItem, "put" | "post" | "options" | "patch" | "trace") => One(Self::Operation),
            (Self::PathItem, "get" | "head" | "delete") => One(Self::OperationWithoutBody),
            (Self::Callback, _) => One(Self::PathItem),

            (Self::Operation, "requestBody") => One(Self::RequestBody),
            (Self::Operation | Self::OperationWithoutBody, member) => match member {
                "tags" | "summary" | "description" | "externalDocs" | "operationId" => Keep,
                "deprecated" | "servers" => Keep,
                "security" => Requirements,
                "parameters" => Each(Self::Parameter),
                "responses" => Map(Self::Response),
                "callbacks" => Map(Self::Callback),
                _ => return None,
            },

            (Self::Parameter, "name" | "in") => Keep,
            (Self::Parameter | Self::Header, member) => match member {
                "description" | "required" | "deprecated" | "allowEmptyValue" => Keep,
                "style" | "explode" | "allowReserved" | "example" | "examples" => Keep,
                "schema" => One(Self::Schema),
                "content" => Map(Self::MediaType),
                _ => return None,
            },
            (Self::RequestBody, "description" | "required") => Keep,
            (Self::RequestBody, "content") => Map(Self::MediaType),
            (Self::MediaType, "example" | "examples") => Keep,
            (Self::MediaType, "schema") => One(Self::Schema),
            (Self::MediaType, "encoding") => Map(Self::Encoding),
            (Self::Encoding, "contentType" | "style" | "explode" | "allowReserved") => Keep,
            (Self::Encoding, "headers") => Map(Self::Header),
            (Self::Response, "description" | "links") => Keep,
            (Self::Response, "headers") => Map(Self::Header),
            (Self::Response, "content") => Map(Self::MediaType),

            (Self::SecurityScheme, "type" | "description" | "name" | "in" | "scheme") => Keep,
            (Self::SecurityScheme, "bearerFormat" | "flows" | "openIdConnectUrl") => Keep,
            _ => return None,
        })
    }

    /// Converts what concerns the object as a whole.
    pub(super) fn finish(self, members: &mut Map<String, Value>, at: &At) -> Result<(), Inexpressible> {
        match self {
            Self::License => license(members, at),
            Self::Operation | Self::OperationWithoutBody if !members.contains_key("responses") => {
                Err(at.inexpressible("an operation has to have `responses`"))
            }
            Self::Response if !members.contains_key("description") => {
                Err(at.inexpressible("a response has to have a `description`"))
            }
            Self::SecurityScheme if members.get("type") == Some(&json!("mutualTLS")) => {
                Err(at.inside("type").inexpressible("it has no `mutualTLS`"))
            }
            _ => Ok(()),
        }
    }

    /// Its name, for messages.
    pub(super) fn name(self) -> String {
        match self {
            Self::OperationWithoutBody => "a GET, HEAD or DELETE operation".to_owned(),
            kind => format!("the {kind:?} object"),
        }
    }
}

/// 3.0 allows only scopes in a requirement's list; 3.1 also allows roles, for schemes without scopes.
pub(super) fn requirements(value: &Value, at: &At) -> Result<Value, Inexpressible> {
    let schemes = &at.document["components"]["securitySchemes"];
    let listed = value.as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
    for (scheme, scopes) in listed {
        let has_scopes = matches!(schemes[scheme]["type"].as_str(), Some("oauth2" | "openIdConnect"));
        if !has_scopes && *scopes != json!([]) {
            return Err(at.inexpressible(format!("only OAuth 2 and OpenID Connect have scopes, `{scheme}` is neither")));
        }
    }
    Ok(value.clone())
}

/// The SPDX identifier is new in 3.1. 3.0 has only the URL, which SPDX has for every identifier.
fn license(members: &mut Map<String, Value>, at: &At) -> Result<(), Inexpressible> {
    let Some(identifier) = members.remove("identifier") else { return Ok(()) };
    let simple = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    let Some(identifier) = identifier.as_str().filter(simple).filter(|_| !members.contains_key("url")) else {
        return Err(at
            .inside("identifier")
            .inexpressible("only a single SPDX identifier without a `url` has an address"));
    };
    members.insert("url".to_owned(), json!(format!("https://spdx.org/licenses/{identifier}.html")));
    Ok(())
}
