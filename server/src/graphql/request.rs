//! A query as it comes over HTTP: by GET in the query string, by POST as JSON,
//! as `application/graphql`, or as a form.

use juniper::{DefaultScalarValue, InputValue, Variables};
use serde::Deserialize;

use super::MAX_QUERY_BYTES;

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql";

/// What was asked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) query: String,
    #[serde(default, rename = "operationName")]
    pub(super) operation_name: Option<String>,
    #[serde(default)]
    variables: Option<InputValue<DefaultScalarValue>>,
    /// What GraphQL leaves to servers: ours looks for `operatorKey`.
    #[serde(default)]
    extensions: Option<Extensions>,
    /// Whether it may be a mutation: it came by POST, and no page of another site
    /// can have sent it.
    #[serde(skip)]
    pub(super) may_change: bool,
}

/// The extensions of a request that we know.
#[derive(Debug, Default, Deserialize)]
struct Extensions {
    #[serde(default, rename = "operatorKey")]
    operator_key: Option<String>,
}

/// The HTTP status and the reason.
type Refusal = (u16, String);

impl Request {
    /// Reads a request.
    pub(super) fn read(
        method: &str,
        query_string: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        let length = query_string.map_or(0, str::len) + body.len();
        if length > MAX_QUERY_BYTES {
            let reason = format!("the query has {length} bytes, {MAX_QUERY_BYTES} are allowed");
            return Err((413, reason));
        }
        let mut request = match method {
            "GET" | "HEAD" => Self::default(),
            "POST" => Self::of_body(content_type, body)?,
            _ => return Err((405, "GraphQL only supports GET and POST requests.".into())),
        };
        request.complete_from(query_string.unwrap_or_default())?;
        request.may_change = method == "POST" && is_deliberate(content_type);
        // An empty name is none, as in the original.
        request.operation_name = request.operation_name.filter(|name| !name.is_empty());
        if request.query.trim().is_empty() {
            return Err((400, "Must provide query string.".into()));
        }
        Ok(request)
    }

    fn of_body(content_type: Option<&str>, body: &[u8]) -> Result<Self, Refusal> {
        let text = || {
            let text = std::str::from_utf8(body);
            text.map_err(|_| (400, "POST body sent is not UTF-8.".to_owned()))
        };
        match kind(content_type).as_str() {
            JSON => serde_json::from_slice(body)
                .map_err(|error| (400, format!("POST body sent invalid JSON: {error}."))),
            GRAPHQL => Ok(Self { query: text()?.to_owned(), ..Self::default() }),
            "application/x-www-form-urlencoded" => {
                let mut request = Self::default();
                request.complete_from(text()?)?;
                Ok(request)
            }
            // As in the original, another body counts as none.
            _ => Ok(Self::default()),
        }
    }

    /// Takes from a query string what is not there yet.
    fn complete_from(&mut self, query_string: &str) -> Result<(), Refusal> {
        for pair in query_string.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = || {
                crate::percent::decode(value)
                    .ok_or_else(|| (400, format!("{name:.40} is not well encoded UTF-8.")))
            };
            match name {
                "query" if self.query.is_empty() => self.query = value()?,
                "operationName" if self.operation_name.is_none() => {
                    self.operation_name = Some(value()?);
                }
                "variables" if self.variables.is_none() => {
                    let text = value()?;
                    if !text.is_empty() {
                        let variables = serde_json::from_str(&text)
                            .map_err(|_| (400, "Variables are invalid JSON.".to_owned()))?;
                        self.variables = Some(variables);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The key of an operator, if the request shows one.
    pub(super) fn operator_key(&self) -> Option<&str> {
        self.extensions.as_ref()?.operator_key.as_deref()
    }

    /// The variables by their names.
    pub(super) fn variables(&self) -> Variables<DefaultScalarValue> {
        let object = self.variables.as_ref().and_then(InputValue::to_object_value);
        let pairs = object.into_iter().flatten();
        pairs.map(|(name, value)| (name.into(), value.clone())).collect()
    }
}

/// The content type without its parameters, in lower case.
fn kind(content_type: Option<&str>) -> String {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// A form or plain text may come from any page that a browser has open, without
/// a question; these two may not (Fetch standard, "CORS-safelisted request-header").
fn is_deliberate(content_type: Option<&str>) -> bool {
    [JSON, GRAPHQL].contains(&kind(content_type).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(kind: &str, body: &str) -> Result<Request, Refusal> {
        Request::read("POST", None, Some(kind), body.as_bytes())
    }

    #[test]
    fn every_way_to_ask_is_understood() {
        let query = "{ allAgent { edges { node { id } } } }";
        let encoded = "%7B+allAgent%20%7B edges { node { id } } } }";
        let by_get =
            Request::read("GET", Some(&format!("x=1&query={encoded}")), None, b"").unwrap();
        assert_eq!(by_get.query, query);
        assert!(!by_get.may_change);
        let json = serde_json::json!({"query": query, "variables": {"a": 1}, "operationName": ""});
        let by_post = post("application/json; charset=utf-8", &json.to_string()).unwrap();
        assert_eq!((by_post.query.as_str(), by_post.operation_name.as_deref()), (query, None));
        assert!(by_post.variables().contains_key("a") && by_post.may_change);
        assert_eq!(post("application/graphql", query).unwrap().query, query);
        let form = post("application/x-www-form-urlencoded", &format!("query={encoded}")).unwrap();
        assert!(form.query == query && !form.may_change, "any page can send a form");
        let mixed = Request::read("POST", Some("query={a}"), Some("text/plain"), b"").unwrap();
        assert!(!mixed.may_change);
        let both = Request::read(
            "GET",
            Some("query=query+A{x}&operationName=A&variables=%7B%22v%22:null%7D"),
            None,
            b"",
        );
        let both = both.unwrap();
        assert_eq!(both.operation_name.as_deref(), Some("A"));
        assert!(both.variables().contains_key("v"));
    }

    #[test]
    fn what_is_no_query_is_refused() {
        let status = |result: Result<Request, Refusal>| result.unwrap_err().0;
        assert_eq!(status(Request::read("PUT", None, None, b"")), 405);
        assert_eq!(status(Request::read("GET", None, None, b"")), 400);
        assert_eq!(status(Request::read("GET", Some("query=%zz"), None, b"")), 400);
        assert_eq!(status(Request::read("GET", Some("query={a}&variables={"), None, b"")), 400);
        assert_eq!(status(post("application/json", "{")), 400);
        assert_eq!(status(post("application/json", "[]")), 400);
        assert_eq!(status(post("text/plain", "{a}")), 400);
        assert_eq!(status(post("application/json", &" ".repeat(MAX_QUERY_BYTES + 1))), 413);
    }
}
