//! Images and sound: what counts, what is refused, and what holds the decoder.

#[path = "media/confined.rs"]
mod confined;
#[path = "media/files.rs"]
mod files;
#[path = "media/hostile.rs"]
mod hostile;
#[path = "media/likeness.rs"]
mod likeness;
#[path = "media/near_images.rs"]
mod near_images;
#[path = "media/rules.rs"]
mod rules;

use openledger_documents::{
    measure::Refusal, measurement, Hidden, MeasureError, Measurement, MediaType,
};

/// Measures a file that must be accepted.
fn accepted(media_type: MediaType, bytes: &[u8]) -> Measurement {
    measurement(media_type, bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// Measures a file that must be refused for this reason; answers what a person is told.
fn refused(media_type: MediaType, bytes: &[u8], why: Refusal) -> String {
    match measurement(media_type, bytes) {
        Err(error @ MeasureError::Refused { refusal, .. }) => {
            let words = error.to_string();
            assert_eq!(refusal, why, "{words}");
            assert!(error.is_refusal());
            words
        }
        other => panic!("{media_type:?} should be refused as {why:?}, not {other:?}"),
    }
}

fn left_out(measurement: &Measurement, why: Hidden) -> u64 {
    measurement.left_out.iter().find(|(other, _)| *other == why).map_or(0, |(_, units)| units)
}

/// Units, then what is flat, silent, seen or heard before.
fn counts(measurement: &Measurement) -> [u64; 4] {
    let out = |why| left_out(measurement, why);
    [measurement.measured.units, out(Hidden::Flat), out(Hidden::Silent), out(Hidden::Again)]
}

/// A file of the folder `media`, and its format.
fn fixture(name: &str) -> (MediaType, Vec<u8>) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/content_documents/media/samples/");
    let extension = name.rsplit('.').next().expect("an extension");
    let media_type = MediaType::from_extension(extension).expect("a format");
    (media_type, std::fs::read(format!("{folder}{name}")).expect(name))
}
