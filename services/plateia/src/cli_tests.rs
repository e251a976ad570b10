use clap::{CommandFactory, error::ErrorKind};

use super::*;

fn parse(line: &str) -> Result<Command, ErrorKind> {
    let words = std::iter::once("plateia").chain(line.split_whitespace());
    Cli::try_parse_from(words)
        .map(|cli| cli.command)
        .map_err(|error| error.kind())
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn an_import_has_one_target() {
    assert!(parse("audience import f.csv --name N").is_ok());
    assert!(parse("audience import f.csv --into aud_1").is_ok());
    assert_eq!(
        parse("audience import f.csv").unwrap_err(),
        ErrorKind::MissingRequiredArgument
    );
    let both = parse("audience import f.csv --name N --into aud_1");
    assert_eq!(both.unwrap_err(), ErrorKind::ArgumentConflict);
}

#[test]
fn columns_and_delimiters_are_read() {
    let line =
        "audience import f.csv --name N --map CPF=document --map a=b=x --map Obs= --delimiter ;";
    let Ok(Command::Audience {
        command: AudienceCommand::Import(args),
        ..
    }) = parse(line)
    else {
        panic!("not an import");
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        args.maps,
        [pair("CPF", "document"), pair("a=b", "x"), pair("Obs", "")]
    );
    assert_eq!(args.reading.delimiter, Some(';'));
    for bad in ["--map =x", "--map x", "--delimiter ;;", "--delimiter é"] {
        let line = format!("audience import f.csv --name N {bad}");
        assert_eq!(
            parse(&line).unwrap_err(),
            ErrorKind::ValueValidation,
            "{bad}"
        );
    }
}

#[test]
fn how_a_file_is_read_can_be_said() {
    let reading = "--encoding latin1 --header 3 --sheet Plan2 --delimiter tab";
    for line in [
        "audience import f.xlsx --name N --dry-run",
        "audience recycle aud_1 --documents f.xlsx",
    ] {
        let command = match parse(&format!("{line} {reading}")) {
            Ok(Command::Audience { command, .. }) => command,
            other => panic!("{line}: {other:?}"),
        };
        let args = match command {
            AudienceCommand::Import(args) => args.reading,
            AudienceCommand::Recycle(args) => args.reading,
            _ => panic!("an import or a recycle"),
        };
        assert_eq!(args.encoding.as_deref(), Some("latin1"));
        assert_eq!(args.header.as_deref(), Some("3"));
        assert_eq!(args.sheet.as_deref(), Some("Plan2"));
        assert_eq!(args.delimiter, Some('\t'));
    }
}

#[test]
fn a_recycle_takes_lists_and_an_optional_name() {
    let line = "audience recycle aud_1 --minus aud_2,aud_3 --minus aud_4 --outcome busy,failed --to-new \
                --where {\"conditions\":[]} --server http://h:1 --json";
    let Ok(Command::Audience {
        connection,
        command: AudienceCommand::Recycle(args),
    }) = parse(line)
    else {
        panic!("not a recycle");
    };
    assert_eq!(args.rules.minus, ["aud_2", "aud_3", "aud_4"]);
    assert_eq!(args.rules.outcome, ["busy", "failed"]);
    assert_eq!(args.to_new.as_deref(), Some(""));
    let conditions = args.rules.conditions;
    assert!(conditions.is_some_and(|groups| groups.is_array()));
    assert_eq!(
        (connection.server.as_str(), connection.json),
        ("http://h:1", true)
    );
    assert_eq!(
        parse("audience recycle aud_1 --outcome wrong").unwrap_err(),
        ErrorKind::InvalidValue
    );
    assert_eq!(
        parse("audience recycle aud_1 --where 7").unwrap_err(),
        ErrorKind::ValueValidation
    );
}

#[test]
fn groups_of_conditions_go_as_they_are_said() {
    let line = "audience recycle aud_1 --where {\"groups\":[],\"groupType\":\"and\"}";
    let Ok(Command::Audience {
        command: AudienceCommand::Recycle(args),
        ..
    }) = parse(line)
    else {
        panic!("not a recycle");
    };
    assert!(
        args.rules
            .conditions
            .is_some_and(|groups| groups.is_object())
    );
}

#[test]
fn rules_and_lists_refuse_what_cannot_be() {
    for bad in [
        "audience recycle aud_1 --duplicates name",
        "audience recycle aud_1 --duplicates-keep latest",
        "audience recycle aud_1 --attempts many",
        "audience recycle aud_1 --opted-out maybe",
        "audience recycle aud_1 --plan p --dry-run",
        "audience list --sort size",
        "audience list --limit 0",
        "operation list --limit 1001",
        "operation list --kind purge",
        "operation list --state gone",
        "operation cancel op_1 --wait soon",
        "operation resubmit op_1",
        "notification read",
        "notification read ntf_1 --all",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    for good in [
        "audience list --sort -name --deleted --limit 1000",
        "audience list --deleted=any",
        "operation list --kind recycle --state waiting --audience aud_1 --cursor c",
        "operation watch op_1 --wait 60",
        "notification read ntf_1 ntf_2",
        "notification read --all",
    ] {
        assert!(parse(good).is_ok(), "{good}");
    }
}

#[test]
fn a_redrive_says_which() {
    assert!(parse("bus dead redrive --all").is_ok());
    assert!(parse("bus dead redrive --subscription a.b").is_ok());
    assert!(parse("bus dead redrive --subscription a.b 17").is_ok());
    for bad in ["", " 17", " --all --subscription a.b", " --all 17"] {
        assert!(parse(&format!("bus dead redrive{bad}")).is_err(), "{bad:?}");
    }
}

#[test]
fn an_empty_data_directory_is_refused() {
    let words = ["plateia", "serve", "--data-dir", ""];
    assert!(Cli::try_parse_from(words).is_err());
}
