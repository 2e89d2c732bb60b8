//! Programs that are older than their sources are not tested.

use openledger_tests::{fresh::newer_source, Binaries};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// A workspace of a library, a program on it, and another program; all built an hour ago.
fn workspace(folder: &Path) -> PathBuf {
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        fs::write(&path, text).expect("the file can be written");
        age(&path, 7_200);
    };
    write(
        "Cargo.toml",
        "[workspace]\nmembers = [\n    \"lib\",\n    \"tool\",\n    \"other\",\n]\n",
    );
    write("lib/Cargo.toml", "[package]\nname = \"our-lib\"\n");
    write("lib/src/lib.rs", "");
    write("lib/src/unused.rs", "");
    write(
        "tool/Cargo.toml",
        "[package]\nname = \"our-tool\"\n[[bin]]\nname = \"tool\"\n[dependencies]\n\
         our-lib = { workspace = true }\n[dev-dependencies]\nother = \"1\"\n",
    );
    write("tool/src/main file.rs", "");
    write("other/Cargo.toml", "[package]\nname = \"other\"\n");
    write("other/src/main.rs", "");
    write(
        "target/deps/our_lib-0123456789abcdef.d",
        "/x/y.rlib: lib/src/lib.rs\n\nlib/src/lib.rs:\n",
    );
    write("target/deps/tool-0123456789abcdef.d", "/x/tool: a\n\ntool/src/main\\ file.rs:\n");
    write("target/deps/other-0123456789abcdef.d", "/x/other: a\n\nother/src/main.rs:\n");
    for program in ["target/tool", "target/other"] {
        write(program, "");
        age(&folder.join(program), 3_600);
    }
    folder.join("target/tool")
}

/// Makes a file as old as that, in seconds.
fn age(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).expect("it is there");
    let then = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(then).expect("its time can be set");
}

#[test]
fn a_program_older_than_one_of_its_sources_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = workspace(folder.path());
    assert_eq!(newer_source(folder.path(), &program), None);
    for source in ["lib/src/lib.rs", "tool/src/main file.rs"] {
        let source = folder.path().join(source);
        age(&source, 60);
        assert_eq!(newer_source(folder.path(), &program), Some(source.clone()));
        age(&source, 7_200);
    }
}

#[test]
fn what_a_program_is_not_built_from_does_not_make_it_old() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = workspace(folder.path());
    // A file that no crate includes, another program, a dependency of tests only.
    for source in ["lib/src/unused.rs", "other/src/main.rs", "other/Cargo.toml"] {
        age(&folder.path().join(source), 60);
    }
    assert_eq!(newer_source(folder.path(), &program), None);
    assert!(newer_source(folder.path(), &folder.path().join("target/other")).is_some());
    // A program that was installed somewhere has no sources that anyone knows.
    let installed = folder.path().join("installed");
    fs::create_dir(&installed).expect("a folder");
    let installed = installed.join("tool");
    fs::copy(&program, &installed).expect("it can be copied");
    age(&installed, 9_000);
    assert_eq!(newer_source(folder.path(), &installed), None);
}

/// The real ones: each is known, and an old one is refused with the command that builds it.
#[test]
fn a_real_program_that_is_old_is_refused_with_the_command_that_builds_it() {
    let binaries = super::binaries();
    let folder = tempfile::tempdir().expect("a folder");
    for program in
        [&binaries.node, &binaries.cli, &binaries.decode, &binaries.ipfs, &binaries.worker]
    {
        // The same bytes from before every source, with the compiler's files beside them.
        let old = folder.path().join(program.file_name().expect("a name"));
        fs::write(&old, "").expect("it can be written");
        age(&old, 40 * 365 * 24 * 3_600);
    }
    let deps = binaries.node.with_file_name("deps");
    std::os::unix::fs::symlink(deps, folder.path().join("deps")).expect("a link");
    let refused = Binaries::in_directory(folder.path()).expect_err("they are old").to_string();
    assert!(refused.contains("is older than its source"), "{refused}");
    assert!(refused.contains("cargo build --workspace --bin openledger-node"), "{refused}");
}

/// In a shell of one's own, a failed command must not end the session.
#[test]
fn the_library_of_the_scripts_sets_no_shell_options_and_names_the_target_folder_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("a folder");
    let script = "before=$-$SHELLOPTS; . scripts/lib.sh; . scripts/lib.sh; \
                  [ \"$before\" = \"$-$SHELLOPTS\" ] && echo same";
    let ran = std::process::Command::new("bash")
        .args(["--norc", "-c", script])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", "/some/folder")
        .env_remove("OPENLEDGER_SAID")
        .output()
        .expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "same\n");
    assert_eq!(
        String::from_utf8_lossy(&ran.stderr),
        "cargo builds in /some/folder; programs: /some/folder/debug\n"
    );
}
