//! What makes images and sounds copies of each other.

use super::{files, fixture};
use image::{
    codecs::jpeg::JpegEncoder,
    imageops::{self, FilterType},
    DynamicImage, ImageFormat, Rgba, RgbaImage,
};
use openledger_documents::{measure::Refusal, Likeness, MeasureError, MediaType};
use std::io::Cursor;

fn likeness(media_type: MediaType, bytes: &[u8]) -> Likeness {
    Likeness::of(media_type, bytes).unwrap_or_else(|error| panic!("{error}")).expect("it has one")
}

fn png(image: &RgbaImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image.clone()).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn of_image(image: &RgbaImage) -> Likeness {
    likeness(MediaType::Png, &png(image))
}

/// A picture of soft shapes, another one for each seed.
fn picture(seed: u32) -> RgbaImage {
    let waves: Vec<[f32; 4]> = files::noise(seed)
        .skip(8)
        .map(|number| number as f32 / u32::MAX as f32)
        .take(40)
        .collect::<Vec<_>>()
        .chunks_exact(4)
        .map(|four| [four[0] * 12.0 - 6.0, four[1] * 12.0 - 6.0, four[2] * 6.3, four[3]])
        .collect();
    RgbaImage::from_fn(480, 320, |x, y| {
        let (x, y) = (x as f32 / 480.0, y as f32 / 320.0);
        let level = |shift: f32| {
            let sum: f32 = waves
                .iter()
                .map(|[a, b, c, d]| d * (a * x * 3.0 + b * y * 3.0 + c + shift).sin())
                .sum();
            (128.0 + 40.0 * sum).clamp(0.0, 255.0) as u8
        };
        Rgba([level(0.0), level(0.5), level(1.0), 255])
    })
}

/// A page of words as black bars, other ones for each seed.
fn page(seed: u32) -> RgbaImage {
    let mut image = RgbaImage::from_pixel(480, 640, Rgba([255; 4]));
    let mut numbers = files::noise(seed).skip(8);
    for line in 0..40 {
        let mut x = 40;
        while x < 430 {
            let word = 8 + numbers.next().unwrap() % 40;
            for y in 40 + line * 14..48 + line * 14 {
                for x in x..(x + word).min(440) {
                    image.put_pixel(x, y, Rgba([0, 0, 0, 255]));
                }
            }
            x += word + 6;
        }
    }
    image
}

#[test]
fn an_image_in_another_size_format_or_quality_is_like_itself() {
    for seed in 1..6 {
        let image = picture(seed);
        let own = of_image(&image);
        let rgb = DynamicImage::from(image.clone()).to_rgb8();
        let mut jpeg = Vec::new();
        rgb.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 40)).unwrap();
        let small = imageops::resize(&image, 211, 140, FilterType::Triangle);
        let dark = RgbaImage::from_fn(480, 320, |x, y| {
            let Rgba([r, g, b, a]) = *image.get_pixel(x, y);
            Rgba([r / 10 * 8, g / 10 * 8, b / 10 * 8, a])
        });
        let found = [likeness(MediaType::Jpg, &jpeg), of_image(&small), of_image(&dark)]
            .map(|other| own.alike(&other));
        assert!(found.iter().all(|alike| *alike >= 0.95), "{seed}: {found:?}");
        assert_eq!(own.alike(&own), 1.0);
    }
}

#[test]
fn other_images_are_not_alike_even_pages_of_one_book() {
    for (kind, most) in [(picture as fn(u32) -> RgbaImage, 0.8), (page, 0.9)] {
        let all: Vec<_> = (1..12).map(|seed| of_image(&kind(seed))).collect();
        for (place, one) in all.iter().enumerate() {
            for other in &all[place + 1..] {
                assert!(one.alike(other) < most, "{}", one.alike(other));
            }
        }
    }
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
    let nothing = Likeness::Image([0xff; 32]);
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
