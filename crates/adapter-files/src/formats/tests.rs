use std::io::Cursor;

use ports::files::{
    Cells, DetectedFormat, Encoding, FileError, FileFormat, FileHint, FormatFault, Header,
    RecordFormats, RecordLimits, RowFault, push_csv_row,
};
use proptest::prelude::*;
use serde_json::json;

use super::TabularFormats;

type Rows = Vec<(u64, u64, Vec<String>, Option<RowFault>)>;

fn inspect(content: &[u8], hint: &FileHint<'_>) -> Result<DetectedFormat, FileError> {
    let source = Box::new(Cursor::new(content.to_vec()));
    TabularFormats.inspect(source, hint, RecordLimits::default())
}

fn read(content: &[u8], format: &DetectedFormat) -> Result<Rows, FileError> {
    let source = Box::new(Cursor::new(content.to_vec()));
    let mut reader = TabularFormats.open(source, format, RecordLimits::default())?;
    let mut rows = Vec::new();
    while let Some(record) = reader.next()? {
        let fields = match record.cells {
            Cells::Fields(fields) => fields.to_vec(),
            Cells::Json(value) => vec![value.to_string()],
            Cells::Raw(text) => vec![text.to_owned()],
        };
        rows.push((record.number, record.line, fields, record.fault));
    }
    Ok(rows)
}

fn read_any(content: &[u8]) -> Result<(DetectedFormat, Rows), FileError> {
    let format = inspect(content, &FileHint::default())?;
    let rows = read(content, &format)?;
    Ok((format, rows))
}

fn fault(result: Result<(DetectedFormat, Rows), FileError>) -> (u64, &'static str) {
    match result {
        Err(FileError::Malformed { line, code, .. }) => (line, code.as_str()),
        other => panic!("not refused: {other:?}"),
    }
}

fn csv_format(delimiter: u8) -> DetectedFormat {
    DetectedFormat {
        format: FileFormat::Csv,
        delimiter: Some(delimiter),
        encoding: Encoding::Utf8,
        header: Header::Present(true),
        columns: Vec::new(),
        sample: Vec::new(),
        sheet: None,
    }
}

fn fields(rows: &Rows) -> Vec<Vec<&str>> {
    rows.iter()
        .map(|row| row.2.iter().map(String::as_str).collect())
        .collect()
}

#[test]
fn every_delimiter_is_recognised() {
    for delimiter in [',', ';', '\t', '|'] {
        let text = format!("nome{delimiter}cpf\nAna, Maria{delimiter}1\nZé{delimiter}2\n").replace(
            "Ana, Maria",
            if delimiter == ',' {
                "Ana"
            } else {
                "Ana, Maria"
            },
        );
        let (format, rows) = read_any(text.as_bytes()).unwrap();
        assert_eq!(format.delimiter, Some(delimiter as u8));
        assert_eq!(format.columns, ["nome", "cpf"]);
        assert_eq!(format.sample.len(), 2);
        assert_eq!(rows[1], (2, 3, vec!["Zé".into(), "2".into()], None));
    }
    let hint = FileHint {
        delimiter: Some(b'#'),
        ..FileHint::default()
    };
    let format = inspect(b"a#b\n1#2\n", &hint).unwrap();
    assert_eq!(format.columns, ["a", "b"]);
    let hint = FileHint {
        delimiter: Some(b'"'),
        ..FileHint::default()
    };
    assert!(inspect(b"a#b\n1#2\n", &hint).is_err());
    let (format, rows) = read_any(b"sep=^\r\na^b\r\n1^2\r\n").unwrap();
    assert_eq!(format.columns, ["a", "b"]);
    assert_eq!(rows[0], (1, 3, vec!["1".into(), "2".into()], None));
}

#[test]
fn every_encoding_is_recognised() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let order = |unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        std::iter::once(0xFEFF)
            .chain(text.encode_utf16())
            .flat_map(order)
            .collect()
    };
    let text = "nome;obs\nJoão;€ 5\n";
    for (content, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        ([b"\xEF\xBB\xBF", text.as_bytes()].concat(), Encoding::Utf8),
        (
            b"nome;obs\nJo\xE3o;\x80 5\n".to_vec(),
            Encoding::Windows1252,
        ),
        (utf16(text, false), Encoding::Utf16Le),
        (utf16(text, true), Encoding::Utf16Be),
    ] {
        let (format, rows) = read_any(&content).unwrap();
        assert_eq!(format.encoding, encoding);
        assert_eq!(format.columns, ["nome", "obs"], "{encoding:?}");
        assert_eq!(fields(&rows), [["João", "€ 5"]]);
    }
}

#[test]
fn the_encoding_is_told_from_late_bytes_too() {
    let mut content = b"nome;n\n".to_vec();
    content.extend(b"Ana;1\n".repeat(50_000));
    content.extend(b"Jo\xE3o;2\n");
    let first = TabularFormats
        .detect(&content[..60_000], &FileHint::default())
        .unwrap();
    assert_eq!(first.encoding, Encoding::Utf8);
    let (format, rows) = read_any(&content).unwrap();
    assert_eq!(format.encoding, Encoding::Windows1252);
    assert_eq!(rows.last().unwrap().2[0], "João");
}

#[test]
fn a_damaged_record_is_rejected_and_reading_goes_on() {
    let content =
        b"nome;n\nJo\xC3\xA3o;1\nJos\xC3\xA9;2\nZ\xE9;3\na\0b;4\nc;5;6\nd\n\n;;\n\"e\nf\";7;\n";
    let rows = read(content, &csv_format(b';')).unwrap();
    let faults: Vec<_> = rows.iter().map(|row| (row.0, row.1, row.3)).collect();
    assert_eq!(
        faults,
        [
            (1, 2, None),
            (2, 3, None),
            (3, 4, Some(RowFault::InvalidEncoding)),
            (4, 5, Some(RowFault::NulCharacter)),
            (5, 6, None),
            (6, 7, None),
            (7, 10, None),
        ]
    );
    assert_eq!(rows[2].2, ["Z\u{FFFD}", "3"]);
    assert_eq!(rows[4].2, ["c", "5", "6"]);
    // What is right of the header makes a column.
    assert_eq!(rows[5].2, ["d", "", ""]);
    assert_eq!(rows[6].2, ["e\nf", "7", ""]);
    assert_eq!(
        inspect(content, &FileHint::default())
            .err()
            .map(|e| e.to_string()),
        Some("line 0: the content is not text".into())
    );
}

#[test]
fn lines_are_counted_with_every_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = [2, 3, 6];
        let text = format!("a,b{end}1,2{end}\"x{end}y\",3{end}{end}4,5");
        let rows = read(text.as_bytes(), &csv_format(b',')).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.1).collect::<Vec<_>>(),
            lines,
            "{end:?}"
        );
    }
    let rows = read(b"cpf;nome\r1;Ana\r;Bia\r5;Caio\r;Davi\r", &csv_format(b';')).unwrap();
    let lines: Vec<_> = rows.iter().map(|row| row.1).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("{{\"a\":1}}{end}{end}{{bad{end}{{\"a\":2}}");
        let (_, rows) = read_any(text.as_bytes()).unwrap();
        let lines: Vec<_> = rows.iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(lines, [(1, 1), (2, 3), (3, 4)], "{end:?}");
    }
}

#[test]
fn blank_rows_and_a_ctrl_z_are_no_rows() {
    let content = " ; \n\u{a0};\t\ncpf;nome\n1;a\n  ;\t\n;\u{2003}\n2;b\n\x1A";
    let (format, rows) = read_any(content.as_bytes()).unwrap();
    assert_eq!(format.columns, ["cpf", "nome"]);
    let found: Vec<_> = rows.iter().map(|row| (row.0, row.1)).collect();
    assert_eq!(found, [(1, 4), (2, 7)]);
    let content = b"{\"a\":1}\n \xC2\xA0 \n \x0B\n{\"a\":2}\r\n\x1A\r\n";
    let (_, rows) = read_any(content).unwrap();
    assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), [1, 4]);
}

#[test]
fn text_right_of_the_header_makes_columns() {
    let (format, rows) = read_any(b"cpf,nome,\n1,Ana\n2,Bia,ligar tarde\n3,C,,,x\n").unwrap();
    assert_eq!(
        format.columns,
        ["cpf", "nome", "column_3", "column_4", "column_5"]
    );
    assert!(format.sample.iter().all(|cells| cells.len() == 5));
    assert!(rows.iter().all(|row| row.3.is_none()));
    assert_eq!(rows[2].2, ["3", "C", "", "", "x"]);
    // Also where no record at the beginning shows it.
    let late = format!("cpf,column_3\n{}9,a,late\n", "1,a\n".repeat(50));
    let format = inspect(late.as_bytes(), &FileHint::default()).unwrap();
    assert_eq!(format.columns, ["cpf", "column_3"]);
    let source = Box::new(Cursor::new(late.into_bytes()));
    let opened = TabularFormats.open(source, &format, RecordLimits::default());
    let mut reader = opened.unwrap();
    while let Some(record) = reader.next().unwrap() {
        if record.number == 51 {
            assert_eq!(record.columns, ["cpf", "column_3", "column_3_2"]);
            return;
        }
    }
    panic!("no such record");
}

#[test]
fn more_columns_than_there_can_be_reject_the_row_alone() {
    let wide = format!("a,b\n1,2\n{}\n3,4\n", "x,".repeat(1_001));
    let (_, rows) = read_any(wide.as_bytes()).unwrap();
    let faults: Vec<_> = rows.iter().map(|row| row.3).collect();
    assert_eq!(faults, [None, Some(RowFault::TooManyColumns), None]);
}

#[test]
fn the_delimiter_under_which_the_header_names_a_document_wins() {
    let ragged =
        "CPF;Nome, sobrenome;Valor;Obs\n1;Ana, Souza;10;a\n2;Bia, Lima;1\n3;Caio, Reis;3;b\n";
    let (format, rows) = read_any(ragged.as_bytes()).unwrap();
    assert_eq!(format.delimiter, Some(b';'));
    assert_eq!(format.columns, ["CPF", "Nome, sobrenome", "Valor", "Obs"]);
    assert_eq!(rows.len(), 3);
}

#[test]
fn commas_of_decimal_numbers_make_no_columns() {
    for (content, columns, rows) in [
        (
            "cpf\n1,23457E+10\n11144477735\n",
            &["cpf"][..],
            &["1,23457E+10", "11144477735"][..],
        ),
        (
            "cpf\n52998224725,0\n\n11144477735\n",
            &["cpf"],
            &["52998224725,0", "11144477735"],
        ),
        (
            "1,23457E+10\n2,34568e+10\n",
            &["column_1"],
            &["1,23457E+10", "2,34568e+10"],
        ),
    ] {
        let (format, found) = read_any(content.as_bytes()).unwrap();
        assert_eq!(format.columns, columns, "{content}");
        let cells: Vec<_> = found.iter().map(|row| row.2.concat()).collect();
        assert_eq!(cells, rows, "{content}");
    }
    for content in [
        "cpf,v\n1,5\n2,5\n",
        "1,5\n2,5\n",
        "cpf\n1,Ana\n2,5\n",
        "1,2E3,x\n",
    ] {
        let (format, _) = read_any(content.as_bytes()).unwrap();
        assert_eq!(format.delimiter, Some(b','), "{content}");
        assert!(format.columns.len() > 1, "{content} {:?}", format.columns);
    }
}

#[test]
fn a_header_is_known_by_its_names_whatever_dates_are_in_it() {
    let (format, rows) = read_any(b"cpf,nome,01/01/2024 00:00\n11144477735,Ana,10\n").unwrap();
    assert_eq!(format.header, Header::Present(true));
    assert_eq!(format.columns, ["cpf", "nome", "01/01/2024 00:00"]);
    assert_eq!(rows.len(), 1);
}

#[test]
fn the_row_of_the_header_can_be_said() {
    let content = b"Relatorio, de clientes\n\n;;\ncpf;nome\n1;Ana\n";
    let said = |header: &str| {
        let header = header.parse().ok();
        let hint = FileHint {
            header,
            ..FileHint::default()
        };
        inspect(content, &hint)
    };
    let format = said("4").unwrap();
    assert_eq!(
        (format.delimiter, format.columns.as_slice()),
        (Some(b';'), &["cpf".to_owned(), "nome".to_owned()][..])
    );
    let rows = read(content, &format).unwrap();
    assert_eq!(rows, [(1, 5, vec!["1".into(), "Ana".into()], None)]);
    let none = said("false").unwrap();
    assert_eq!(none.header, Header::Present(false));
    assert_eq!(read(content, &none).unwrap()[0].1, 1);
    for row in ["2", "3", "6", "99"] {
        let fault = match said(row) {
            Err(FileError::Malformed { code, .. }) => code,
            other => panic!("{row}: {other:?}"),
        };
        assert_eq!(fault, FormatFault::NoSuchHeader, "{row}");
    }
}

#[test]
fn a_quote_that_swallowed_rows_is_reported_with_its_line() {
    let content = "cpf;nome\n1;\"Ana\n2;Bia\n3;\"Caio\n4;\"Rua A\nBairro B\"\n";
    let format = inspect(content.as_bytes(), &FileHint::default()).unwrap();
    let source = Box::new(Cursor::new(content.as_bytes().to_vec()));
    let opened = TabularFormats.open(source, &format, RecordLimits::default());
    let (mut reader, mut found) = (opened.unwrap(), Vec::new());
    while let Some(record) = reader.next().unwrap() {
        found.push((record.line, record.suspicious_quote));
    }
    assert_eq!(found, [(2, Some(2)), (5, None)]);
}

#[test]
fn an_open_quote_fails_at_its_line() {
    let open = |text: &str| {
        let result = read(text.as_bytes(), &csv_format(b','));
        fault(result.map(|rows| (csv_format(b','), rows)))
    };
    assert_eq!(open("a,b\n1,2\n\"x\ny\",\"3\n4,5\n"), (4, "open_quote"));
    assert_eq!(open("a,b\n1,\"2"), (2, "open_quote"));
    assert_eq!(open("a,b\n1,\"2\"\""), (2, "open_quote"));
    let long = format!("a,b\n1,2\n3,\"4\n{}", "5,6\n".repeat(1_000_000));
    assert_eq!(open(&long), (3, "open_quote"));
    let cell = format!("a,b\n1,2\n3,{}\n4,5\n", "x".repeat(10_000_000));
    assert_eq!(open(&cell), (3, "record_too_large"));
    let rows = read(b"a,b\n1,\"2\"\"\"", &csv_format(b',')).unwrap();
    assert_eq!(fields(&rows), [["1", "2\""]]);
}

#[test]
fn headers_are_made_usable() {
    let (format, _) = read_any(b" a ;;a;a;\n1;2;3;4;\n").unwrap();
    assert_eq!(format.columns, ["a", "column_2", "a_2", "a_3"]);
    let (format, rows) = read_any(b"Ana;11999990000\nZe;11999990001\n").unwrap();
    assert_eq!(format.header, Header::Present(false));
    assert_eq!(format.columns, ["column_1", "column_2"]);
    assert_eq!(
        rows[0],
        (1, 1, vec!["Ana".into(), "11999990000".into()], None)
    );
    assert_eq!(rows[1].0, 2);
    let hint = FileHint {
        header: Some(Header::Present(true)),
        ..FileHint::default()
    };
    assert_eq!(
        inspect(b"Ana;11999990000\n", &hint).unwrap().columns,
        ["Ana", "11999990000"]
    );
    let late = format!("{}{{\"nome\":1}}\n", "{\"cpf\":1}\n".repeat(500));
    let (format, _) = read_any(late.as_bytes()).unwrap();
    assert_eq!(format.columns, ["cpf", "nome"]);
    assert_eq!(format.sample[0], ["1", ""]);
    let (format, rows) = read_any(b"x").unwrap();
    assert_eq!((format.columns, rows.len()), (vec!["x".to_owned()], 0));
    let wide = ",a".repeat(1_001);
    assert_eq!(fault(read_any(wide.as_bytes())), (1, "too_many_columns"));
}

#[test]
fn json_lines_are_read_and_bad_ones_rejected() {
    let content = b"\xEF\xBB\xBF{\"cpf\":12345678909,\"nome\":\"A\"}\r\n\n  \n{bad\n[1]\n{\"x\":\"\\u0000\"}\n{\"x\":\"\xFF\"}\n{\"nome\":\"\\\\u0000\"}";
    let (format, rows) = read_any(content).unwrap();
    assert_eq!(format.format, FileFormat::Ndjson);
    assert_eq!(format.columns, ["cpf", "nome"]);
    assert_eq!(format.sample[0], ["12345678909", "A"]);
    let faults: Vec<_> = rows.iter().map(|row| (row.0, row.1, row.3)).collect();
    assert_eq!(
        faults,
        [
            (1, 1, None),
            (2, 4, Some(RowFault::InvalidJson)),
            (3, 5, Some(RowFault::NotAnObject)),
            (4, 6, Some(RowFault::NulCharacter)),
            (5, 7, Some(RowFault::InvalidEncoding)),
            (6, 8, None),
        ]
    );
    assert_eq!(
        rows[0].2,
        [json!({"cpf": 12_345_678_909_u64, "nome": "A"}).to_string()]
    );
    assert_eq!(rows[1].2, ["{bad"]);
    assert_eq!(rows[4].2, [json!({"x": "\u{FFFD}"}).to_string()]);
    let (_, rows) = read_any(b"{\"a\":1}\n{\"a\":\"Ana \\ud83d\"}\n{\"a\":2}\n").unwrap();
    assert!(rows.iter().all(|row| row.3.is_none()));
    assert_eq!(rows[1].2, [json!({"a": "Ana \u{FFFD}"}).to_string()]);
    let long = format!("{{\"a\":1}}\n{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    assert_eq!(fault(read_any(long.as_bytes())), (2, "record_too_large"));
    let deep = format!("{{\"a\":1}}\n{{\"a\":{}", "[".repeat(500_000));
    assert_eq!(
        read_any(deep.as_bytes()).unwrap().1[1].3,
        Some(RowFault::InvalidJson)
    );
}

#[test]
fn what_is_no_table_is_refused_clearly() {
    let named = |file_name| FileHint {
        file_name: Some(file_name),
        ..FileHint::default()
    };
    let cases: [(&[u8], &str, FormatFault); 17] = [
        (b"", "a.csv", FormatFault::EmptyFile),
        (b" \r\n\t\n", "a.csv", FormatFault::EmptyFile),
        (b"\xEF\xBB\xBF", "a.csv", FormatFault::EmptyFile),
        (b";;;\n;;;\n", "a.csv", FormatFault::EmptyFile),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "a.csv",
            FormatFault::BinaryContent,
        ),
        (b"\xFF\xD8\xFF\xE0", "a.csv", FormatFault::BinaryContent),
        (b"%PDF-1.7\n", "a.csv", FormatFault::BinaryContent),
        (b"\x1F\x8B\x08\0", "a.csv", FormatFault::BinaryContent),
        (b"a;b\n\0\0;1\n", "a.csv", FormatFault::BinaryContent),
        (
            b"PK\x03\x04 and nothing more",
            "a.csv",
            FormatFault::DamagedWorkbook,
        ),
        (b"a;b\n", "a.xlsx", FormatFault::NotXlsx),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1",
            "a.xls",
            FormatFault::LegacyExcel,
        ),
        (
            b"<!DOCTYPE html><html>",
            "a.csv",
            FormatFault::MarkupContent,
        ),
        (b"<table><tr><td>1", "a.xls", FormatFault::MarkupContent),
        (b"[{\"a\":1},{\"a\":2}]", "a.csv", FormatFault::NotNdjson),
        (b"{\n  \"a\": 1\n}\n", "a.json", FormatFault::NotNdjson),
        (b"nome;cpf\n", "a.ndjson", FormatFault::NotNdjson),
    ];
    for (content, name, expected) in cases {
        match inspect(content, &named(name)) {
            Err(FileError::Malformed { code, detail, .. }) => {
                assert_eq!(code, expected, "{name}: {detail}");
            }
            other => panic!("{name} {expected:?}: {other:?}"),
        }
    }
}

#[test]
fn first_bytes_may_end_inside_a_record() {
    let detect = |text: &str| TabularFormats.detect(text.as_bytes(), &FileHint::default());
    let csv = detect("a;b\n1;2\n3;\"4\n").unwrap();
    assert_eq!((csv.format, csv.delimiter), (FileFormat::Csv, Some(b';')));
    let json = detect("{\"a\":\"xxxx").unwrap();
    assert_eq!(json.format, FileFormat::Ndjson);
}

#[test]
fn records_are_numbered_through_every_buffer_border() {
    let source = Box::new(Cursor::new(b"1234567,abcdefgh\n".repeat(200_000)));
    let mut reader = TabularFormats
        .open(source, &csv_format(b','), RecordLimits::default())
        .unwrap();
    let mut count = 0;
    while let Some(record) = reader.next().unwrap() {
        count += 1;
        assert_eq!((record.number, record.line), (count, count + 1));
        assert!(matches!(record.cells, Cells::Fields([a, b]) if a == "1234567" && b == "abcdefgh"));
    }
    assert_eq!(count, 199_999);
}

proptest! {
    #[test]
    fn exported_rows_are_imported_as_they_were(
        rows in prop::collection::vec(
            prop::collection::vec("[-=+@'\"\t\r\n;, a-cé]{0,8}", 3..4),
            1..20,
        ),
    ) {
        let mut text = String::new();
        push_csv_row(&mut text, ';', ["a", "b", "c"]);
        for row in &rows {
            push_csv_row(&mut text, ';', row.iter().map(String::as_str));
        }
        let read = read(text.as_bytes(), &csv_format(b';')).unwrap();
        let blank = |row: &&Vec<String>| !row.iter().all(|cell| cell.trim().is_empty());
        let expected: Vec<_> = rows.iter().filter(blank).cloned().collect();
        prop_assert_eq!(read.into_iter().map(|row| row.2).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn random_bytes_never_panic(
        mut content in prop::collection::vec(any::<u8>(), 0..2_000),
        start in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"{\"a\":1}\n", b"a;b\n\"", b"\xFF\xFE"]),
        delimiter in any::<u8>(),
    ) {
        content.splice(0..0, start.iter().copied());
        let _ = read_any(&content);
        let _ = TabularFormats.detect(&content, &FileHint::default());
        for format in [FileFormat::Csv, FileFormat::Ndjson, FileFormat::Xlsx] {
            let mut detected = csv_format(delimiter);
            detected.format = format;
            let _ = read(&content, &detected);
        }
    }
}
