//! The program as an operator meets it: a real server process, driven by the command line.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Longest time that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn plateia() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plateia"));
    command.stdin(Stdio::null());
    for name in ["PLATEIA_API_KEY", "PLATEIA_URL", "CRASH_AT"] {
        command.env_remove(name);
    }
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server on a free port, killed when the test ends.
struct Server {
    process: Child,
    url: String,
    /// Lines before the one that says it is ready.
    before_ready: Vec<String>,
}

impl Server {
    fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[])
    }

    fn start_with(data_dir: &Path, env: &[(&str, &str)]) -> Self {
        let mut process = plateia()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut before_ready = Vec::new();
        let url = loop {
            let line = lines
                .next()
                .expect("the server ended before it was ready")
                .unwrap();
            match line.strip_prefix("ready ") {
                Some(url) => break url.to_owned(),
                None => before_ready.push(line),
            }
        };
        Self {
            process,
            url,
            before_ready,
        }
    }

    fn run(&self, args: &[&str]) -> Output {
        plateia()
            .args(args)
            .args(["--server", &self.url])
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)))
    }

    fn id_of(&self, name: &str) -> String {
        let audiences = self.json(&["audience", "list"]);
        let found = audiences
            .as_array()
            .unwrap()
            .iter()
            .find(|audience| audience["name"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    fn contacts_of(&self, id: &str) -> i64 {
        let audiences = self.json(&["audience", "list"]);
        let found = audiences
            .as_array()
            .unwrap()
            .iter()
            .find(|audience| audience["id"] == id);
        found.unwrap()["contacts"].as_i64().unwrap()
    }

    /// Sends SIGTERM and answers the exit code.
    fn terminate(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        self.end()
    }

    /// Waits for the end and answers the exit code, which a signal has none of.
    fn end(&mut self) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn file(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_data_directory_serves_one_process_and_a_signal_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    assert!(!server.url.ends_with(":0"), "{}", server.url);

    let second = plateia()
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .output()
        .unwrap();
    assert_eq!(code(&second), 1);
    assert!(
        stderr(&second).contains("in use by another plateia"),
        "{}",
        stderr(&second)
    );

    assert_eq!(server.terminate(), Some(0));
    assert_eq!(Server::start(&data).terminate(), Some(0));
}

#[test]
fn a_key_is_made_once_and_opens_the_first_workspace() {
    let dir = tempfile::tempdir().unwrap();
    let first = Server::start(dir.path());
    let line = first.before_ready.join("\n");
    let key = line
        .strip_prefix("api key ")
        .and_then(|rest| rest.split(' ').next())
        .unwrap();
    let wrong = format!("{key}x");
    assert_eq!(code(&first.run(&["audience", "list", "--api-key", key])), 0);
    let refused = first.run(&["audience", "list", "--api-key", &wrong]);
    assert_eq!(code(&refused), 1);
    assert!(
        stderr(&refused).contains("PLATEIA_API_KEY"),
        "{}",
        stderr(&refused)
    );
    first.terminate();
    assert_eq!(Server::start(dir.path()).before_ready, Vec::<String>::new());
}

#[test]
fn a_key_can_be_given() {
    let dir = tempfile::tempdir().unwrap();
    let key = "a-key-of-more-than-16-characters";
    let server = Server::start_with(dir.path(), &[("PLATEIA_API_KEY", key)]);
    assert_eq!(server.before_ready, Vec::<String>::new());
    assert_eq!(
        code(&server.run(&["audience", "list", "--api-key", key])),
        0
    );
}

#[test]
fn files_come_in_and_audiences_are_recycled() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));

    let clean = file(
        &dir,
        "clean.csv",
        "documento;nome\n1;Ana\n2;Bia\n3;Caio\n4;Davi\n",
    );
    let clean = clean.to_str().unwrap();
    let imported = server.run(&["audience", "import", clean, "--name", "Todos"]);
    assert_eq!(code(&imported), 0, "{}", stderr(&imported));
    let all = server.id_of("Todos");
    assert_eq!(server.contacts_of(&all), 4);

    let mixed = file(&dir, "mixed.csv", "codigo,nome\n4,Davi\n5,Eva\n,Nobody\n");
    let mixed = mixed.to_str().unwrap();
    let map = ["--map", "codigo=document"];
    let into = server.run(&[&["audience", "import", mixed, "--into", &all], &map[..]].concat());
    assert_eq!(code(&into), 3, "{}", stderr(&into));
    assert_eq!(server.contacts_of(&all), 5);

    let worked = file(&dir, "worked.csv", "documento\n1\n2\n99\n");
    let documents = ["--documents", worked.to_str().unwrap()];
    let recycle = ["audience", "recycle", &all];
    let plan = server.json(&[&recycle[..], &documents, &["--dry-run"]].concat());
    assert_eq!(
        (plan["removed"].as_i64(), plan["kept"].as_i64()),
        (Some(2), Some(3))
    );
    assert_eq!(server.contacts_of(&all), 5);

    let done = server.run(&[&recycle[..], &documents, &["--yes"]].concat());
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    assert_eq!(server.contacts_of(&all), 3);

    // A file of one column is a list of documents; one without documents is refused, not empty.
    let bare = file(&dir, "bare.txt", "chave\n3\n4\n77\n");
    let bare = ["--documents", bare.to_str().unwrap(), "--dry-run"];
    assert_eq!(server.json(&[&recycle[..], &bare].concat())["removed"], 2);
    let names = file(&dir, "names.csv", "nome;cidade\nAna;Natal\n");
    let names = ["--documents", names.to_str().unwrap(), "--dry-run"];
    let refused = server.run(&[&recycle[..], &names].concat());
    assert_eq!(code(&refused), 1);
    assert!(
        stderr(&refused).contains("document"),
        "{}",
        stderr(&refused)
    );

    let group =
        r#"{"conditions":[{"kind":"property","field":"name","operator":"equals","value":"Eva"}]}"#;
    let copied = server.json(&[&recycle[..], &["--where", group, "--to-new", "Sem Eva"]].concat());
    assert_eq!(copied["state"], "succeeded");
    assert_eq!(server.contacts_of(&server.id_of("Sem Eva")), 2);

    let undone = server.run(&["operation", "undo", copied["id"].as_str().unwrap()]);
    assert_eq!(code(&undone), 0, "{}", stderr(&undone));
    let watched = server.run(&["operation", "watch", copied["id"].as_str().unwrap()]);
    assert_eq!(code(&watched), 0);
    let cancelled = server.run(&["operation", "cancel", copied["id"].as_str().unwrap()]);
    assert_eq!(code(&cancelled), 1);
    assert!(stderr(&cancelled).contains("409"), "{}", stderr(&cancelled));

    assert_eq!(
        server.json(&["bus", "dead", "list"]),
        Value::Array(Vec::new())
    );
    assert_eq!(
        server.json(&["bus", "dead", "redrive", "--all"])["redriven"],
        0
    );
}

#[test]
fn an_operation_that_fails_is_exit_code_1() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let nobody = file(&dir, "nobody.csv", "documento;nome\n;Ana\n;Bia\n");
    let failed = server.run(&[
        "audience",
        "import",
        nobody.to_str().unwrap(),
        "--name",
        "X",
    ]);
    assert_eq!(code(&failed), 1, "{}", stderr(&failed));
    let missing = server.run(&["audience", "import", "/nonexistent.csv", "--name", "X"]);
    assert_eq!(code(&missing), 1);
    assert!(
        stderr(&missing).contains("/nonexistent.csv"),
        "{}",
        stderr(&missing)
    );
    assert_eq!(
        code(&server.run(&["audience", "recycle", "aud_7", "--minus", "aud_8"])),
        1
    );
}

#[test]
fn an_acknowledged_import_survives_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start_with(&data, &[("CRASH_AT", "upload.batch_stored:1")]);
    let csv = file(&dir, "a.csv", "documento;nome\n1;Ana\n2;Bia\n");
    let mut import = plateia()
        .args([
            "audience",
            "import",
            csv.to_str().unwrap(),
            "--name",
            "A",
            "--server",
            &server.url,
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(server.end(), None, "ended by a signal");
    let _ = import.kill();
    let _ = import.wait();

    let again = Server::start(&data);
    let operations = reqwest_operations(&again);
    let id = operations["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(code(&again.run(&["operation", "watch", &id])), 0);
    assert_eq!(again.contacts_of(&again.id_of("A")), 2);
}

/// The list of operations, which no command shows.
fn reqwest_operations(server: &Server) -> Value {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let request = reqwest::Client::new().get(format!("{}/api/v1/operations", server.url));
        let request = request
            .header("workSpaceId", "ws_demo")
            .header("userId", "cli");
        request.send().await.unwrap().json().await.unwrap()
    })
}

#[test]
fn wrong_usage_is_exit_code_2_and_an_absent_server_1() {
    for args in [
        &["audience", "import", "f.csv"][..],
        &["serve", "--listen", "x"],
        &["nonsense"],
        &[],
    ] {
        assert_eq!(code(&plateia().args(args).output().unwrap()), 2, "{args:?}");
    }
    let nobody = plateia()
        .args(["audience", "list", "--server", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(code(&nobody), 1);
    assert!(
        stderr(&nobody).contains("plateia serve"),
        "{}",
        stderr(&nobody)
    );
    let unknown = plateia()
        .arg("serve")
        .env("CRASH_AT", "no.point")
        .output()
        .unwrap();
    assert_eq!(code(&unknown), 1);
    assert!(
        stderr(&unknown).contains("CRASH_AT"),
        "{}",
        stderr(&unknown)
    );
}

#[test]
fn the_configuration_is_checked_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let good = file(
        &dir,
        "good.toml",
        "listen = \"127.0.0.1:9999\"\n[limits]\nitems = 5\n",
    );
    let bad = file(&dir, "bad.toml", "[workers]\noperations = 0\n");
    let check = |action: &str, path: &Path| {
        plateia()
            .args(["config", action, "--config"])
            .arg(path)
            .output()
            .unwrap()
    };
    assert_eq!(code(&check("check", &good)), 0);
    let printed = String::from_utf8(check("print", &good).stdout).unwrap();
    assert!(
        printed.contains("listen = \"127.0.0.1:9999\"") && printed.contains("items = 5"),
        "{printed}"
    );
    let refused = check("check", &bad);
    assert_eq!(code(&refused), 1);
    assert!(
        stderr(&refused).contains("workers.operations"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn a_sample_is_printed() {
    let output = plateia()
        .args(["sample", "--rows", "10", "--seed", "1"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().count(),
        11
    );
}
