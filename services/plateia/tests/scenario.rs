//! The scenario of every way to run Plateia, in one process.

use std::process::{Command, Stdio};

use test_kit::{
    place::KEY,
    program::Program,
    scenario::{Service, play},
};

#[test]
fn embedded() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plateia"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.path())
        .env("PLATEIA_API_KEY", KEY)
        .env_remove("CRASH_AT")
        .stderr(Stdio::null());
    let (_program, ready) = Program::start(&mut command).expect("it becomes ready");
    play(&Service::new([ready.address], KEY));
}
