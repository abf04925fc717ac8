//! Rows of other people's data: every format yields the same rows, and what is wrong is named.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, DictionaryArray, Float64Array, Int64Array,
    LargeStringArray, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field};
use cookc::rows::Rows;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn rows(path: &Path) -> Vec<(u64, Value)> {
    let rows = Rows::open(path).unwrap_or_else(|error| panic!("{error}"));
    rows.map(|row| row.map(|row| (row.number, row.values.into())))
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_columns_of_json_are_those_of_its_first_rows() {
    let lines = "{\"a\": 1}\n{\"b\": 2, \"a\": 3}\n{\"c\": 4}\n";
    let folder = folder(&[("some.jsonl", lines), ("array.json", "[{\"a\": 1}, {\"b\": 2}]")]);
    let open = |name: &str| Rows::open(&folder.path().join(name)).expect("rows");
    assert_eq!(open("some.jsonl").columns(), ["a", "b", "c"]);
    assert_eq!(open("array.json").columns(), ["a", "b"]);
    let some = Rows::select(&folder.path().join("some.jsonl"), &["b"]).expect("rows");
    let values: Vec<Value> = some.map(|row| Value::Object(row.expect("a row").values)).collect();
    assert_eq!(values, [json!({}), json!({"b": 2}), json!({})]);
    assert_eq!(rows(&folder.path().join("array.json")).len(), 2);
}

/// The first error of a data set, without the folder's name.
fn error(folder: &TempDir, name: &str) -> String {
    let found = match Rows::open(&folder.path().join(name)) {
        Err(error) => error,
        Ok(rows) => rows.filter_map(Result::err).next().expect("an error"),
    };
    found.to_string().replace(&format!("{}/", folder.path().display()), "")
}

/// Two rows with a column of every kind.
fn batch() -> RecordBatch {
    let words: DictionaryArray<Int32Type> = [Some("yes"), None].into_iter().collect();
    let lists = [Some(vec![Some(1), None]), Some(vec![])];
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    let inner: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let fields = Arc::new(Field::new("text", DataType::Utf8, true));
    let columns: [(&str, ArrayRef); 8] = [
        ("text", Arc::new(StringArray::from(vec![Some("é"), None]))),
        ("long", Arc::new(LargeStringArray::from(vec!["x", "y"]))),
        ("number", Arc::new(Int64Array::from(vec![i64::MIN, 7]))),
        ("real", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
        ("truth", Arc::new(BooleanArray::from(vec![true, false]))),
        ("label", Arc::new(words)),
        ("list", Arc::new(lists)),
        ("choices", Arc::new(StructArray::from(vec![(fields, inner)]))),
    ];
    RecordBatch::try_from_iter(columns).expect("eight columns of two rows")
}

fn write(batch: &RecordBatch, path: &Path) {
    let file = File::create(path).expect("a file");
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => {
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
            writer.write(batch).expect("written");
            writer.close().expect("closed");
        }
        Some("arrow") => {
            let mut writer = StreamWriter::try_new(file, &batch.schema()).expect("a writer");
            writer.write(batch).expect("written");
            writer.finish().expect("closed");
        }
        _ => {
            let mut writer = FileWriter::try_new(file, &batch.schema()).expect("a writer");
            writer.write(batch).expect("written");
            writer.finish().expect("closed");
        }
    }
}

#[test]
fn a_row_of_json_lines_has_the_number_of_its_line() {
    let folder = folder(&[("a.jsonl", "\u{feff}{\"x\": 1}\n\n  {\"x\": [2]}\r\n")]);
    let wanted = [(1, json!({"x": 1})), (3, json!({"x": [2]}))];
    assert_eq!(rows(&folder.path().join("a.jsonl")), wanted);
}

#[test]
fn an_array_of_objects_is_read_row_by_row() {
    let text = "\n[ {\"x\": \"],}\\\"\"} ,\n{\"x\": {\"y\": [1, [2]]}}\n]\n";
    let folder = folder(&[("a.json", text), ("empty.json", "[]")]);
    let wanted = [(1, json!({"x": "],}\""})), (2, json!({"x": {"y": [1, [2]]}}))];
    assert_eq!(rows(&folder.path().join("a.json")), wanted);
    assert_eq!(error(&folder, "empty.json"), "empty.json has no row");
}

#[test]
fn parquet_and_both_forms_of_arrow_hold_the_same_rows() {
    let folder = folder(&[]);
    let wanted = [
        json!({"text": "é", "long": "x", "number": i64::MIN, "real": 0.1, "truth": true,
            "label": "yes", "list": [1, null], "choices": {"text": "a"}}),
        json!({"text": null, "long": "y", "number": 7, "real": null, "truth": false,
            "label": null, "list": [], "choices": {"text": "b"}}),
    ];
    for name in ["a.parquet", "a.arrow", "a.feather"] {
        let path = folder.path().join(name);
        write(&batch(), &path);
        let found: Vec<Value> = rows(&path).into_iter().map(|(_, row)| row).collect();
        assert_eq!(found, wanted, "{name}");
        let rows = Rows::open(&path).expect("rows");
        assert_eq!((rows.columns().len(), &*rows.columns()[7]), (8, "choices"));
    }
}

#[test]
fn a_saved_folder_is_its_shards_in_the_order_of_their_names() {
    let folder = folder(&[("dataset_info.json", "{}"), ("state.json", "{}")]);
    let batch = batch();
    write(&batch.slice(1, 1), &folder.path().join("data-00001-of-00002.arrow"));
    write(&batch.slice(0, 1), &folder.path().join("data-00000-of-00002.arrow"));
    write(&batch, &folder.path().join("cache-0123.arrow"));
    let numbers: Vec<Value> =
        rows(folder.path()).into_iter().map(|(_, row)| row["number"].clone()).collect();
    assert_eq!(numbers, [json!(i64::MIN), json!(7)]);
}

#[test]
fn only_the_columns_that_are_read_need_a_form_in_json() {
    let folder = folder(&[]);
    let image: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff"[..]]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let batch = RecordBatch::try_from_iter([("image", image), ("text", text)]).expect("a batch");
    for name in ["a.parquet", "a.arrow", "a.feather"] {
        write(&batch, &folder.path().join(name));
        let wanted =
            format!("{name}: column `image` has the type Binary, which has no form in JSON");
        assert!(error(&folder, name).starts_with(&wanted), "{}", error(&folder, name));
        let mut rows = Rows::select(&folder.path().join(name), &["text.0"]).expect("rows");
        assert_eq!(rows.columns(), ["image", "text"]);
        let row = rows.next().expect("a row").expect("read");
        assert_eq!(Value::from(row.values), json!({"text": "x"}));
    }
}

#[test]
fn what_is_no_row_is_named_with_its_line_and_what_to_write() {
    let folder = folder(&[
        ("broken.jsonl", "{\"x\": 1}\n{\"x\": 1,}\n"),
        ("pretty.json", "{\n  \"x\": 1\n}\n"),
        ("list.jsonl", "[1, 2]\n"),
        ("number.jsonl", "{\"x\": 1}\n7\n"),
        ("cut.json", "[{\"x\": 1}, {\"x\""),
        ("after.json", "[{\"x\": 1}] x"),
        ("comma.json", "[{\"x\": 1} {\"x\": 1}]"),
        ("packed.jsonl", "\u{1f}"),
        ("blank.jsonl", "\n \n"),
    ]);
    fs::write(folder.path().join("packed.jsonl"), [0x1f, 0x8b, 8, 0]).expect("a file");
    fs::write(folder.path().join("zipped.jsonl"), b"PK\x03\x04").expect("a file");
    fs::write(folder.path().join("latin.jsonl"), b"{\"x\": \"\xe4\"}\n").expect("a file");
    fs::write(folder.path().join("cut.parquet"), b"PAR1x").expect("a file");
    let says = |name: &str, wanted: &str| {
        let found = error(&folder, name);
        assert!(found.starts_with(wanted), "{found}");
    };
    says("broken.jsonl", "broken.jsonl line 2: expected a JSON object, at byte 9: trailing comma");
    says(
        "pretty.json",
        "pretty.json line 1: expected a JSON object, at byte 1: EOF while parsing an",
    );
    says(
        "list.jsonl",
        "list.jsonl row 1: expected an object with a value for each column, found a",
    );
    says("number.jsonl", "number.jsonl line 2: expected an object with a value for each column, ");
    says("cut.json", "cut.json row 2: the file ends before the array's `]`: it is cut short");
    says("after.json", "after.json row 1: expected nothing after the array's `]`");
    says("comma.json", "comma.json row 1: expected `,` or `]` after this row");
    says("packed.jsonl", "packed.jsonl cannot be read as rows: it is damaged (");
    says("latin.jsonl", "latin.jsonl line 1: it is not UTF-8: save the file as UTF-8");
    says(
        "zipped.jsonl",
        "zipped.jsonl is compressed by zip: expected JSON lines, CSV, Parquet or Arrow",
    );
    says("blank.jsonl", "blank.jsonl has no row");
    says("cut.parquet", "cut.parquet cannot be read as rows: ");
    says("brokem.jsonl", "there is no file brokem.jsonl: did you mean broken.jsonl?");
}

#[test]
fn a_folder_without_rows_names_what_to_write() {
    let folder = folder(&[("readme.txt", ""), ("dataset_dict.json", "{}")]);
    let says = |wanted: &str| {
        let found = error(&folder, "");
        assert!(found.contains(wanted), "{found}");
    };
    says(
        "expected files that end with .jsonl, .json, .csv, .tsv, .parquet, .arrow or .tar: name a",
    );
    fs::create_dir(folder.path().join("validation")).expect("a folder");
    says("its folders are validation: write ");
    for name in ["a.jsonl", "b.parquet"] {
        fs::write(folder.path().join(name), "").expect("a file");
    }
    says("holds files of different formats, a.jsonl and b.parquet: name one, such as ");
}

#[test]
fn a_damaged_file_is_an_error_or_other_rows_and_no_panic() {
    let folder = folder(&[]);
    let mut damaged = 0;
    for name in ["a.arrow", "a.feather", "a.parquet"] {
        let path = folder.path().join(name);
        write(&batch(), &path);
        let bytes = fs::read(&path).expect("a file");
        for at in (8..bytes.len()).step_by(3) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x7f;
            fs::write(&path, bytes).expect("a file");
            let found = Rows::open(&path).map(|rows| rows.filter_map(Result::err).next());
            let error = found.unwrap_or_else(Some);
            damaged += u32::from(error.is_some_and(|it| it.to_string().ends_with("it is damaged")));
        }
    }
    assert!(damaged > 0, "the libraries gave up on some of them");
}
