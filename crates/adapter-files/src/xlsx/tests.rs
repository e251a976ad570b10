use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use ports::files::{
    Cells, DetectedFormat, FileError, FileFormat, FileHint, FormatFault, Header, RecordFormats,
    RecordLimits, RecordReader,
};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use crate::TabularFormats;

const WORKBOOK: &str = r#"<?xml version="1.0"?><workbook xmlns:r="r"><workbookPr/><sheets>
    <sheet name="Chart" r:id="c"/><sheet name="People" r:id="p"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<Relationships>
    <Relationship Id="p" Type="x/worksheet" Target="/xl/worksheets/People.xml"/>
    <Relationship Id="c" Type="x/chartsheet" Target="chartsheets/sheet1.xml"/>
    <Relationship Id="s" Type="x/sharedStrings" Target="sharedStrings.xml"/>
    <Relationship Id="t" Type="x/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
const SHARED: &str = "<sst><si><t>nome</t></si><si><r><t>Jo</t></r><r><t>\u{e3}o &amp; &#67;ia</t></r>\
    <rPh><t>x</t></rPh></si><si><t/></si></sst>";

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        let method = zip::CompressionMethod::Deflated;
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn workbook(sheet: &str, shared: &str) -> Vec<u8> {
    archive(&[
        ("xl/workbook.xml", WORKBOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
        ("xl/sharedStrings.xml", shared.as_bytes()),
        ("xl/worksheets/People.xml", sheet.as_bytes()),
        ("xl/media/nested.zip", b"PK\x03\x04"),
    ])
}

fn sheet(rows: &str) -> String {
    format!("<?xml version=\"1.0\"?><worksheet><sheetData>{rows}</sheetData></worksheet>")
}

fn open(content: &[u8], limits: RecordLimits) -> Result<Box<dyn RecordReader>, FileError> {
    open_sheet(content, None, limits)
}

fn open_sheet(
    content: &[u8],
    sheet: Option<&str>,
    limits: RecordLimits,
) -> Result<Box<dyn RecordReader>, FileError> {
    let format = DetectedFormat {
        format: FileFormat::Xlsx,
        delimiter: None,
        encoding: ports::files::Encoding::Utf8,
        header: Header::Present(true),
        columns: Vec::new(),
        sample: Vec::new(),
        sheet: sheet.map(str::to_owned),
    };
    TabularFormats.open(Box::new(Cursor::new(content.to_vec())), &format, limits)
}

fn read(content: &[u8], limits: RecordLimits) -> Result<Vec<(u64, Vec<String>)>, FileError> {
    let mut reader = open(content, limits)?;
    let mut rows = Vec::new();
    while let Some(record) = reader.next()? {
        if let Cells::Fields(fields) = record.cells {
            rows.push((record.line, fields.to_vec()));
        }
    }
    Ok(rows)
}

fn refused(content: &[u8]) -> FormatFault {
    match read(content, RecordLimits::default()) {
        Err(FileError::Malformed { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn cells_of_every_kind_become_text() {
    let rows = r#"
        <row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="inlineStr"><is><t>cpf</t></is></c>
            <c r="C2" t="str"><f>1+1</f><v>when</v></c><c r="D2" t="str"><v>ok</v></c></row>
        <row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3"><v>1.2345678909E10</v></c>
            <c r="C3" s="1"><v>45352</v></c><c r="D3" t="b"><v>1</v></c><c r="E3" t="s"><v>2</v></c></row>
        <row r="4"><c r="A4"/></row>
        <row r="9"><c r="C9" s="2"><v>45352.5</v></c><c r="D9" t="e"><v>#N/A</v></c></row>
        <row><c/><c><v>7</v></c><c/><c/><c><v>8</v></c></row>"#;
    let content = workbook(&sheet(rows), SHARED);
    let mut reader = open(&content, RecordLimits::default()).unwrap();
    assert_eq!(reader.headers(), ["nome", "cpf", "when", "ok"]);
    let expected: [(u64, &[&str]); 3] = [
        (3, &["João & Cia", "12345678909", "2024-03-01", "true"]),
        (9, &["", "", "2024-03-01T12:00:00", ""]),
        // Right of the header.
        (10, &["", "7", "", "", "8"]),
    ];
    for (index, (line, cells)) in expected.into_iter().enumerate() {
        let record = reader.next().unwrap().unwrap();
        assert_eq!((record.number, record.line), (index as u64 + 1, line));
        assert_eq!(record.fault, None);
        assert!(
            matches!(record.cells, Cells::Fields(fields) if fields == cells),
            "{line}"
        );
    }
    assert!(reader.next().unwrap().is_none());
    let source = Box::new(Cursor::new(content));
    let hint = FileHint {
        file_name: Some("people.xlsx"),
        ..FileHint::default()
    };
    let detected = TabularFormats
        .inspect(source, &hint, RecordLimits::default())
        .unwrap();
    assert_eq!(detected.columns, ["nome", "cpf", "when", "ok", "column_5"]);
    assert_eq!(detected.sample.len(), 3);
}

#[test]
fn cells_are_read_as_they_are_seen() {
    let styles = r#"<styleSheet><numFmts>
        <numFmt numFmtId="164" formatCode="00000000000"/>
        <numFmt numFmtId="165" formatCode="000&quot;.&quot;000&quot;.&quot;000&quot;-&quot;00"/>
        <numFmt numFmtId="167" formatCode="[h]:mm"/></numFmts><cellXfs><xf numFmtId="0"/>
        <xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="167"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
    let shared = "<sst><si><t>11144477735_x000D_</t></si><si><r><t>l1_x000D_\nl2 </t></r>\
        <r><t>_x005F_x0041_</t></r></si></sst>";
    let rows = r#"<row>
            <c t="str"><v>cpf</v></c><c t="str"><v>b</v></c><c t="str"><v>c</v></c></row>
        <row><c s="1"><v>1234567890</v></c><c s="2"><v>1234567890</v></c><c s="3"><v>1.5</v></c></row>
        <row><c s="1"><v>191</v></c><c s="4"><v>46053.5</v></c><c s="4"><v>46053</v></c></row>
        <row><c t="s"><v>0</v></c><c t="s"><v>1</v></c>
            <c t="inlineStr"><is><t>Ana_x000d_</t></is></c></row>
        <row><c t="e"><v>#N/A</v></c><c t="str"><v>_x0041_</v></c><c t="e"><v>#REF!</v></c></row>
        <row><c t="e"><v>#VALUE!</v></c></row>"#;
    let content = archive(&[
        ("xl/workbook.xml", WORKBOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
        ("xl/sharedStrings.xml", shared.as_bytes()),
        ("xl/worksheets/People.xml", sheet(rows).as_bytes()),
    ]);
    let rows = read(&content, RecordLimits::default()).unwrap();
    let rows: Vec<_> = rows.into_iter().map(|(_, cells)| cells).collect();
    assert_eq!(
        rows,
        [
            ["01234567890", "012.345.678-90", "36:00"],
            ["00000000191", "2026-01-31T12:00:00", "2026-01-31"],
            ["11144477735\r", "l1\r\nl2 _x0041_", "Ana\r"],
            ["", "A", ""],
        ]
    );
}

#[test]
fn damaged_workbooks_are_refused() {
    let row = "<row><c t=\"s\"><v>0</v></c></row>";
    let good = workbook(&sheet(row), SHARED);
    assert!(read(&good, RecordLimits::default()).unwrap().is_empty());
    let missing_text = sheet("<row><c t=\"s\"><v>77</v></c></row>");
    let backwards = sheet("<row><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>");
    let far = sheet("<row><c r=\"ZZZZ1\"><v>1</v></c></row>");
    let deep = sheet(&"<a>".repeat(100_000));
    for damaged in [
        missing_text,
        backwards,
        far,
        deep,
        sheet("<row></c>"),
        "<a><b".to_owned(),
    ] {
        assert_eq!(
            refused(&workbook(&damaged, SHARED)),
            FormatFault::DamagedWorkbook
        );
    }
    let plain_zip = archive(&[("readme.txt", b"hello")]);
    assert_eq!(refused(&plain_zip), FormatFault::NotXlsx);
    let parts: Vec<_> = (0..1_001).map(|n| format!("part{n}")).collect();
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(refused(&archive(&parts)), FormatFault::TooManyEntries);
    let long_cell = format!("<row><c t=\"str\"><v>{}</v></c></row>", "x".repeat(3 << 20));
    assert_eq!(
        refused(&workbook(&sheet(&long_cell), SHARED)),
        FormatFault::RecordTooLarge
    );
}

#[test]
fn entities_are_refused() {
    let bomb = r#"<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>"#;
    let declared = format!(
        "{bomb}{}",
        sheet("<row><c t=\"str\"><v>&lol2;</v></c></row>")
    );
    let used = sheet("<row><c t=\"str\"><v>&lol;</v></c></row>");
    for sheet in [declared, used] {
        assert_eq!(refused(&workbook(&sheet, SHARED)), FormatFault::XmlEntity);
    }
    let shared = format!("{bomb}{SHARED}");
    assert_eq!(
        refused(&workbook(&sheet(""), &shared)),
        FormatFault::XmlEntity
    );
}

/// A workbook whose sheet is `row` written `count` times.
fn repeated(row: &str, count: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let method = zip::CompressionMethod::Deflated;
    let options = SimpleFileOptions::default().compression_method(method);
    writer.start_file("xl/workbook.xml", options).unwrap();
    writer.write_all(b"<workbook/>").unwrap();
    writer
        .start_file("xl/worksheets/sheet1.xml", options)
        .unwrap();
    writer.write_all(b"<worksheet><sheetData>").unwrap();
    let block = row.repeat(1_000);
    for _ in 0..count / 1_000 {
        writer.write_all(block.as_bytes()).unwrap();
    }
    writer.write_all(b"</sheetData></worksheet>").unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_bomb_is_refused_early() {
    let bomb = repeated(&format!("<row/>{}", " ".repeat(4_000)), 50_000);
    assert!(bomb.len() < 1_000_000);
    let started = Instant::now();
    assert_eq!(refused(&bomb), FormatFault::CompressionBomb);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn limits_hold() {
    let content = repeated("<row><c t=\"str\"><v>x</v></c></row>", 5_000);
    let too_large = |limits| match read(&content, limits) {
        Err(FileError::TooLarge { limit, .. }) => limit,
        other => panic!("not refused: {other:?}"),
    };
    let limits = RecordLimits::default();
    assert_eq!(
        too_large(RecordLimits {
            unpacked_bytes: 100_000,
            ..limits
        }),
        100_000
    );
    assert_eq!(
        too_large(RecordLimits {
            workbook_bytes: 10,
            ..limits
        }),
        10
    );
    assert_eq!(read(&content, limits).unwrap().len(), 4_999);
    let shared = format!("<sst>{}</sst>", "<si><t/></si>".repeat(1_000));
    let content = workbook(&sheet(""), &shared);
    let limits = RecordLimits {
        shared_text_bytes: 1_000,
        ..limits
    };
    assert!(matches!(
        read(&content, limits),
        Err(FileError::TooLarge { limit: 1_000, .. })
    ));
}

/// Nothing is reserved for what a part only claims.
#[test]
fn counts_that_are_claimed_do_not_matter() {
    let claims = "<sst count=\"20000000000\" uniqueCount=\"20000000000\"><si><t>cpf</t></si></sst>";
    let row = "<row spans=\"1:20000000000\"><c t=\"s\"><v>0</v></c></row>";
    let reader = open(&workbook(&sheet(row), claims), RecordLimits::default()).unwrap();
    assert_eq!(reader.headers(), ["cpf"]);
}

#[test]
fn a_part_altered_after_packing_is_noticed() {
    let row = "<row><c t=\"str\"><v>name</v></c></row>";
    let stored = {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let method = zip::CompressionMethod::Stored;
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, content) in [
            ("xl/workbook.xml", "<workbook/>"),
            ("xl/worksheets/sheet1.xml", &sheet(row)),
        ] {
            writer.start_file(name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    assert!(read(&stored, RecordLimits::default()).is_ok());
    let mut altered = stored;
    let place = altered
        .windows(4)
        .position(|bytes| bytes == b"name")
        .unwrap();
    altered[place] = b'N';
    assert_eq!(refused(&altered), FormatFault::DamagedWorkbook);
}

proptest! {
    #[test]
    fn an_altered_workbook_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let row = "<row><c r=\"A1\" t=\"s\"><v>0</v></c></row><row><c s=\"1\"><v>1</v></c></row>";
        let mut content = workbook(&sheet(row), SHARED);
        for (index, byte) in changes {
            let index = index.index(content.len());
            content[index] = byte;
        }
        let _ = read(&content, RecordLimits::default());
        content.truncate(cut.index(content.len()));
        let _ = read(&content, RecordLimits::default());
    }
}

/// A workbook of these sheets: name, state and rows.
fn sheets(sheets: &[(&str, &str, &str)]) -> Vec<u8> {
    let listed = sheets.iter().enumerate().map(|(n, (name, state, _))| {
        format!("<sheet name=\"{name}\" sheetId=\"{n}\" state=\"{state}\" r:id=\"r{n}\"/>")
    });
    let related = (0..sheets.len())
        .map(|n| format!("<Relationship Id=\"r{n}\" Type=\"x/worksheet\" Target=\"s{n}.xml\"/>"));
    let mut parts = vec![
        (
            "xl/workbook.xml".to_owned(),
            format!(
                "<workbook xmlns:r=\"r\">{}</workbook>",
                listed.collect::<String>()
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!(
                "<Relationships>{}</Relationships>",
                related.collect::<String>()
            ),
        ),
    ];
    for (n, (_, _, rows)) in sheets.iter().enumerate() {
        parts.push((format!("xl/s{n}.xml"), sheet(rows)));
    }
    let parts: Vec<(&str, &[u8])> = parts
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_bytes()))
        .collect();
    archive(&parts)
}

const EMPTY_ROWS: &str = "<row r=\"1\"><c r=\"A1\" s=\"1\"/></row><row r=\"2\"/>";

fn row_of(text: &str) -> String {
    format!("<row><c t=\"str\"><v>{text}</v></c></row>")
}

#[test]
fn the_first_visible_sheet_with_rows_is_read() {
    let (hidden, people, more) = (row_of("hidden"), row_of("people"), row_of("more"));
    let content = sheets(&[
        ("Base", "hidden", &hidden),
        ("Macro", "veryHidden", &hidden),
        ("Capa", "visible", EMPTY_ROWS),
        ("Nada", "visible", ""),
        ("Clientes", "visible", &people),
        ("Outros", "visible", &more),
    ]);
    let read = |sheet| {
        let reader = open_sheet(&content, sheet, RecordLimits::default()).unwrap();
        reader.headers().to_vec()
    };
    assert_eq!(read(None), ["people"]);
    for (sheet, header) in [
        ("Clientes", "people"),
        ("Outros", "more"),
        (" outros ", "more"),
        ("Base", "hidden"),
        ("Macro", "hidden"),
    ] {
        assert_eq!(read(Some(sheet)), [header], "{sheet}");
        let hint = FileHint {
            sheet: Some(sheet),
            ..FileHint::default()
        };
        let source = Box::new(Cursor::new(content.clone()));
        let detected = TabularFormats
            .inspect(source, &hint, RecordLimits::default())
            .unwrap();
        let found = detected.sheet.unwrap();
        assert_eq!(found.to_lowercase(), sheet.trim().to_lowercase());
        assert_eq!(detected.columns, [header]);
    }
}

#[test]
fn a_sheet_is_found_again_among_others_of_its_name() {
    let (hidden, people) = (row_of("hidden"), row_of("people"));
    let content = sheets(&[
        ("Base", "hidden", &hidden),
        ("Base", "visible", EMPTY_ROWS),
        ("Base", "visible", &people),
    ]);
    for sheet in [None, Some("Base"), Some("base ")] {
        let reader = open_sheet(&content, sheet, RecordLimits::default()).unwrap();
        assert_eq!(reader.headers(), ["people"], "{sheet:?}");
    }
}

#[test]
fn a_workbook_without_rows_names_its_sheets() {
    let row = row_of("x");
    let content = sheets(&[("Base", "hidden", &row), ("Capa", "visible", EMPTY_ROWS)]);
    let refused = |sheet| match open_sheet(&content, sheet, RecordLimits::default()) {
        Err(FileError::Malformed { code, detail, .. }) => (code, detail),
        _ => panic!("not refused"),
    };
    assert_eq!(
        refused(None),
        (
            FormatFault::EmptyFile,
            "no visible sheet has rows; there are \"Base\" (hidden), \"Capa\"".to_owned()
        )
    );
    assert_eq!(refused(Some("Capa")).0, FormatFault::EmptyFile);
    let (code, detail) = refused(Some("Outra"));
    assert_eq!(code, FormatFault::UnknownSheet);
    assert!(detail.contains("\"Base\" (hidden), \"Capa\""), "{detail}");
    let many: Vec<_> = (0..30).map(|n| format!("S{n}{}", "x".repeat(99))).collect();
    let many: Vec<_> = many
        .iter()
        .map(|name| (name.as_str(), "visible", EMPTY_ROWS))
        .collect();
    match open(&sheets(&many), RecordLimits::default()) {
        Err(FileError::Malformed { detail, .. }) => {
            assert!(detail.ends_with("10 more") && detail.len() < 1_000);
        }
        _ => panic!("not refused"),
    }
}

/// Empty sheets that are looked through count against the limit of what is unpacked.
#[test]
fn sheets_that_are_skipped_count_against_the_limit() {
    let (empty, row) = ("<row/>".repeat(2_000), row_of("x"));
    let content = sheets(&[
        ("A", "visible", &empty),
        ("B", "visible", &empty),
        ("C", "visible", &row),
    ]);
    let limits = RecordLimits {
        unpacked_bytes: 20_000,
        ..RecordLimits::default()
    };
    assert!(matches!(
        open(&content, limits),
        Err(FileError::TooLarge { limit: 20_000, .. })
    ));
    assert!(open(&content, RecordLimits::default()).is_ok());
}

#[test]
fn parts_are_found_by_their_relations() {
    let people = sheet(&row_of("people"));
    let rows = people.as_bytes();
    let list = |target: &str| {
        format!(
            "<Relationships><Relationship Id=\"e\" Type=\"x/worksheet\" TargetMode=\"External\" \
             Target=\"http://x/worksheets/none.xml\"/><Relationship Id=\"p\" Type=\"x/worksheet\" \
             Target=\"{target}\"/></Relationships>"
        )
    };
    let root = |target: &str| {
        format!(
            "<Relationships><Relationship Id=\"w\" Type=\"x/officeDocument\" Target=\"{target}\"/>\
             </Relationships>"
        )
    };
    let main = "<workbook xmlns:r=\"r\"><sheet name=\"P\" r:id=\"p\"/></workbook>";
    for (root_rels, main_target, main_name, list_name, sheet_target, sheet_name) in [
        (
            "_rels\\.rels",
            "xl/workbook.xml",
            "xl\\workbook.xml",
            "xl\\_rels\\workbook.xml.rels",
            "worksheets/s.xml",
            "xl\\worksheets\\s.xml",
        ),
        (
            "_rels/.rels",
            "/Book/Main.XML",
            "book/main.xml",
            "book/_rels/main.xml.rels",
            "../data/./S.xml",
            "Data/s.XML",
        ),
        (
            "_RELS/.RELS",
            "main.xml",
            "main.xml",
            "_rels/main.xml.rels",
            "\\xl\\worksheets\\s.xml",
            "XL/Worksheets/S.xml",
        ),
        (
            "_rels/.rels",
            "absent.xml",
            "/xl/workbook.xml",
            "/xl/_rels/workbook.xml.rels",
            "/xl/x/../s.xml",
            "/xl/s.xml",
        ),
    ] {
        let (root, list) = (root(main_target), list(sheet_target));
        let content = archive(&[
            (root_rels, root.as_bytes()),
            (main_name, main.as_bytes()),
            (list_name, list.as_bytes()),
            (sheet_name, rows),
        ]);
        let reader = open(&content, RecordLimits::default()).unwrap();
        assert_eq!(reader.headers(), ["people"], "{sheet_target}");
    }
    let binary = root("xl/workbook.bin");
    let content = archive(&[
        ("_rels/.rels", binary.as_bytes()),
        ("xl/workbook.bin", b"x"),
    ]);
    assert_eq!(refused(&content), FormatFault::NotXlsx);
}
