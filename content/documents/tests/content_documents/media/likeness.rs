//! What makes sounds copies of each other, and images of little.

use super::{files, fixture};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use openledger_documents::{measure::Refusal, Likeness, MeasureError, MediaType};
use std::io::Cursor;

pub(super) fn likeness(media_type: MediaType, bytes: &[u8]) -> Likeness {
    Likeness::of(media_type, bytes).unwrap_or_else(|error| panic!("{error}")).expect("it has one")
}

pub(super) fn png(image: &RgbaImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image.clone()).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub(super) fn of_image(image: &RgbaImage) -> Likeness {
    likeness(MediaType::Png, &png(image))
}

#[test]
fn drawings_with_little_on_them_are_compared_by_what_is_on_them() {
    let drawing = |at: u32| {
        let ink = move |x: u32, y: u32| x.abs_diff(at) < 24 && y.abs_diff(at / 2) < 24;
        let level = move |x, y| if ink(x, y) { [0, 0, 0, 255] } else { [255; 4] };
        RgbaImage::from_fn(480, 320, move |x, y| Rgba(level(x, y)))
    };
    let own = of_image(&drawing(120));
    assert_eq!(own.alike(&of_image(&drawing(120))), 1.0);
    assert!(own.alike(&of_image(&drawing(300))) < 0.5);
    let nothing = of_image(&RgbaImage::from_pixel(480, 320, Rgba([255; 4])));
    assert_eq!(nothing.alike(&nothing), 0.0, "nothing to compare");
}

#[test]
fn a_sound_in_another_container_is_the_same_and_with_another_sample_is_not() {
    let samples: Vec<i16> = files::noise(3).take(20_000).map(|number| number as i16).collect();
    let plain = files::wav(16_000, 1, &samples);
    // A chunk that says nothing of the sound, before its data.
    let mut tagged = plain.clone();
    tagged.splice(36..36, *b"LIST\x04\0\0\0INFO");
    tagged[4..8].copy_from_slice(&(plain.len() as u32 + 4).to_le_bytes());
    let mut other = samples.clone();
    other[10_000] ^= 1;
    let own = likeness(MediaType::Wav, &plain);
    assert_eq!(own.alike(&likeness(MediaType::Wav, &tagged)), 1.0);
    assert_eq!(own.alike(&likeness(MediaType::Wav, &files::wav(16_000, 1, &other))), 0.0);
    assert_eq!(own.alike(&likeness(MediaType::Wav, &files::wav(8_000, 1, &samples))), 0.0);
    for name in ["mono.flac", "constant.mp3", "a-law.wav"] {
        let (media_type, bytes) = fixture(name);
        let own = likeness(media_type, &bytes);
        assert_eq!(own, likeness(media_type, &bytes), "{name}");
    }
}

#[test]
fn what_cannot_be_measured_has_no_likeness() {
    let (media_type, bytes) = fixture("rgb.png");
    match Likeness::of(media_type, &bytes[..bytes.len() / 2]) {
        Err(MeasureError::Refused { refusal: Refusal::Truncated, .. }) => {}
        other => panic!("{other:?}"),
    }
}
