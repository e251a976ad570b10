//! Resources that tell which methods they have.

use crate::Problem;
use actix_web::{
    HttpResponse, Resource, Route,
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderValue},
    },
    web,
};

/// The methods of a resource as `Allow` names them: HEAD is wherever GET is.
pub fn allow<'a>(methods: impl IntoIterator<Item = &'a Method>) -> Option<HeaderValue> {
    let names = methods.into_iter().flat_map(|method| match *method {
        Method::GET => vec!["GET", "HEAD"],
        ref other => vec![other.as_str()],
    });
    HeaderValue::from_str(&names.collect::<Vec<_>>().join(", ")).ok()
}

/// A path and what it does by method; 405 with `Allow` to any other method.
pub fn resource<const N: usize>(path: &str, routes: [(Method, Route); N]) -> Resource {
    let allow = allow(routes.iter().map(|(method, _)| method));
    let resource = with_fallback(path, move || method_not_allowed(allow.clone()));
    routes
        .into_iter()
        .fold(resource, |resource, (method, route)| {
            resource.route(route.method(method))
        })
}

/// A path with an answer to methods that it does not have.
pub(crate) fn with_fallback(
    path: &str,
    answer: impl Fn() -> HttpResponse + Clone + 'static,
) -> Resource {
    let wrong_method = web::to(move || std::future::ready(answer()));
    web::resource(path.to_owned()).default_service(wrong_method)
}

/// Answers any path that is not served.
pub fn fallbacks(config: &mut web::ServiceConfig) {
    config.default_service(web::to(async || Problem::not_found()));
}

/// 405 as a problem.
pub(crate) fn method_not_allowed(allow: Option<HeaderValue>) -> HttpResponse {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    let problem = match allow {
        Some(allow) => problem.with_header(ALLOW, allow),
        None => problem,
    };
    problem.to_response()
}
