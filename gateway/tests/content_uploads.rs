//! Uploads through the HTTP door, with a chain that the tests plant.

mod content_uploads {
    mod admission;
    mod door;
    mod sessions;
    mod transfer;
}
