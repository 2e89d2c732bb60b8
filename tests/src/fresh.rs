//! Whether a program is as new as its sources.
//!
//! `cargo test --test system_…` builds the programs of its own package only, so the others may be those of
//! yesterday. What a program was built from is read from cargo: the manifests say which crates of ours it
//! stands on, and the compiler's `deps/NAME-HASH.d` files which sources each of them has.

use crate::{Error, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// This checkout's root.
fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap_or(root)
}

/// Fails if a program was not built, or is older than a source it is built from.
///
/// # Errors
///
/// Names the program, the newest source where there is one, and the command that builds it.
pub fn require(program: &Path) -> Result<()> {
    let problem = if program.is_file() {
        let Some(source) = newer_source(&workspace(), program) else { return Ok(()) };
        format!("{} is older than its source {}", program.display(), source.display())
    } else {
        format!("{} was not built", program.display())
    };
    let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Err(Error::failed(
        &name,
        problem,
        format!(
            "build it with `source scripts/lib.sh; cargo build --workspace --bin {name}` (or all of them with \
             --bins)"
        ),
    ))
}

/// The newest source of a program if it is newer than the program. `None` where nothing is known of its
/// sources: a program that was installed, or one of another workspace.
pub fn newer_source(workspace: &Path, program: &Path) -> Option<PathBuf> {
    let built = modified(program)?;
    let name = program.file_stem()?.to_str()?;
    let packages = packages(workspace);
    let first = packages.values().find(|package| package.programs.iter().any(|one| one == name))?;
    let mut crates = BTreeSet::from([name.replace('-', "_")]);
    let mut waiting = vec![first];
    let mut seen = BTreeSet::new();
    while let Some(package) = waiting.pop() {
        for dependency in package.dependencies.iter().filter(|one| !seen.contains(*one)) {
            if let Some(package) = packages.get(dependency) {
                crates.insert(dependency.replace('-', "_"));
                waiting.push(package);
            }
        }
        seen.extend(package.dependencies.iter().cloned());
    }
    // A package's programs stand on its library.
    if let Some((library, _)) = packages.iter().find(|(_, package)| std::ptr::eq(*package, first)) {
        crates.insert(library.replace('-', "_"));
    }
    let newest = sources(workspace, &program.with_file_name("deps"), &crates)
        .into_iter()
        .filter_map(|source| Some((modified(&source)?, source)))
        .max()?;
    (newest.0 > built).then_some(newest.1)
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// A package of the workspace.
#[derive(Debug, Default)]
struct Package {
    programs: Vec<String>,
    dependencies: Vec<String>,
}

/// Every package by its name. The manifests are our own, so lines are enough.
fn packages(workspace: &Path) -> BTreeMap<String, Package> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let root = read(&workspace.join("Cargo.toml"));
    let members = root
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .skip(1)
        .take_while(|line| !line.starts_with(']'))
        .filter_map(|line| line.split('"').nth(1));
    members
        .filter_map(|member| package(&read(&workspace.join(member).join("Cargo.toml"))))
        .collect()
}

fn package(manifest: &str) -> Option<(String, Package)> {
    let (mut own, mut package, mut section) = (None, Package::default(), "");
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim();
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim().trim_matches('"').to_owned());
        match section {
            "[package]" if key == "name" => own = Some(value),
            "[[bin]]" if key == "name" => package.programs.push(value),
            "[dependencies]" | "[build-dependencies]" => package.dependencies.push(key.to_owned()),
            _ => {}
        }
    }
    let own = own?;
    if package.programs.is_empty() {
        package.programs.push(own.clone());
    }
    Some((own, package))
}

/// The sources of crates, as the compiler listed them: lines `path:` of its dependency files.
fn sources(workspace: &Path, deps: &Path, crates: &BTreeSet<String>) -> BTreeSet<PathBuf> {
    let mut sources = BTreeSet::new();
    for entry in std::fs::read_dir(deps).into_iter().flatten().flatten() {
        let path = entry.path();
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let ours = stem.rsplit_once('-').is_some_and(|(name, _)| crates.contains(name));
        if !ours || path.extension() != Some(OsStr::new("d")) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let listed = text.lines().filter_map(|line| line.strip_suffix(':'));
        // Paths are relative to the workspace; those of other checkouts are not ours to judge.
        sources.extend(
            listed
                .map(|source| source.replace("\\ ", " "))
                .filter(|source| Path::new(source).is_relative())
                .map(|source| workspace.join(source)),
        );
    }
    sources
}
