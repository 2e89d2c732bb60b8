//! Documents read and images drawn in the confined process, for programs that strangers give files to.

use super::fixture;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use openledger_documents::{
    measure::Refusal, read, sandbox, Hidden, MeasureError, MediaType, Reading,
};
use std::io::Cursor;

fn encoded(image: &RgbaImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image.clone()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn drawn(media_type: MediaType, bytes: &[u8]) -> (RgbaImage, u32) {
    let picture = sandbox::picture(media_type, bytes).unwrap_or_else(|error| panic!("{error}"));
    let png = image::load_from_memory_with_format(&picture.png, ImageFormat::Png).unwrap();
    (png.to_rgba8(), picture.scale)
}

#[test]
fn a_document_is_read_as_in_this_process() {
    let long = "Regen fällt. \u{200b}雨 ".repeat(200_000);
    for (media_type, bytes) in [
        (MediaType::Txt, b"Rain\r\nfell.".to_vec()),
        (MediaType::Txt, long.into_bytes()),
        (
            MediaType::Md,
            b"# Rain\n\nIt <!-- not --> fell, *all* day long and into the night.\n".to_vec(),
        ),
    ] {
        let expected: Reading = read(media_type, &bytes).unwrap();
        let (reading, _) = sandbox::text(media_type, &bytes).unwrap();
        assert!(reading == expected);
    }
    let (reading, _) =
        sandbox::text(MediaType::Md, b"It <!-- not --> fell, all day long, into the night.\n")
            .unwrap();
    assert!(reading.left_out.iter().any(|(why, _)| why == Hidden::Markup));
}

#[test]
fn a_document_without_text_is_refused_in_the_words_of_its_reader() {
    for (media_type, bytes) in [
        (MediaType::Txt, b"\xff\xfe".as_slice()),
        (MediaType::Pdf, b"%PDF-1.7 and nothing"),
        (MediaType::Docx, b"PK\x03\x04"),
        (MediaType::Png, b"no document at all"),
    ] {
        let expected = read(media_type, bytes).unwrap_err().to_string();
        match sandbox::text(media_type, bytes) {
            Err(error @ MeasureError::Read(_)) => {
                assert_eq!(error.to_string(), expected);
                assert!(error.is_refusal());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn formats_that_browsers_do_not_show_are_drawn_pixel_by_pixel() {
    let image =
        RgbaImage::from_fn(61, 47, |x, y| Rgba([(x * 4) as u8, (y * 5) as u8, (x ^ y) as u8, 255]));
    for (media_type, format) in [
        (MediaType::Tiff, ImageFormat::Tiff),
        (MediaType::Bmp, ImageFormat::Bmp),
        (MediaType::Png, ImageFormat::Png),
        (MediaType::Webp, ImageFormat::WebP),
    ] {
        let (picture, scale) = drawn(media_type, &encoded(&image, format));
        assert_eq!(scale, 1);
        assert!(picture == image, "{media_type:?}");
    }
    // What is transparent stays so.
    let image = RgbaImage::from_pixel(16, 16, Rgba([200, 100, 0, 128]));
    let (picture, _) = drawn(MediaType::Png, &encoded(&image, ImageFormat::Png));
    for (found, given) in picture.get_pixel(3, 3).0.into_iter().zip([200, 100, 0, 128]) {
        assert!(u8::abs_diff(found, given) <= 1, "{:?}", picture.get_pixel(3, 3));
    }
}

#[test]
fn a_large_image_is_made_smaller() {
    let image = RgbaImage::from_fn(4_001, 2_500, |x, _| Rgba([(x % 256) as u8, 9, 9, 255]));
    let (picture, scale) = drawn(MediaType::Png, &encoded(&image, ImageFormat::Png));
    assert_eq!((picture.width(), picture.height(), scale), (2_001, 1_250, 2));
    assert_eq!(picture.get_pixel(1, 0).0, [3, 9, 9, 255]);
}

#[test]
fn an_image_that_is_none_is_refused_for_its_reason() {
    let (media_type, bytes) = fixture("rgb.png");
    let cut = &bytes[..bytes.len() / 2];
    match sandbox::picture(media_type, cut) {
        Err(MeasureError::Refused { refusal, .. }) => {
            assert!(matches!(refusal, Refusal::Truncated | Refusal::Damaged), "{refusal:?}");
        }
        other => panic!("{:?}", other.map(|picture| picture.scale)),
    }
    match sandbox::picture(MediaType::Txt, b"text") {
        Err(MeasureError::Refused { refusal: Refusal::Unsupported, .. }) => {}
        other => panic!("{:?}", other.map(|picture| picture.scale)),
    }
}
