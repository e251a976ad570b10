use serde_json::json;

use super::*;

fn package(path: &str, dependencies: &[(&str, Option<&str>, bool)]) -> Value {
    let dependencies: Vec<_> = dependencies
        .iter()
        .map(|(name, kind, ours)| json!({"name": name, "kind": kind, "path": ours.then_some("/")}))
        .collect();
    let name = path.rsplit('/').next().unwrap();
    let manifest = format!("/root/{path}/Cargo.toml");
    json!({"packages": [{"name": name, "manifest_path": manifest, "dependencies": dependencies}]})
}

#[test]
fn crates_depend_in_one_direction() {
    let dev = Some("dev");
    for (path, on, kind, ours, allowed) in [
        ("crates/ports", "domain", None, true, true),
        ("crates/domain", "ports", None, true, false),
        ("crates/adapter-sql", "adapter-files", None, true, false),
        ("crates/adapter-sql", "http-kit", None, true, false),
        ("crates/adapter-sql", "contract-tests", dev, true, true),
        ("crates/adapter-sql", "contract-tests", None, true, false),
        ("crates/adapter-sql", "diesel", None, false, true),
        ("crates/http-kit", "diesel", None, false, false),
        ("crates/http-kit", "actix-web", None, false, true),
        ("crates/unheard-of", "domain", None, true, false),
        ("services/audience-service", "adapter-sql", None, true, true),
        ("services/audience-service", "test-kit", dev, true, true),
        ("services/audience-service", "test-kit", None, true, false),
        (
            "services/audience-service",
            "scheduler-service",
            None,
            true,
            false,
        ),
        ("services/plateia", "audience-service", None, true, true),
        ("services/plateia", "xtask", None, true, false),
    ] {
        let findings = crates(&package(path, &[(on, kind, ours)])).unwrap();
        assert_eq!(findings.is_empty(), allowed, "{path} on {on}: {findings:?}");
    }
}

fn found(path: &str, text: &str) -> Vec<String> {
    mentions(&SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    })
}

#[test]
fn use_cases_name_no_framework_and_only_the_module_names_adapters() {
    let service = "services/audience-service/src";
    for (path, text, allowed) in [
        ("audience/create.rs", "use actix_web::web;", false),
        ("audience/create.rs", "use adapter_sql::Pool;", false),
        ("audience/create.rs", "use http_kit::Problem;", false),
        (
            "audience/create.rs",
            "use ports::Store; // unlike diesel",
            true,
        ),
        (
            "audience/create.rs",
            "let my_adapter_x = nonactix_web;",
            true,
        ),
        ("audience/create_tests.rs", "use adapter_sql::Pool;", true),
        ("client.rs", "use http_kit::Problem;", false),
        ("use_cases.rs", "use adapter_sql::Pool;", false),
        ("http/list.rs", "use actix_web::web;", true),
        ("http/list.rs", "use adapter_sql::Pool;", false),
        ("http/list.rs", "diesel::sql_query(x)", false),
        ("module.rs", "use adapter_sql::Pool;", true),
        ("module/embedded.rs", "use adapter_sql::Pool;", true),
        ("module.rs", "let q = \"SELECT 1\";", false),
        ("http/list.rs", "// \"SELECT 1\"", true),
    ] {
        let findings = found(&format!("{service}/{path}"), text);
        assert_eq!(findings.is_empty(), allowed, "{path} {text}: {findings:?}");
    }
}

#[test]
fn sql_stays_in_its_adapter() {
    let text = "use diesel::prelude::*;\nlet q = \"DELETE FROM audiences\";\n";
    assert!(found("crates/adapter-sql/src/repo.rs", text).is_empty());
    let findings = found("crates/ports/src/lib.rs", text);
    assert_eq!(
        findings,
        [
            "crates/ports/src/lib.rs:1: must not name diesel",
            "crates/ports/src/lib.rs:2: SQL belongs to adapter-sql and segment-sql"
        ]
    );
    let tests = "\n#[cfg(test)]\nmod tests {\n    use diesel::x;\n}\n";
    assert!(found("crates/ports/src/lib.rs", &format!("fn a() {{}}\n{tests}")).is_empty());
}
