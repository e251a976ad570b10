use actix_web::test::TestRequest;
use async_trait::async_trait;
use domain::shared::Instant;
use ports::auth::ApiKeyOwner;

use super::*;

struct OneKey;

#[async_trait]
impl ApiKeyStore for OneKey {
    async fn owner_of(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyOwner>, StoreError> {
        if *hash == sha256("down") {
            return Err(StoreError::Unavailable("down".into()));
        }
        let workspace = WorkspaceId::parse("ws1").unwrap();
        let owner = ApiKeyOwner {
            workspace,
            key_id: "k7".into(),
        };
        Ok((*hash == sha256("secret-key")).then_some(owner))
    }

    async fn ensure(&self, _: &[u8; 32], _: &ApiKeyOwner, _: Instant) -> Result<(), StoreError> {
        Ok(())
    }
}

fn keys_only() -> Authenticator {
    Authenticator::new(Arc::new(OneKey))
}

fn request(headers: &[(&str, &str)]) -> TestRequest {
    let peer = "127.0.0.1:40000".parse().unwrap();
    headers.iter().fold(
        TestRequest::get().peer_addr(peer),
        |request, (name, value)| request.append_header((*name, *value)),
    )
}

/// `workspace/user`, or the status of the refusal.
async fn outcome(auth: &Authenticator, request: TestRequest) -> String {
    match auth.authenticate(&request.to_http_request()).await {
        Ok(who) => format!("{}/{}", who.workspace, who.user),
        Err(error) => Problem::from(error).status().as_u16().to_string(),
    }
}

const KEY: (&str, &str) = ("Authorization", "Bearer secret-key");

#[actix_web::test]
async fn a_key_opens_its_workspace() {
    for (headers, expected) in [
        (vec![KEY], "ws1/key:k7"),
        (vec![("authorization", "bearer secret-key")], "ws1/key:k7"),
        (vec![KEY, ("userId", "u1")], "ws1/u1"),
        (vec![KEY, ("workSpaceId", "ws1")], "ws1/key:k7"),
        (vec![KEY, ("workSpaceId", "ws2")], "401"),
        (vec![KEY, ("workSpaceId", "no/good")], "401"),
        (vec![KEY, ("userId", "no good")], "401"),
        (vec![KEY, KEY], "401"),
        (vec![("Authorization", "Bearer other")], "401"),
        (vec![("Authorization", "Basic secret-key")], "401"),
        (vec![("Authorization", "secret-key")], "401"),
        (vec![("Authorization", "Bearer ")], "401"),
        (vec![("Authorization", "Bearer down")], "503"),
        (vec![], "401"),
    ] {
        assert_eq!(
            outcome(&keys_only(), request(&headers)).await,
            expected,
            "{headers:?}"
        );
    }
}

#[actix_web::test]
async fn gateway_headers_need_the_secret() {
    let auth = keys_only().with_gateway_secret("s3cret");
    let (workspace, user) = (("workSpaceId", "ws9"), ("userId", "u1"));
    let secret = ("x-gateway-secret", "s3cret");
    for (headers, expected) in [
        (vec![workspace, user, secret], "ws9/u1"),
        (vec![workspace, user, ("x-gateway-secret", "s3cres")], "401"),
        (vec![workspace, user, secret, secret], "401"),
        (vec![workspace, workspace, user, secret], "401"),
        (vec![workspace, user], "401"),
        (vec![workspace, secret], "401"),
        (vec![user, secret], "401"),
        (vec![workspace, ("userId", ""), secret], "401"),
    ] {
        assert_eq!(
            outcome(&auth, request(&headers)).await,
            expected,
            "{headers:?}"
        );
    }
    assert_eq!(
        outcome(&keys_only(), request(&[workspace, user, secret])).await,
        "401"
    );
}

#[actix_web::test]
async fn loopback_is_trusted_only_embedded_and_under_its_own_name() {
    let claim = [("workSpaceId", "ws9"), ("userId", "u1")];
    let embedded = keys_only().with_embedded_loopback();
    let to = |host| request(&claim).append_header(("host", host));
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1:80",
        "127.8.8.8",
        "[::1]:1",
        "[::1]",
    ] {
        assert_eq!(outcome(&embedded, to(host)).await, "ws9/u1", "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "localhost:80:x",
        "",
        "::1",
        "[::2]",
    ] {
        assert_eq!(outcome(&embedded, to(host)).await, "403", "{host}");
    }
    assert_eq!(
        outcome(&embedded, to("localhost").append_header(("host", "x"))).await,
        "403"
    );
    assert_eq!(outcome(&keys_only(), to("localhost")).await, "401");
    let remote = to("localhost").peer_addr("10.0.0.9:1".parse().unwrap());
    assert_eq!(outcome(&embedded, remote).await, "401");
    let mapped = to("localhost").peer_addr("[::ffff:127.0.0.1]:1".parse().unwrap());
    assert_eq!(outcome(&embedded, mapped).await, "ws9/u1");
    let half = request(&claim[..1]).append_header(("host", "localhost"));
    assert_eq!(outcome(&embedded, half).await, "401");
}
