//! Where programs keep what nobody named a place for.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A folder of OpenLedger's in the user's data directory (XDG), so that what one program puts there another one finds:
/// `ipfs` for blocks, `keys` for key files. `None` where neither `XDG_DATA_HOME` nor `HOME` is set.
pub fn data_directory(name: &str) -> Option<PathBuf> {
    let set = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    let base = set("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/share")));
    base.map(|base| base.join("openledger").join(name))
}
