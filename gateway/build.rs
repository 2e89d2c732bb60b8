//! Puts the built web app where the program takes it in. cargo never runs npm: without a build of
//! `web/` the program is built without pages, and says how to get them.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let built =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../web/dist");
    let taken = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("web");
    println!("cargo::rerun-if-changed={}", built.display());
    if taken.exists() {
        fs::remove_dir_all(&taken)?;
    }
    fs::create_dir_all(&taken)?;
    if built.is_dir() {
        copy(&built, &taken)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
