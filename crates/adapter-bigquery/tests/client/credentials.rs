//! Who asks, and that nobody learns of it.

use std::{sync::Arc, time::Duration};

use adapter_bigquery::{BigQuery, Credentials, Error, Settings};
use ports::ErrorClass;
use serde_json::{Value as Json, json};

use crate::fake::{Answer, Fake, KEY, Pauses, TOKEN, page, query, refusal, service_account};

fn key_file(file: &Json) -> Credentials {
    Credentials::ServiceAccount(file.to_string().into())
}

fn client(fake: &Fake, credentials: Credentials) -> Result<BigQuery, Error> {
    let settings = Settings {
        endpoint: fake.url.clone(),
        ..Settings::new("p", credentials)
    };
    BigQuery::new(&settings, Arc::new(Pauses::default()))
}

#[tokio::test]
async fn a_service_account_signs_its_tokens_itself() {
    let fake = Fake::start([page(0, [], None)]);
    let client = client(&fake, key_file(&service_account(KEY))).unwrap();
    drop(client.run(&query()).await.unwrap());
    let asked = fake.asked().pop().unwrap();
    let token = asked.authorization.strip_prefix("Bearer ").unwrap();
    assert_eq!(token.split('.').count(), 3, "{token}");
}

#[tokio::test]
async fn the_metadata_server_is_asked_for_tokens() {
    let fake = Fake::start([page(0, [], None)]);
    let metadata = |endpoint: &str| Credentials::Metadata {
        endpoint: Some(endpoint.to_owned()),
    };
    let there = client(&fake, metadata(&fake.url)).unwrap();
    drop(there.run(&query()).await.unwrap());
    let asked = fake.asked().pop().unwrap();
    assert_eq!(asked.authorization, format!("Bearer {TOKEN}"));

    let away = client(&fake, metadata("http://127.0.0.1:1")).unwrap();
    let error = away.run(&query()).await.map(drop).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    assert_eq!(error.to_string(), "unavailable: no_token");
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn broken_keys_are_refused_before_anything_is_sent() {
    let fake = Fake::start([page(0, [], None)]);
    let mut without = service_account(KEY);
    without.as_object_mut().unwrap().remove("client_email");
    for credentials in [
        key_file(&without),
        key_file(&json!({ "type": "service_account" })),
        Credentials::ServiceAccount("{\"private_key\": \"secret".to_owned().into()),
    ] {
        assert_eq!(client(&fake, credentials).err(), Some(Error::Unauthorized));
    }
    let broken = KEY.replace('A', "B");
    for key in ["secret", broken.as_str()] {
        let client = client(&fake, key_file(&service_account(key))).unwrap();
        let error = client.run(&query()).await.map(drop).unwrap_err();
        assert_eq!(error, Error::Unauthorized);
    }
    assert_eq!(fake.asked().len(), 0);
}

#[tokio::test]
async fn credentials_go_to_google_by_tls_and_to_this_machine_only() {
    let refused = |endpoint: &str, credentials: &Credentials| {
        let settings = Settings {
            endpoint: endpoint.to_owned(),
            ..Settings::new("p", credentials.clone())
        };
        BigQuery::new(&settings, Arc::new(Pauses::default())).err()
    };
    let key = key_file(&service_account(KEY));
    let endpoint = Some(Error::Settings("endpoint"));
    for wrong in [
        "http://bigquery.example",
        "ftp://127.0.0.1",
        "bigquery",
        "",
        "data:x",
    ] {
        assert_eq!(refused(wrong, &key), endpoint, "{wrong}");
    }
    for right in [
        Settings::ENDPOINT,
        "http://127.0.0.1:9050",
        "http://[::1]:9050",
        "http://localhost:1",
    ] {
        assert_eq!(refused(right, &key), None, "{right}");
    }
    let anonymous = Credentials::Anonymous;
    assert_eq!(refused("http://emulator:9050/prefix/", &anonymous), None);
    let google = refused(Settings::ENDPOINT, &anonymous);
    assert_eq!(google, Some(Error::Settings("credentials")));
    let mut settings = Settings::new("..", key);
    let of_project = BigQuery::new(&settings, Arc::new(Pauses::default())).err();
    assert_eq!(of_project, Some(Error::Settings("project")));
    settings.project = String::new();
    assert!(BigQuery::new(&settings, Arc::new(Pauses::default())).is_err());
}

#[tokio::test]
async fn errors_and_settings_show_no_secret() {
    let secrets = [
        "MII",
        "PRIVATE",
        "a-key-id",
        "a-user",
        TOKEN,
        "a-private-value",
        "Bearer",
    ];
    let hidden = |shown: String| {
        let found = secrets.iter().find(|secret| shown.contains(**secret));
        assert_eq!(found, None, "{shown}");
    };
    let credentials = key_file(&service_account(KEY));
    hidden(format!(
        "{credentials:?} {:?}",
        Settings::new("p", credentials.clone())
    ));
    hidden(format!("{:?}", query()));
    let said = format!("{TOKEN} a-private-value");
    for answer in [
        refusal(400, "invalidQuery", &format!("Invalid value: {said}")),
        refusal(400, &said, &said),
        refusal(403, &said, &said),
        refusal(404, "notFound", &said),
        refusal(500, "backendError", &said),
        Answer::Text(200, "text/html", said.clone().into_bytes()),
        Answer::Text(
            200,
            "application/json",
            format!("{{\"{said}\"").into_bytes(),
        ),
        Answer::Cut(said.clone().into_bytes()),
    ] {
        let fake = Fake::start([answer]);
        let client = client(&fake, credentials.clone()).unwrap();
        let query = adapter_bigquery::Query {
            timeout: Duration::from_secs(1),
            ..query()
        };
        let error = client.run(&query).await.map(drop).unwrap_err();
        hidden(format!("{error} {error:?}"));
    }
}
