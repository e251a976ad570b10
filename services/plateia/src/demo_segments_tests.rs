use api_types::{List, operations::OperationJson, rfm::RfmGridJson};
use reqwest::header::{HeaderMap, HeaderValue};
use service_kit::Process;
use settings::Settings;

use super::*;

const SMALL: Size = Size {
    customers: 500,
    events: 5_000,
};

/// A server on a directory, and its client.
async fn started(dir: &std::path::Path) -> (Process, Api) {
    // Another test may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        data_dir: dir.to_owned(),
        ..Settings::default()
    };
    let opened = audience_service::module::embedded(&settings).await.unwrap();
    let running = service_kit::embedded(&settings, opened.keys, vec![opened.module]).await;
    let running = running.unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("workspaceid", HeaderValue::from_static("ws_demo"));
    headers.insert("userid", HeaderValue::from_static("demo"));
    let api = Api::local(&format!("http://{}", running.address()), headers);
    (running, api.unwrap())
}

async fn operations(api: &Api) -> Vec<String> {
    let listed: List<OperationJson> = read(&api.get(&["operations"], &[]).await.unwrap()).unwrap();
    listed
        .data
        .into_iter()
        .map(|operation| operation.id)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_loaded_once_is_not_loaded_again() {
    let dir = tempfile::tempdir().unwrap();
    let (running, api) = started(dir.path()).await;
    let base = json!({"name": "Base"});
    let base: AudienceJson = read(&api.post(&["audiences"], &base).await.unwrap()).unwrap();
    let until: DateTime<Utc> = base.created_at.parse().unwrap();
    let show = Show::new(true);
    // As a start leaves it that crashed.
    let sample = Customers::new(SEED, SMALL.customers, until);
    customers(&api, &sample).await.unwrap();
    events(&api, &sample, SMALL.events / 2).await.unwrap();

    let loaded = load(&api, show, until, SMALL).await.unwrap();
    let names: Vec<&str> = loaded
        .iter()
        .map(|audience| audience.name.as_str())
        .collect();
    assert_eq!(names, segments().map(|segment| segment.name));
    for audience in &loaded {
        let AudienceJson { status, kind, .. } = audience;
        assert_eq!((status.as_ref(), kind.as_ref()), ("active", "dynamic"));
        assert!((1..500).contains(&audience.contacts), "{audience:?}");
    }
    let grid = api.get(&["rfm", "grid"], &[]).await.unwrap();
    let grid: RfmGridJson = read(&grid).unwrap();
    assert!(grid.cells.iter().filter(|cell| cell.customers > 0).count() > 5);
    let done = operations(&api).await;
    let again = load(&api, show, until, SMALL).await.unwrap();
    assert_eq!((again, operations(&api).await), (loaded, done));

    // As one leaves it that crashed before the last segment was published.
    let all = audiences(&api).await.unwrap();
    let last = all
        .iter()
        .find(|audience| audience.name == segments()[2].name);
    let path = ["audiences", last.unwrap().id.as_str()];
    let draft = api.request(Method::PATCH, &path).unwrap();
    api.send(draft.json(&json!({"status": "draft"})))
        .await
        .unwrap();
    let published = load(&api, show, until, SMALL).await.unwrap();
    assert_eq!(published[2].status, "active");
    running.stop().await;
}
