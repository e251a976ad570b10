//! Uploaded files as V1 writes them.

use api_types::uploads::{DetectedJson, HeaderJson, UploadJson};
use http_kit::timestamp;
use ports::files::{DetectedFormat, Encoding, FileFormat, Header};

use crate::upload::StoredUpload;

/// A file, and what was found in it.
pub fn upload_json(StoredUpload { upload, detected }: StoredUpload) -> UploadJson {
    let DetectedFormat {
        format,
        delimiter,
        encoding,
        header,
        columns,
        sample,
        sheet,
    } = detected.format;
    let targets = detected.mapping.targets().iter();
    let targets = targets.map(|target| target.as_str().to_owned());
    UploadJson {
        id: upload.id.to_string(),
        file_name: upload.file_name,
        bytes: upload.bytes,
        sha256: upload.sha256,
        created_at: timestamp(upload.created_at),
        detected: DetectedJson {
            format: format_name(format).into(),
            delimiter: delimiter.map(char::from),
            encoding: encoding_name(encoding).into(),
            header: match header {
                Header::Present(is_there) => HeaderJson::Present(is_there),
                Header::Row(number) => HeaderJson::Row(number.get()),
            },
            mapping: columns.iter().cloned().zip(targets).collect(),
            columns,
            sample,
            sheet,
        },
    }
}

const fn format_name(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv => "csv",
        FileFormat::Ndjson => "ndjson",
        FileFormat::Xlsx => "xlsx",
    }
}

const fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Windows1252 => "windows-1252",
        Encoding::Utf16Le => "utf-16le",
        Encoding::Utf16Be => "utf-16be",
    }
}
