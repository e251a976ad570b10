//! The program on real servers.

use test_kit::place;

const PROGRAM: &str = env!("CARGO_BIN_EXE_scheduler-service");

#[test]
fn bad_settings_are_named() {
    place::refuses_bad_settings(PROGRAM);
}

#[test]
fn it_checks_and_migrates() {
    place::checks_and_migrates(PROGRAM);
}

#[test]
fn it_serves_until_it_is_told_to_end() {
    place::serves_until_it_is_told_to_end(PROGRAM);
}
