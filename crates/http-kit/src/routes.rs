//! The paths of a service: what answers each, and what describes it.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    Error, Handler, HttpRequest, Responder, Route,
    dev::Payload,
    http::Method,
    web::{self, ServiceConfig},
};
use utoipa::openapi::{OpenApi, path::HttpMethod};

use crate::{
    caller::Api,
    extract::Arguments,
    resource::{allow, method_not_allowed, with_fallback},
};

type MakeRoute<S> = Arc<dyn Fn(&Arc<Api<S>>) -> Route + Send + Sync>;

/// The paths of handlers on the state `S`, each with its methods. Path and method stand in the description
/// of a handler (`utoipa::path`) and nowhere else. A handler that does not say who calls does not compile:
///
/// ```compile_fail
/// #[utoipa::path(get, path = "/open")]
/// async fn open() -> http_kit::ApiResult {
///     Ok(http_kit::Answer::ok(&1))
/// }
/// # let routes = http_kit::Routes::<i64>::described(Default::default());
/// routes.with::<__path_open, _, _>(open);
/// ```
pub struct Routes<S> {
    // In the order of their texts, a literal part of a path comes before a parameter in its place.
    paths: BTreeMap<String, BTreeMap<Rank, MakeRoute<S>>>,
    document: OpenApi,
}

impl<S: Send + Sync + 'static> Routes<S> {
    /// No routes yet, of what is described here.
    pub fn described(document: OpenApi) -> Self {
        Self {
            paths: BTreeMap::new(),
            document,
        }
    }

    /// Adds a handler at its path and methods.
    #[must_use]
    pub fn with<P, H, A>(mut self, handler: H) -> Self
    where
        P: utoipa::Path,
        H: Handler<A> + Send + Sync,
        H::Output: Responder + 'static,
        A: Arguments<S> + 'static,
    {
        let make: MakeRoute<S> = Arc::new(move |api| route(handler.clone(), Arc::clone(api)));
        let methods = self.paths.entry(P::path()).or_default();
        methods.extend(
            P::methods()
                .into_iter()
                .map(|m| (Rank::of(m), make.clone())),
        );
        self
    }

    /// Adds the paths of another part of the service.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (path, methods) in other.paths {
            self.paths.entry(path).or_default().extend(methods);
        }
        self.document.merge(other.document);
        self
    }

    /// What describes the paths.
    pub fn document(self) -> OpenApi {
        self.document
    }

    /// Registers the paths, served with this state.
    pub fn serve(
        self,
        api: &Arc<Api<S>>,
    ) -> impl Fn(&mut ServiceConfig) + Clone + Send + Sync + use<S> {
        let (paths, api) = (Arc::new(self.paths), Arc::clone(api));
        move |config| {
            for (path, methods) in paths.iter() {
                let allowed = allow(methods.keys().map(|rank| &rank.1));
                let resource = with_fallback(path, move || method_not_allowed(allowed.clone()));
                let resource = methods.iter().fold(resource, |resource, (rank, make)| {
                    resource.route(make(&api).method(rank.1.clone()))
                });
                config.service(resource);
            }
        }
    }
}

/// A method, in the order that `Allow` names them.
#[derive(Clone, PartialEq, Eq)]
struct Rank(u8, Method);

impl Rank {
    fn of(method: HttpMethod) -> Self {
        match method {
            HttpMethod::Get => Self(0, Method::GET),
            HttpMethod::Head => Self(1, Method::HEAD),
            HttpMethod::Post => Self(2, Method::POST),
            HttpMethod::Put => Self(3, Method::PUT),
            HttpMethod::Patch => Self(4, Method::PATCH),
            HttpMethod::Delete => Self(5, Method::DELETE),
            HttpMethod::Options => Self(6, Method::OPTIONS),
            HttpMethod::Trace => Self(7, Method::TRACE),
        }
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

fn route<S, H, A>(handler: H, api: Arc<Api<S>>) -> Route
where
    S: 'static,
    H: Handler<A>,
    H::Output: Responder + 'static,
    A: Arguments<S> + 'static,
{
    web::to(move |request: HttpRequest, payload: web::Payload| {
        let (handler, api) = (handler.clone(), Arc::clone(&api));
        async move {
            let payload: Payload = payload.into_inner();
            let arguments = A::read(&request, payload, &api).await?;
            Ok::<_, Error>(handler.call(arguments).await)
        }
    })
}

/// Defines `routes()`, the [`Routes`] of a module on a state: `routes!(State; list::{all, one}, …)`
/// names handlers that `utoipa::path` describes, by the modules where they are.
#[macro_export]
macro_rules! routes {
    ($state:ty; $($module:ident::{$($handler:ident),+ $(,)?}),+ $(,)?) => {
        /// The paths, and what describes them.
        pub fn routes() -> $crate::Routes<$state> {
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($($module::$handler),+),+))]
            struct Described;

            let routes = $crate::Routes::described(<Described as utoipa::OpenApi>::openapi());
            $crate::pastey::paste! {
                routes $($(.with::<$module::[<__path_ $handler>], _, _>($module::$handler))+)+
            }
        }
    };
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
