//! The program as an operator meets it: a real server process, driven by the command line.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use test_kit::{blocking::until, program::Program};

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

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server on a free port, killed when the test ends.
struct Server {
    program: Program,
    url: String,
    /// Lines before the one that says it is ready.
    before_ready: Vec<String>,
}

impl Server {
    fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[])
    }

    fn start_with(data_dir: &Path, env: &[(&str, &str)]) -> Self {
        let mut command = plateia();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .envs(env.iter().copied())
            .stderr(Stdio::null());
        let (program, ready) = Program::start(&mut command).expect("a server that is ready");
        Self {
            program,
            url: format!("http://{}", ready.address),
            before_ready: ready.before,
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
        self.program.stop().code()
    }

    /// Waits for the end and answers the exit code, which a signal has none of.
    fn end(&mut self) -> Option<i32> {
        until("the end", || self.program.has_ended().then_some(()));
        self.program.wait().unwrap().code()
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
    let operations = again.json(&["operation", "list"]);
    let id = operations[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(code(&again.run(&["operation", "watch", &id])), 0);
    assert_eq!(again.contacts_of(&again.id_of("A")), 2);
}

#[test]
fn rejected_rows_are_downloaded_mended_and_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let mixed = file(&dir, "mixed.csv", "documento;nome\n1;Ana\n;Bia\n;Caio\n");
    let mixed = ["audience", "import", mixed.to_str().unwrap()];
    let imported = server.json(&[&mixed[..], &["--name", "A"]].concat());
    let id = imported["id"].as_str().unwrap();

    let shown = server.run(&["operation", "show", id]);
    assert_eq!(code(&shown), 0);
    assert!(
        stdout(&shown).contains("succeeded (partial)"),
        "{}",
        stdout(&shown)
    );
    let told = format!("plateia operation rejected {id}");
    assert!(stdout(&shown).contains(&told), "{}", stdout(&shown));

    let csv = stdout(&server.run(&["operation", "rejected", id]));
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let lines = stdout(&server.run(&["operation", "rejected", id, "--json"]));
    let rows = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(rows.count(), 2);

    let mended = dir.path().join("mended.csv");
    let out = [
        "operation",
        "rejected",
        id,
        "--out",
        mended.to_str().unwrap(),
    ];
    assert_eq!(code(&server.run(&out)), 0);
    assert_eq!(fs::read_to_string(&mended).unwrap(), csv);
    let again = server.run(&out);
    assert_eq!(code(&again), 1, "a file that is there is kept");
    fs::write(&mended, "documento;nome\n2;Bia\n3;Caio\n").unwrap();
    let sent = server.run(&["operation", "resubmit", id, mended.to_str().unwrap()]);
    assert_eq!(code(&sent), 0, "{}", stderr(&sent));
    assert_eq!(server.contacts_of(&server.id_of("A")), 3);
}

#[test]
fn operations_are_listed_by_page_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let one = file(&dir, "one.csv", "documento;nome\n1;Ana\n");
    let nobody = file(&dir, "nobody.csv", "documento;nome\n;Ana\n");
    let import = |file: &Path, name: &str| {
        server.json(&["audience", "import", file.to_str().unwrap(), "--name", name])
    };
    import(&one, "A");
    let failed = import(&nobody, "B");
    let id = failed["id"].as_str().unwrap();

    let list = ["operation", "list"];
    assert_eq!(server.json(&list).as_array().unwrap().len(), 2);
    let of_state = server.json(&[&list[..], &["--state", "failed", "--kind", "create"]].concat());
    assert_eq!(of_state.as_array().unwrap().len(), 1);
    assert_eq!(of_state[0]["id"], id);
    let page = server.json(&[&list[..], &["--limit", "1"]].concat());
    assert_eq!(page["data"][0]["id"], id, "the newest first");
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = server.json(&[&list[..], &["--limit", "1", "--cursor", cursor]].concat());
    assert_ne!(next["data"][0]["id"], id);
    assert_eq!(next["next_cursor"], Value::Null);

    let again = server.run(&["operation", "retry", id]);
    assert_eq!(code(&again), 1, "it fails as before");
    assert_eq!(server.json(&["operation", "show", id])["attempt"], 2);
    assert_eq!(code(&server.run(&["operation", "show", "op_1"])), 1);

    let started = [
        "audience",
        "import",
        one.to_str().unwrap(),
        "--name",
        "C",
        "--wait",
        "0",
    ];
    let started = server.json(&started);
    let id = started["id"].as_str().unwrap();
    assert_eq!(
        code(&server.run(&["operation", "watch", id, "--wait", "60"])),
        0
    );

    let unread = ["notification", "list", "--unread"];
    // An operation that has ended is told a moment later.
    let told = until("four notifications", || {
        let told = server.json(&unread);
        (told.as_array().unwrap().len() == 4).then_some(told)
    });
    let first = told[0]["id"].as_str().unwrap();
    assert_eq!(code(&server.run(&["notification", "read", first])), 0);
    assert_eq!(server.json(&unread).as_array().unwrap().len(), 3);
    assert_eq!(code(&server.run(&["notification", "read", "--all"])), 0);
    assert_eq!(server.json(&unread), Value::Array(Vec::new()));
}

#[test]
fn a_plan_that_was_looked_at_is_carried_out() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let all = file(
        &dir,
        "all.csv",
        "documento;telefone\n1;11912345678\n2;11912345678\n3;\n",
    );
    server.json(&["audience", "import", all.to_str().unwrap(), "--name", "A"]);
    let id = server.id_of("A");
    let rules = [
        "audience",
        "recycle",
        &id,
        "--document",
        "1,3",
        "--keep-document",
        "3",
    ];
    let plan = server.json(&[&rules[..], &["--dry-run"]].concat());
    assert_eq!(plan["removed"], 1);
    let plan = ["--plan", plan["plan"].as_str().unwrap()];
    let done = server.json(&[&rules[..], &plan].concat());
    assert_eq!(
        (&done["report"]["removed"], server.contacts_of(&id)),
        (&1.into(), 2)
    );

    let duplicates = [
        "audience",
        "recycle",
        &id,
        "--duplicates",
        "phone",
        "--dry-run",
    ];
    assert_eq!(server.json(&duplicates)["removed"], 0);
    let wrong = server.run(&["audience", "recycle", &id, "--contacted-from", "yesterday"]);
    assert_eq!(code(&wrong), 1);
    assert!(
        stderr(&wrong).contains("/rules/contacted/from"),
        "{}",
        stderr(&wrong)
    );
    let searched = server.json(&["audience", "list", "--search", "nobody"]);
    assert_eq!(searched, Value::Array(Vec::new()));
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

#[test]
fn a_segment_is_previewed_stored_and_resolved() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let conditions = file(
        &dir,
        "conditions.json",
        r#"{"groups": [{"conditions": [{"kind": "event", "name": "order.paid"}]}]}"#,
    );
    let conditions = conditions.to_str().unwrap();
    let preview = server.run(&["audience", "preview", conditions]);
    assert_eq!(code(&preview), 0, "{}", stderr(&preview));
    assert!(
        stdout(&preview).starts_with("0 customers"),
        "{}",
        stdout(&preview)
    );

    let made = [
        "audience", "segment", "--name", "Buyers", "--set", conditions,
    ];
    let made = server.run(&[&made[..], &["--publish"]].concat());
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let id = server.id_of("Buyers");
    let shown = server.json(&["audience", "segment", &id]);
    assert_eq!(shown["status"], "active");
    let refreshed = server.run(&["audience", "refresh", &id]);
    assert_eq!(code(&refreshed), 0, "{}", stderr(&refreshed));
    let nobody = server.run(&["audience", "explain", &id, "--customer", "1"]);
    assert_eq!(code(&nobody), 1);
    assert!(
        stderr(&nobody).contains("404 not_found"),
        "{}",
        stderr(&nobody)
    );

    let broken = file(
        &dir,
        "broken.json",
        r#"{"groups": [{"conditions": [{"kind": "x"}]}]}"#,
    );
    let refused = server.run(&["audience", "preview", broken.to_str().unwrap()]);
    assert_eq!(code(&refused), 1);
    assert!(
        stderr(&refused).contains("/groups/0/conditions/0/kind"),
        "{}",
        stderr(&refused)
    );
}
