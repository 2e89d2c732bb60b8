//! Images that any person sees to be copies, and images that are alike by their kind.

use super::{
    files,
    likeness::{likeness, of_image},
};
use image::{
    codecs::jpeg::JpegEncoder,
    imageops::{self, FilterType},
    DynamicImage, Rgba, RgbaImage,
};
use openledger_documents::{Likeness, MediaType};

/// From which likeness on an image is a copy where a policy does not say.
const COPY: f64 = 0.9;
const KEY: u64 = 3;
const INK: Rgba<u8> = Rgba([20, 20, 20, 255]);
const WHITE: Rgba<u8> = Rgba([255; 4]);

fn numbers(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut noise = files::noise(seed).skip(8);
    move |below| noise.next().unwrap() % below
}

/// Soft shapes in colour.
fn soft(seed: u32) -> RgbaImage {
    let mut number = numbers(seed);
    let mut part = || number(10_000) as f32 / 10_000.0;
    let waves: Vec<[f32; 4]> =
        (0..14).map(|_| [part() * 14.0 - 7.0, part() * 14.0 - 7.0, part() * 6.3, part()]).collect();
    RgbaImage::from_fn(480, 320, |x, y| {
        let (x, y) = (x as f32 / 160.0, y as f32 / 160.0);
        let level = |shift: f32| {
            let sum: f32 =
                waves.iter().map(|[a, b, c, d]| d * (a * x + b * y + c + shift).sin()).sum();
            (128.0 + 34.0 * sum).clamp(0.0, 255.0) as u8
        };
        Rgba([level(0.0), level(0.5), level(1.0), 255])
    })
}

/// Houses before a sky, with grain.
fn houses(seed: u32) -> RgbaImage {
    let mut number = numbers(seed);
    let mut image = RgbaImage::from_fn(480, 320, |_, y| {
        if y < 170 {
            Rgba([150, 190, 230 - (y / 4) as u8, 255])
        } else {
            Rgba([50, 90 - (y / 8) as u8, 40, 255])
        }
    });
    for _ in 0..24 {
        let (left, bottom, side) = (number(440), 150 + number(150), 18 + number(45));
        let colour = Rgba([number(200) as u8, number(200) as u8, number(200) as u8, 255]);
        let roof = Rgba([number(120) as u8, number(90) as u8, number(90) as u8, 255]);
        for y in bottom.saturating_sub(2 * side)..bottom {
            let into = y + 2 * side - bottom;
            let inset = side.saturating_sub(into) / 2;
            for x in left + inset..left + side - inset {
                let on = if into < side { roof } else { colour };
                if x < 480 && y < 320 {
                    image.put_pixel(x, y, on);
                }
            }
        }
    }
    for pixel in image.pixels_mut() {
        let grain = number(17) as u8;
        for channel in 0..3 {
            pixel.0[channel] = pixel.0[channel].saturating_add(grain).saturating_sub(8);
        }
    }
    image
}

/// Words of strokes: letters that nobody knows.
fn write(image: &mut RgbaImage, seed: u32, at: (u32, u32), size: u32, count: u32, ink: Rgba<u8>) {
    let mut number = numbers(seed);
    let stroke = (size / 7).max(1);
    for letter in 0..count {
        let left = at.0 + letter * size * 3 / 4;
        let parts = number(1 << 7) | 1 << number(7);
        let half = size / 2;
        // Of the seven parts of a figure eight.
        for (part, (x, y, width, height)) in [
            (0, 0, half, stroke),
            (0, half, half, stroke),
            (0, size - stroke, half, stroke),
            (0, 0, stroke, half),
            (half, 0, stroke, half),
            (0, half, stroke, half),
            (half, half, stroke, half),
        ]
        .into_iter()
        .enumerate()
        {
            if parts & (1 << part) == 0 || number(9) == 0 {
                continue;
            }
            for y in at.1 + y..at.1 + y + height {
                for x in left + x..left + x + width {
                    if x < image.width() && y < image.height() {
                        image.put_pixel(x, y, ink);
                    }
                }
            }
        }
    }
}

fn page(seed: u32) -> RgbaImage {
    let mut image = RgbaImage::from_pixel(480, 640, WHITE);
    let mut number = numbers(seed);
    for line in 0..40 {
        let mut x = 40;
        while x < 420 {
            let letters = 2 + number(8);
            write(
                &mut image,
                number(1 << 30),
                (x, 40 + line * 14),
                8,
                letters.min((440 - x) / 6),
                INK,
            );
            x += letters * 6 + 8;
        }
    }
    image
}

fn form(seed: u32) -> RgbaImage {
    let mut image = RgbaImage::from_pixel(480, 640, WHITE);
    write(&mut image, 77, (60, 24), 24, 20, INK);
    for field in 0..6 {
        let top = 90 + field * 90;
        write(&mut image, 100 + field, (50, top), 14, 8, INK);
        for x in 50..430 {
            for y in [top + 20, top + 21, top + 60, top + 61] {
                image.put_pixel(x, y, INK);
            }
        }
        write(&mut image, seed * 100 + field, (60, top + 30), 18, 22, INK);
    }
    image
}

/// A coin: what is on it differs, the rest is the same.
fn coin(seed: u32) -> RgbaImage {
    let mut number = numbers(seed + 50);
    let mut image = RgbaImage::from_fn(400, 400, |x, y| {
        let (dx, dy) = (x as f32 - 200.0, y as f32 - 200.0);
        let away = (dx * dx + dy * dy).sqrt();
        let light = 1.1 - (dx + dy) / 900.0;
        let level = if away > 170.0 {
            14.0
        } else if (152.0..160.0).contains(&away) {
            110.0 * light
        } else {
            180.0 * light
        };
        Rgba([level as u8, (level * 0.85) as u8, (level * 0.45) as u8, 255])
    });
    let dark = Rgba([110, 85, 30, 255]);
    write(&mut image, seed * 7 + 1, (150, 110), 80, 2, dark);
    write(&mut image, seed * 7 + 2, (110, 220), 36, 7, dark);
    write(&mut image, seed * 7 + 3, (150, 275), 26, 5, dark);
    for pixel in image.pixels_mut() {
        let grain = number(13) as u8;
        for channel in 0..3 {
            pixel.0[channel] = pixel.0[channel].saturating_add(grain).saturating_sub(6);
        }
    }
    image
}

/// A texture that is lit in the middle.
fn lit(seed: u32) -> RgbaImage {
    let texture = imageops::resize(&soft(seed), 400, 400, FilterType::Triangle);
    RgbaImage::from_fn(400, 400, |x, y| {
        let (dx, dy) = (x as f32 / 200.0 - 1.0, y as f32 / 200.0 - 1.0);
        let light = 170.0 * (1.0 - dx * dx - dy * dy).max(0.0);
        let level = |level: u8| (f32::from(level) * 0.33 + light).min(255.0) as u8;
        let Rgba([r, g, b, _]) = *texture.get_pixel(x, y);
        Rgba([level(r), level(g), level(b), 255])
    })
}

fn chart(seed: u32) -> RgbaImage {
    let mut image = RgbaImage::from_pixel(480, 320, WHITE);
    let mut number = numbers(seed);
    for at in 0..400 {
        image.put_pixel(60 + at, 280, INK);
        image.put_pixel(60, 20 + at * 260 / 400, INK);
    }
    for year in 0..8 {
        write(&mut image, 500 + year, (70 + year * 48, 290), 10, 4, INK);
        let height = 20 + number(220);
        for x in 70 + year * 48..100 + year * 48 {
            for y in 280 - height..280 {
                image.put_pixel(x, y, Rgba([60, 90, 180, 255]));
            }
        }
    }
    image
}

fn framed(image: &RgbaImage, width: u32, colour: Rgba<u8>) -> RgbaImage {
    let (w, h) = image.dimensions();
    let mut out = RgbaImage::from_pixel(w + 2 * width, h + 2 * width, colour);
    imageops::overlay(&mut out, image, width.into(), width.into());
    out
}

fn cut(image: &RgbaImage, percent: u32) -> RgbaImage {
    let (w, h) = image.dimensions();
    let (x, y) = (w * percent / 100, h * percent / 100);
    imageops::crop_imm(image, x, y, w - 2 * x, h - 2 * y).to_image()
}

fn turned(image: &RgbaImage, degrees: f32) -> RgbaImage {
    let (w, h) = image.dimensions();
    let (sin, cos) = degrees.to_radians().sin_cos();
    RgbaImage::from_fn(w, h, |x, y| {
        let (dx, dy) = (x as f32 - w as f32 / 2.0, y as f32 - h as f32 / 2.0);
        let (x, y) = (cos * dx - sin * dy + w as f32 / 2.0, sin * dx + cos * dy + h as f32 / 2.0);
        let inside = (0.0..w as f32 - 1.0).contains(&x) && (0.0..h as f32 - 1.0).contains(&y);
        if inside {
            *image.get_pixel(x.round() as u32, y.round() as u32)
        } else {
            WHITE
        }
    })
}

fn captioned(image: &RgbaImage) -> RgbaImage {
    let (w, h) = image.dimensions();
    let mut out = RgbaImage::from_pixel(w, h + 36, WHITE);
    imageops::overlay(&mut out, image, 0, 0);
    write(&mut out, 9, (12, h + 8), 18, 24, INK);
    out
}

fn with_a_line(image: &RgbaImage, ink: Rgba<u8>) -> RgbaImage {
    let mut out = image.clone();
    let (w, h) = image.dimensions();
    write(&mut out, 21, (w / 6, h / 2), h / 12, 14, ink);
    out
}

fn jpeg(image: &RgbaImage, quality: u8, grey: bool) -> Likeness {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let image = DynamicImage::from(image.clone());
    match grey {
        true => image.to_luma8().write_with_encoder(encoder).unwrap(),
        false => image.to_rgb8().write_with_encoder(encoder).unwrap(),
    }
    likeness(MediaType::Jpg, &bytes)
}

fn darker(image: &RgbaImage) -> RgbaImage {
    let mut out = image.clone();
    out.pixels_mut().for_each(|pixel| {
        (0..3).for_each(|channel| pixel.0[channel] = (u16::from(pixel.0[channel]) * 7 / 10) as u8);
    });
    out
}

#[test]
fn what_a_person_sees_to_be_a_copy_is_one() {
    let mut missed = Vec::new();
    for (kind, image) in
        [("soft", soft(1)), ("houses", houses(2)), ("page", page(3)), ("coin", coin(4))]
    {
        let (own, traces) = (of_image(&image), of_image(&image).traces(KEY));
        let (w, h) = image.dimensions();
        let copies = [
            ("itself", of_image(&image)),
            (
                "smaller",
                of_image(&imageops::resize(&image, w * 3 / 5, h * 3 / 5, FilterType::Triangle)),
            ),
            ("JPEG", jpeg(&image, 50, false)),
            ("JPEG in grey", jpeg(&image, 60, true)),
            ("darker", of_image(&darker(&image))),
            ("squeezed", of_image(&imageops::resize(&image, w, h * 9 / 10, FilterType::Triangle))),
            ("framed by 2 %", of_image(&framed(&image, w / 50, WHITE))),
            ("framed by 5 %", of_image(&framed(&image, w / 20, Rgba([30, 60, 90, 255])))),
            ("cut by 2 %", of_image(&cut(&image, 2))),
            ("cut by 5 %", of_image(&cut(&image, 5))),
            ("mirrored", of_image(&imageops::flip_horizontal(&image))),
            ("turned by 1 degree", of_image(&turned(&image, 1.0))),
            ("turned by 2 degrees", of_image(&turned(&image, -2.0))),
            ("a caption below", of_image(&captioned(&image))),
            ("a line of text", of_image(&with_a_line(&image, WHITE))),
            ("a dark line of text", of_image(&with_a_line(&image, INK))),
        ];
        for (name, copy) in copies {
            let (alike, found) = (copy.alike(&own), copy.sieve(KEY).promise(&traces));
            println!("{kind:8} {name:24} {alike:.3} {found:?}");
            if alike < COPY || found.is_none() {
                missed.push(format!("{kind} {name}: {alike:.3}, {found:?}"));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_is_alike_by_its_kind_is_no_copy() {
    let mut wrong = Vec::new();
    type Make = fn(u32) -> RgbaImage;
    let kinds: [(&str, Make); 7] = [
        ("soft", soft),
        ("houses", houses),
        ("page", page),
        ("form", form),
        ("coin", coin),
        ("lit in the middle", lit),
        ("chart", chart),
    ];
    for (kind, make) in kinds {
        let all: Vec<_> = (1..5).map(|seed| of_image(&make(seed))).collect();
        let mut most: f64 = 0.0;
        for (at, one) in all.iter().enumerate() {
            for other in &all[..at] {
                most = most.max(one.alike(other));
            }
        }
        println!("{kind:20} {most:.3}");
        if most >= COPY - 0.04 {
            wrong.push(format!("{kind}: {most:.3}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
