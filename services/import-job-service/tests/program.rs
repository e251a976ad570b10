//! The program on real servers.

#[path = "../../../crates/service-kit/tests/program/mod.rs"]
mod program;

const PROGRAM: &str = env!("CARGO_BIN_EXE_import-job-service");

#[test]
fn bad_settings_are_named() {
    program::refuses_bad_settings(PROGRAM);
}

#[test]
fn it_checks_and_migrates() {
    program::checks_and_migrates(PROGRAM);
}

#[test]
fn it_serves_until_it_is_told_to_end() {
    program::serves_until_it_is_told_to_end(PROGRAM);
}
