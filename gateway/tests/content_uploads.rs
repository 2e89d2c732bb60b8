//! Uploads, files and sealed keys through the HTTP door, with a chain that the tests plant.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

mod content_uploads {
    mod admission;
    mod door;
    mod files;
    mod full;
    mod hostile;
    #[path = "../common/http.rs"]
    mod http;
    mod likeness;
    mod published;
    mod sessions;
    mod transfer;
    mod vault;
    mod vectors;
}
