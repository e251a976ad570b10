//! What holds for every operation, added to an OpenAPI document in one place.

use api_types::ProblemBody;
use utoipa::{
    Modify, PartialSchema, ToSchema,
    openapi::{
        Content, OpenApi, Ref, RefOr, Required, Response, SecurityRequirement,
        content::ContentBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        response::ResponseBuilder,
        schema::{ObjectBuilder, Schema, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{ErrorShape, paging, problem::CONTENT_TYPE_PROBLEM};

const JSON: &str = "application/json";
const PROBLEM: &str = "Problem";

/// Declares errors in the shape of their face, and the answers that come from before the handler of an
/// operation or from beneath it: of the connection, of who calls, of the key that repeats a request, of the
/// stores. Last of the modifiers of a document.
pub struct Shared<'a>(pub &'a [ErrorShape]);

impl Modify for Shared<'_> {
    fn modify(&self, document: &mut OpenApi) {
        let whole = document.security.clone().unwrap_or_default();
        for (path, item) in &mut document.paths.paths {
            let strict = path.starts_with("/api/v1/");
            let refusal = Refusal::of(path, self.0);
            for (change, operation) in operations(item) {
                let by_key = needs_key(operation.security.as_deref().unwrap_or(&whole));
                for (status, description) in common(operation, change, by_key, strict) {
                    refusal.declare(operation, status, description);
                }
                bound_numbers(operation);
                if by_key && change == Change::Post {
                    add_header(operation, idempotency_key());
                }
                if by_key && operation.responses.responses.contains_key("202") {
                    add_header(operation, prefer());
                }
                refusal.name(operation);
            }
        }
    }
}

/// How an operation changes what is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Post,
    Other,
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Change, &mut Operation)> {
    [
        (Change::None, &mut item.get),
        (Change::Post, &mut item.post),
        (Change::Other, &mut item.put),
        (Change::Other, &mut item.patch),
        (Change::Other, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(change, operation)| Some((change, operation.as_mut()?)))
}

fn needs_key(security: &[SecurityRequirement]) -> bool {
    let key = SecurityRequirement::new::<_, [&str; 0], &str>("key", []);
    security.contains(&key)
}

/// The answers that an operation shares with those of its kind.
fn common(
    operation: &Operation,
    change: Change,
    by_key: bool,
    strict: bool,
) -> impl Iterator<Item = (u16, &'static str)> + use<> {
    let parameters = || operation.parameters.iter().flatten();
    let some = |place| {
        parameters().any(
            |parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place),
        )
    };
    let (named, asked) = (some(ParameterIn::Path), some(ParameterIn::Query));
    let body = operation.request_body.is_some();
    // What comes with a request that needs no body is read all the same: it is part of what a key repeats.
    let sent = body || change == Change::Post;
    let (changes, keyed) = (change != Change::None, by_key && change == Change::Post);
    [
        (true, 400, "The request cannot be read"),
        (by_key, 401, "Credentials are missing or not valid"),
        (
            by_key,
            403,
            "`foreign_host`: trusted, and under another name than this machine's",
        ),
        (named, 404, "There is none"),
        (sent, 408, "`body_stalled`: nothing more of the body came"),
        (
            keyed,
            409,
            "`idempotency_in_progress`: the same request is still running",
        ),
        (sent, 413, "`too_large`"),
        (sent, 415, "`unsupported_media_type`"),
        (strict && (asked || body), 422, "A rule is broken"),
        (
            keyed,
            422,
            "`idempotency_mismatch`: the key was used for other content",
        ),
        (true, 500, "`internal`"),
        (true, 503, "`unavailable`: try again after Retry-After"),
        (changes, 507, "`insufficient_storage`"),
    ]
    .into_iter()
    .filter_map(|(sent, status, description)| sent.then_some((status, description)))
}

/// How the errors of an operation are declared.
struct Refusal {
    content_type: &'static str,
    schema: &'static str,
}

impl Refusal {
    fn of(path: &str, shapes: &[ErrorShape]) -> Self {
        let (content_type, schema) = match ErrorShape::of(path, shapes) {
            Some(shape) => (JSON, shape.schema),
            None => (CONTENT_TYPE_PROBLEM, PROBLEM),
        };
        Self {
            content_type,
            schema,
        }
    }

    /// Adds an answer where the operation itself says nothing of its status.
    fn declare(&self, operation: &mut Operation, status: u16, description: &str) {
        let answers = &mut operation.responses.responses;
        let answer = answers
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(ResponseBuilder::new().description(description).build()));
        if let RefOr::T(answer) = answer
            && !answer.content.values().any(|content| self.is(content))
        {
            self.add(answer);
        }
    }

    /// Names the content type of errors, and declares one where a refusal is declared without content.
    fn name(&self, operation: &mut Operation) {
        for (status, answer) in &mut operation.responses.responses {
            let RefOr::T(answer) = answer else {
                continue;
            };
            let refuses = answer.content.is_empty() && status.starts_with(['4', '5']);
            let unnamed = answer
                .content
                .get(JSON)
                .is_some_and(|content| self.is(content));
            if unnamed {
                answer.content.shift_remove(JSON);
            }
            if refuses || unnamed {
                self.add(answer);
            }
        }
    }

    fn add(&self, answer: &mut Response) {
        let schema = Some(Ref::from_schema_name(self.schema));
        let content = ContentBuilder::new().schema(schema).build();
        answer
            .content
            .insert(self.content_type.to_owned(), RefOr::T(content));
    }

    fn is(&self, content: &RefOr<Content>) -> bool {
        let RefOr::T(content) = content else {
            return false;
        };
        let own = Ref::from_schema_name(self.schema);
        matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location == own.ref_location)
    }
}

/// The numbers by which lists are walked, as [`crate::paging`] reads them.
fn bound_numbers(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        let most = match parameter.name.as_str() {
            "limit" | "per_page" => paging::MAX_LIMIT,
            "page" => paging::MAX_PAGE,
            _ => continue,
        };
        let schema = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(most))
            .build();
        parameter.schema = Some(Schema::Object(schema).into());
    }
}

fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[ -~]+$"));
    let said = "The same request under the same key is answered as the first time";
    header("Idempotency-Key", said, schema)
}

fn prefer() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    header(
        "Prefer",
        "`wait=N`: seconds to wait for the end, up to 60",
        schema,
    )
}

fn header(name: &str, said: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(said))
        .schema(Some(Schema::Object(schema.build())))
        .build()
}

/// Declares a header where the operation does not.
fn add_header(operation: &mut Operation, header: Parameter) {
    let parameters = operation.parameters.get_or_insert_default();
    let declared = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == header.name);
    if !parameters.iter().any(declared) {
        parameters.push(RefOr::T(header));
    }
}

/// The document of a service: what it is, its paths, and those that it has below `/api/v1`; `errors` are the
/// shapes of faces that answer no problems.
pub fn of_service(
    about: OpenApi,
    paths: OpenApi,
    v1: impl IntoIterator<Item = OpenApi>,
    errors: &[ErrorShape],
) -> OpenApi {
    let whole = about.merge_from(paths);
    let mut document = v1
        .into_iter()
        .fold(whole, |whole, paths| whole.nest("/api/v1", paths));
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key of the workspace."))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    let mut problems = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
    ProblemBody::schemas(&mut problems);
    components.schemas.extend(problems);
    let by_key = SecurityRequirement::new::<_, [&str; 0], &str>("key", []);
    document.security = Some(vec![by_key]);
    Shared(errors).modify(&mut document);
    document
}

/// One document of several services at the same address.
pub fn joined(mut first: OpenApi, others: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    for other in others {
        first.merge(other);
    }
    first
}

/// The document as text, with a stable order.
pub fn text(document: &OpenApi) -> String {
    // Made of strings, numbers and maps with text keys: writing it cannot fail.
    document.to_pretty_json().unwrap_or_default() + "\n"
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
