//! Formats, folders and splits: files as pandas, pyarrow and datasets write them
//! (`scripts/golden/tables.py`), hostile ones, and the tables of `docs/data.md`.

use crate::common::{golden, tiny};
use openledger_engine::data::{
    examples, read, read_for, read_training, DataFile, Purpose, Sources, ANSWER, FORMATS, INPUT,
    MESSAGES, QUESTION, ROLES, SPLIT_WORDS, SYSTEM, WRAPPERS,
};
use openledger_engine::tokenizer::Tokenizer;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| tiny(1).1)
}

fn tables(name: &str) -> PathBuf {
    golden("tables").join(name)
}

/// The text of each example of a file.
fn made(file: &DataFile) -> Vec<String> {
    let (found, report) = examples(std::slice::from_ref(file), tokenizer(), 512).expect("examples");
    assert_eq!(report.skipped, 0, "{:?}", report.reasons);
    found.iter().map(|e| tokenizer().decode(&e.tokens, false).expect("text")).collect()
}

fn open(name: &str) -> DataFile {
    DataFile::open(&tables(name)).expect("a file")
}

#[test]
fn the_same_questions_come_out_of_every_format() {
    let right = made(&open("questions.json"));
    assert_eq!(right.len(), 8);
    assert!(right[3].contains("Which shelf holds “box 3”?\nSay, please."), "{}", right[3]);
    assert!(right[3].contains("Box 3 stands, on shelf 3; \"left\"."), "{}", right[3]);
    for name in [
        "pandas.csv",
        "pandas.tsv",
        "semicolons.csv",
        "pandas.parquet",
        "chats-none.parquet",
        "chats-snappy.parquet",
        "chats-gzip.parquet",
        "chats-zstd.parquet",
        "chats-v2.parquet",
        "file.arrow",
        "lines.jsonl.gz",
        "lines.jsonl.zst",
    ] {
        assert_eq!(made(&open(name)), right, "{name}");
    }
}

/// The same bytes under another name.
fn named(bytes: &[u8], name: &str) -> DataFile {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    DataFile::open(&path).expect("a file")
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    marked.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn the_dialects_of_spreadsheets_and_shells_are_read() {
    let right = made(&open("questions.json"));
    let semicolons = fs::read_to_string(tables("semicolons.csv")).expect("a table");
    let tabs = fs::read_to_string(tables("pandas.tsv")).expect("a table");
    let commas = fs::read_to_string(tables("pandas.csv")).expect("a table");
    for (bytes, name) in [
        (format!("sep=;\r\n{semicolons}").into_bytes(), "excel.csv"),
        (utf16(&commas, u16::to_le_bytes), "excel.csv"),
        (utf16(&tabs, u16::to_le_bytes), "unicode-text.tsv"),
        (utf16(&tabs, u16::to_be_bytes), "unicode-text.csv"),
    ] {
        assert_eq!(made(&named(&bytes, name)), right, "{name}");
    }
    let bars = named(b"question|answer\nWhere, please?|Here; there.\n", "bars.csv");
    assert!(made(&bars)[0].contains("Where, please?"));
    let odd = named(b"\xff\xfeq\0u\0\x00", "odd.csv");
    assert!(odd.text().expect_err("half a character").to_string().contains("UTF-16"));
}

#[test]
fn a_list_that_calls_itself_lines_is_read_and_said() {
    let record =
        |n: usize| format!("{{\"question\": \"Where is {n}?\", \"answer\": \"Here, {n}.\"}}");
    let records: Vec<_> = (0..3).map(record).collect();
    let right = made(&named(records.join("\n").as_bytes(), "lines.jsonl"));
    assert_eq!(right.len(), 3);
    let pretty: Vec<_> = records.iter().map(|one| one.replacen(", ", ",\n  ", 1)).collect();
    for text in
        [records.join(",\n") + ",\n", format!("[\n{}\n]\n", records.join(",\n")), pretty.join("\n")]
    {
        let file = named(text.as_bytes(), "list.jsonl");
        assert_eq!(made(&file), right, "{text}");
        let (_, report) = examples(&[file], tokenizer(), 512).expect("examples");
        assert!(report.notes.iter().any(|note| note.contains("read as a .json")), "{report:?}");
    }
    // A damaged first line costs that line alone.
    let damaged = format!("{{\"question\": \"Wh\n{}", records.join("\n"));
    let (found, report) =
        examples(&[named(damaged.as_bytes(), "lines.jsonl")], tokenizer(), 512).expect("examples");
    assert_eq!((found.len(), report.skipped), (3, 1));
}

#[test]
fn a_folder_of_save_to_disk_is_read_with_its_splits() {
    let right = made(&open("questions.json"));
    let sources = read_for(&[tables("saved")], Purpose::Training).expect("files");
    let (found, report) = examples(&sources.files, tokenizer(), 512).expect("examples");
    let text = |held: bool| -> Vec<String> {
        let found = found.iter().filter(|e| e.origin.evaluation == held);
        found.map(|e| tokenizer().decode(&e.tokens, false).expect("text")).collect()
    };
    assert_eq!(text(false), right[..6]);
    assert_eq!(text(true), right[6..7]);
    // Columns that no rule uses are said.
    assert_eq!(report.remarks["records with key id, which is not used"].count, 7);
    let lines = sources.lines().join("\n");
    assert!(lines.contains("of the test split, which is never trained on"), "{lines}");
    assert!(lines.contains("evaluated on the validation split (1 file)"), "{lines}");
    assert!(lines.contains("descriptions of a data set"), "{lines}");
    let measured = read_for(&[tables("saved")], Purpose::Measuring).expect("files");
    assert_eq!(measured.files.len(), 1);
    assert!(measured.files[0].origin.submission.contains("/test/"));
}

#[test]
fn what_a_table_is_compressed_by_and_not_read_is_named() {
    for (name, reason) in [
        ("chats-brotli.parquet", "write it with compression=\"zstd\""),
        ("chats-lz4.parquet", "compressed by LZ4"),
        ("compressed.arrow", "compress"),
    ] {
        let error = open(name).text().expect_err("refused").to_string();
        assert!(error.contains(reason) && error.contains(name), "{name}: {error}");
    }
}

fn written(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("written");
    }
}

fn names(folder: &Path, files: &[DataFile]) -> Vec<String> {
    let own = folder.display().to_string() + "/";
    files.iter().map(|f| f.origin.submission.replace(&own, "")).collect()
}

#[test]
fn a_folder_that_is_not_there_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["notes", "notes.md"] {
        let path = folder.path().join(name);
        let refused = read_training(std::slice::from_ref(&path), &[])
            .expect_err("nothing is there")
            .to_string();
        let words = format!("there is no file or folder {}; name one", path.display());
        assert!(refused.contains(&words), "{refused}");
    }
}

fn training(folder: &Path) -> Sources {
    read_for(&[folder.to_path_buf()], Purpose::Training).expect("files")
}

#[test]
fn hidden_files_and_caches_are_left_out_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    written(
        folder,
        &[
            ("a.jsonl", "{\"text\": \"words\"}"),
            ("._a.jsonl", "\0\u{5}\u{16}\u{7}"),
            (".DS_Store", "x"),
            ("__MACOSX/._b.jsonl", "x"),
            (".cache/c.txt", "x"),
            (".git/d.md", "x"),
            ("__pycache__/e.txt", "x"),
            ("Thumbs.db", "x"),
            ("desktop.ini", "x"),
            ("picture.PNG", "x"),
            ("sheet.xlsx", "x"),
        ],
    );
    let sources = training(folder);
    assert_eq!(names(folder, &sources.files), ["a.jsonl"]);
    let count =
        |reason: &str| sources.left_out.iter().find(|l| l.reason == reason).map(|l| l.count);
    assert_eq!(count("hidden files and caches"), Some(8));
    assert_eq!(count("files of a kind that is not read"), Some(2));
    let lines = sources.lines().join("\n");
    assert!(lines.contains("picture.PNG") && lines.contains("sheet.xlsx"), "{lines}");
    let error = read(&[folder.join("sheet.xlsx")]).expect_err("refused").to_string();
    assert!(error.contains("save the sheet as .csv"), "{error}");
}

#[test]
fn the_order_goes_by_numbers_however_they_are_padded() {
    for names_given in [
        ["part-2.txt", "part-9.txt", "part-10.txt", "part-100.txt"],
        ["part-02.txt", "part-09.txt", "part-10.txt", "part-100.txt"],
        ["part-002.txt", "part-009.txt", "part-010.txt", "part-100.txt"],
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        for (index, name) in names_given.iter().enumerate() {
            written(folder.path(), &[(name, &format!("text {index}"))]);
        }
        assert_eq!(names(folder.path(), &training(folder.path()).files), names_given);
    }
}

#[test]
fn links_are_followed_once_and_never_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // As the hub's cache has it.
    written(folder, &[("blobs/3f2a", "{\"text\": \"words\"}"), ("snapshots/one/x", "")]);
    symlink("../../blobs/3f2a", folder.join("snapshots/one/data.jsonl")).expect("a link");
    symlink("../../blobs/3f2a", folder.join("snapshots/one/same.jsonl")).expect("a link");
    symlink("..", folder.join("snapshots/up")).expect("a link");
    symlink("nowhere.jsonl", folder.join("broken.jsonl")).expect("a link");
    let sources = training(folder);
    assert_eq!(names(folder, &sources.files), ["snapshots/one/data.jsonl"]);
    let lines = sources.lines().join("\n");
    for reason in [
        "a link that leads nowhere, or no right to read it",
        "a link to a file that was read already",
        "a link to a folder that was read already",
    ] {
        assert!(lines.contains(reason), "{reason}: {lines}");
    }
}

#[test]
fn splits_are_known_by_file_by_folder_and_by_card() {
    let text = "{\"text\": \"words\"}";
    let split = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().expect("a folder");
        written(folder.path(), files);
        let sources = training(folder.path());
        let (held, train): (Vec<_>, Vec<_>) =
            sources.files.iter().cloned().partition(|f| f.origin.evaluation);
        let test = sources.left_out.iter().filter(|l| l.reason.contains("never trained on"));
        let test = test.map(|l| l.count).sum::<usize>();
        (names(folder.path(), &train), names(folder.path(), &held), test)
    };
    let words = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    for (train, held, test) in [
        ("train.jsonl", "validation.jsonl", "test.jsonl"),
        ("train.csv", "dev.csv", "test.csv"),
        ("data/train/a.jsonl", "data/valid/b.jsonl", "data/test/c.jsonl"),
        ("my-train-set.jsonl", "my_eval.jsonl", "my.test.jsonl"),
        ("train-00000-of-00001.jsonl", "validation-00000-of-00001.jsonl", "test_sft.jsonl"),
        ("anything.jsonl", "val2.jsonl", "test1.jsonl"),
        ("train.txt", "eval.txt", "test.txt"),
    ] {
        let content = if held.ends_with(".csv") { "text\nwords\n" } else { text };
        let found = split(&[(train, content), (held, content), (test, content)]);
        assert_eq!(found, (words(&[train]), words(&[held]), 1), "{train}");
    }
    // A text about tests is a text.
    assert_eq!(split(&[("how-to-test.md", "Test it."), ("latest.jsonl", text)]).2, 0);
    let card = "---\nlicense: mit\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    \
                path: data/part-*\n  - split: test\n    path: \"data/held.jsonl\"\n- config_name: other\n  \
                data_files: other/*\n---\n# Card\n";
    let found = split(&[
        ("README.md", card),
        ("data/part-1.jsonl", text),
        ("data/part-2.jsonl", text),
        ("data/held.jsonl", text),
        ("other/x.jsonl", text),
    ]);
    assert_eq!(found, (words(&["data/part-1.jsonl", "data/part-2.jsonl"]), Vec::new(), 1));
    // Without a head, a README is a text like any other.
    assert_eq!(split(&[("README.md", "# Words\n")]).0, ["README.md"]);
}

#[test]
fn a_test_split_alone_is_never_trained_on() {
    let folder = tempfile::tempdir().expect("a folder");
    written(folder.path(), &[("test.jsonl", "{\"text\": \"words\"}")]);
    for path in [folder.path().to_path_buf(), folder.path().join("test.jsonl")] {
        let error = read(std::slice::from_ref(&path)).expect_err("refused").to_string();
        assert!(error.contains("never trained on") && error.contains("rename"), "{error}");
        assert_eq!(read_for(&[path], Purpose::Measuring).expect("files").files.len(), 1);
    }
}

#[test]
fn evaluation_files_take_the_place_of_a_validation_split() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let of = |word: &str| format!("{{\"text\": \"some {word}\"}}");
    written(
        folder,
        &[
            ("data/a.jsonl", of("one").as_str()),
            ("data/validation.jsonl", of("two").as_str()),
            ("held.jsonl", of("three").as_str()),
        ],
    );
    let (data, held) = ([folder.join("data")], [folder.join("held.jsonl")]);
    let sources = read_training(&data, &held).expect("files");
    let evaluation: Vec<bool> = sources.files.iter().map(|f| f.origin.evaluation).collect();
    assert_eq!(names(folder, &sources.files), ["data/a.jsonl", "held.jsonl"]);
    assert_eq!(evaluation, [false, true]);
    assert!(sources.lines().join("\n").contains("in whose place --eval-data"));
    let error = read_training(&held, &held).expect_err("refused").to_string();
    assert!(error.contains("both trained and evaluated on"), "{error}");
}

#[test]
fn records_in_an_object_are_found_and_its_splits_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = "{\"version\": \"1\", \"data\": {\"train\": [{\"text\": \"a ]}\\\" one\"}, {\"text\": \"two\"}],\n\
                \"test\": [{\"text\": \"never\"}], \"validation\": [{\"text\": \"held\"}]}}";
    written(
        folder.path(),
        &[("all.json", json), ("lone.json", "{\"data\": [{\"text\": \"three\"}]}")],
    );
    let files = training(folder.path()).files;
    let (found, report) = examples(&files, tokenizer(), 512).expect("examples");
    let shown: Vec<(String, bool)> = found
        .iter()
        .map(|e| (tokenizer().decode(&e.tokens, true).expect("text"), e.origin.evaluation))
        .collect();
    let right = [("a ]}\" one", false), ("two", false), ("held", true), ("three", false)];
    assert_eq!(shown, right.map(|(text, held)| (text.to_owned(), held)));
    assert_eq!(&json[found[1].span.clone()], "{\"text\": \"two\"}");
    assert_eq!(report.remarks["records of the test split, never trained on"].count, 1);
}

#[test]
fn bombs_and_damaged_files_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let text = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).expect("written");
        DataFile::open(&folder.join(name)).expect("a file").text()
    };
    let refused = |name: &str, bytes: &[u8]| match text(name, bytes) {
        Ok(text) => panic!("{name} gave {} bytes", text.len()),
        Err(error) => error.to_string(),
    };
    let zstd = {
        // A frame without a size, then blocks of 128 KiB of one byte each.
        let mut bytes = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58];
        for index in 0..5000_u32 {
            let last = u32::from(index == 4999);
            bytes.extend(&(last | 1 << 1 | (128 << 10) << 3).to_le_bytes()[..3]);
            bytes.push(b'a');
        }
        bytes
    };
    assert!(refused("bomb.jsonl.zst", &zstd).contains("decompresses to more than"));
    for name in ["chats-zstd.parquet", "pandas.parquet", "chats-v2.parquet", "file.arrow"] {
        let whole = fs::read(tables(name)).expect("a file");
        let end = name.rsplit_once('.').expect("an end").1;
        let name = format!("cut.{end}");
        for cut in [0, 1, 7, 12, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            let _ = text(&name, &whole[..cut]);
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            let _ = text(&name, &changed);
        }
        assert!(text(&name, &whole).is_ok());
    }
    let gz = fs::read(tables("lines.jsonl.gz")).expect("a file");
    for at in 10..gz.len() {
        let mut changed = gz.clone();
        changed[at] ^= 0x40;
        let _ = text("changed.jsonl.gz", &changed);
        let _ = text("cut.jsonl.gz", &gz[..at]);
    }
    assert!(refused("cut.jsonl.gz", &gz[..gz.len() - 4]).contains("cut off"));
    let twice = [gz.clone(), gz.clone()].concat();
    assert_eq!(text("twice.jsonl.gz", &twice).expect("text").lines().count(), 16);
    assert!(refused("latin.csv", b"text\ncaf\xe9\n").contains("save it as UTF-8"));
    assert!(refused("x.parquet", b"PAR1").contains("no Parquet file"));
    assert!(refused("x.arrow", b"").contains("no Arrow data"));
    assert!(refused("twins.csv", b"a,a\n1,2\n").contains("two of its columns"));
}

#[test]
fn a_csv_row_that_does_not_fit_is_refused_by_its_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = "question,answer\nOne?,1\nTwo?,2,too many\n\"Three?\nReally?\",3\n\nFour?,\n";
    written(folder.path(), &[("a.csv", csv)]);
    let (found, report) =
        examples(&training(folder.path()).files, tokenizer(), 512).expect("examples");
    assert_eq!((found.len(), report.skipped), (2, 2));
    let places: Vec<String> = report.refused_places.iter().map(ToString::to_string).collect();
    assert!(places[0].ends_with("a.csv row 2"), "{places:?}");
    let reasons: Vec<&String> = report.reasons.keys().collect();
    assert!(report.reasons.contains_key("its answer is empty"), "{reasons:?}");
    assert!(reasons.iter().any(|r| r.contains("3 cells, the header has 2")), "{reasons:?}");
}

#[test]
fn the_tables_of_the_documentation_are_the_codes() {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data.md"))
        .expect("docs/data.md");
    let rows: Vec<Vec<&str>> = docs
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let row = |first: &str| {
        let found = rows.iter().find(|row| row[0] == first);
        found.unwrap_or_else(|| panic!("no row {first}")).clone()
    };
    let coded =
        |list: &[&str]| list.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(" ");
    for format in &FORMATS {
        let ends: Vec<String> = format.extensions.iter().map(|end| format!(".{end}")).collect();
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        let found = row(&coded(&ends));
        assert_eq!(found[1], if format.packed { "`.gz` `.zst`" } else { "" });
        assert_eq!(found[2], format.what);
    }
    for (part, keys) in [
        ("conversation", MESSAGES),
        ("question", QUESTION),
        ("below the question", INPUT),
        ("answer", ANSWER),
        ("system's message", SYSTEM),
    ] {
        assert_eq!(row(part)[1], coded(keys), "{part}");
    }
    for role in ["system", "user", "assistant", "tool"] {
        let names = ROLES.iter().filter(|(_, stands)| *stands == role).map(|(name, _)| *name);
        assert_eq!(row(role)[1], coded(&names.collect::<Vec<_>>()), "{role}");
    }
    for (split, words) in SPLIT_WORDS {
        assert_eq!(row(&format!("{split:?}").to_lowercase())[1], coded(words));
    }
    let flat = docs.split_whitespace().collect::<Vec<_>>().join(" ");
    let list = WRAPPERS.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    assert!(flat.contains(&list), "{list}");
}
