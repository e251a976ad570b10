//! The scenario of every way to run Plateia, in one process.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use contract_tests::scenario::{Service, play};

const KEY: &str = "a-key-for-tests-of-32-characters-in-all";

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn embedded() {
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_plateia"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.path())
        .env("PLATEIA_API_KEY", KEY)
        .env_remove("CRASH_AT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut process = Process(child.unwrap());
    let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let address = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("ready http://")?.to_owned()))
        .expect("it says where it answers");
    play(&Service::new(vec![address], KEY));
}
