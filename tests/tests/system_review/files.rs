//! Some thirty files of three modalities, and what is right to say of each.

use image::{imageops, DynamicImage, ImageFormat, Rgba, RgbaImage};
use std::io::Cursor;

/// What is right to say of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// It belongs there.
    Accept,
    /// For this reason it does not.
    Reject(&'static str),
    /// Nobody can fetch it.
    Unavailable,
    /// Nobody is drawn for it.
    Nobody,
}

/// A file.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) right: Right,
}

/// Files of one call.
pub(crate) struct Call {
    pub(crate) contributor: &'static str,
    /// The Datanet: `text`, `image`, `audio`, or `few`, which has no seats.
    pub(crate) datanet: &'static str,
    pub(crate) files: Vec<File>,
}

/// Numbers that look random, the same on every machine.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        (self.next() >> 16) as usize % most
    }
}

fn words(seed: u64, count: usize) -> Vec<String> {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    const SYLLABLES: [&str; 16] = [
        "ra", "in", "mo", "un", "ta", "ri", "ver", "lo", "sen", "ka", "el", "dor", "mi", "pas",
        "tu", "ne",
    ];
    let word = |numbers: &mut Numbers| -> String {
        (0..2 + numbers.below(3)).map(|_| SYLLABLES[numbers.below(16)]).collect()
    };
    (0..count).map(|_| word(&mut numbers)).collect()
}

fn text(seed: u64) -> String {
    let words = words(seed, 300);
    words.chunks(10).map(|line| line.join(" ") + ".\n").collect()
}

fn picture(seed: u64, width: u32, height: u32) -> RgbaImage {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut number = || (numbers.next() >> 40) as f32 / (1u64 << 24) as f32;
    let waves: Vec<[f32; 4]> = (0..10)
        .map(|_| [number() * 36.0 - 18.0, number() * 36.0 - 18.0, number() * 6.3, number()])
        .collect();
    RgbaImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        let level = |shift: f32| {
            let sum: f32 =
                waves.iter().map(|[a, b, c, d]| d * (a * x + b * y + c + shift).sin()).sum();
            (128.0 + 40.0 * sum).clamp(0.0, 255.0) as u8
        };
        Rgba([level(0.0), level(0.5), level(1.0), 255])
    })
}

fn encoded(image: &RgbaImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::from(image.clone()).to_rgb8();
    image.write_to(&mut bytes, format).expect("an image can be written");
    bytes.into_inner()
}

fn wav(samples: &[i16], between: &[u8]) -> Vec<u8> {
    const RATE: u32 = 16_000;
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + between.len() as u32 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0");
    file.extend(between);
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// Two seconds in which something is heard.
fn sound(seed: u64) -> Vec<i16> {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut last = 0.0_f32;
    (0..32_000)
        .map(|_| {
            let noise = (numbers.next() >> 48) as f32 / 65_536.0 - 0.5;
            last = last * 0.7 + noise * 12_000.0;
            last as i16
        })
        .collect()
}

fn file(name: &str, bytes: impl Into<Vec<u8>>, right: Right) -> File {
    File { name: name.to_owned(), bytes: bytes.into(), right }
}

/// The calls, in the order in which they are submitted.
pub(crate) fn calls() -> Vec<Call> {
    use Right::{Accept, Nobody, Reject, Unavailable};
    let good_text = |seed: u64| file(&format!("good-{seed}.txt"), text(seed), Accept);
    let good_image = |seed: u64| {
        let bytes = encoded(&picture(seed, 120, 90), ImageFormat::Png);
        file(&format!("good-{seed}.png"), bytes, Accept)
    };
    let good_sound = |seed: u64| file(&format!("good-{seed}.wav"), wav(&sound(seed), b""), Accept);
    let mut edited = words(1, 300);
    edited[150] = "changed".to_owned();
    let smaller = imageops::resize(&picture(20, 120, 90), 90, 68, imageops::FilterType::Triangle);
    let blank = RgbaImage::from_pixel(120, 90, Rgba([240, 240, 230, 255]));
    let tag = b"LIST\x0a\0\0\0INFOsame \0";
    vec![
        Call {
            contributor: "Charlie",
            datanet: "text",
            files: vec![
                good_text(1),
                good_text(2),
                good_text(3),
                good_text(4),
                file("no-text.txt", *b"\xff\xfe\x00 no text \xff", Reject("wrong-format")),
                file("small.txt", "Too little.", Reject("too-small")),
            ],
        },
        Call {
            contributor: "Dave",
            datanet: "text",
            files: vec![
                file("edited.txt", edited.join(" "), Reject("duplicate")),
                file("copied.md", text(2).replace(".\n", ".\n\n"), Reject("duplicate")),
                good_text(5),
                good_text(6),
            ],
        },
        Call {
            contributor: "Charlie",
            datanet: "image",
            files: vec![
                good_image(20),
                good_image(21),
                good_image(22),
                file("blank.png", encoded(&blank, ImageFormat::Png), Reject("too-small")),
                file("no-image.png", *b"\x89PNG\r\n\x1a\n and nothing", Reject("wrong-format")),
            ],
        },
        Call {
            contributor: "Dave",
            datanet: "image",
            files: vec![
                file("smaller.png", encoded(&smaller, ImageFormat::Png), Reject("duplicate")),
                file(
                    "other-format.bmp",
                    encoded(&picture(21, 120, 90), ImageFormat::Bmp),
                    Reject("duplicate"),
                ),
                good_image(23),
                good_image(24),
            ],
        },
        Call {
            contributor: "Charlie",
            datanet: "audio",
            files: vec![
                good_sound(30),
                good_sound(31),
                good_sound(32),
                good_sound(35),
                file("silence.wav", wav(&[0; 32_000], b""), Reject("too-small")),
            ],
        },
        Call {
            contributor: "Dave",
            datanet: "audio",
            files: vec![
                file("tagged.wav", wav(&sound(30), tag), Reject("duplicate")),
                good_sound(33),
                file("no-sound.flac", *b"fLaC and nothing", Reject("wrong-format")),
                good_sound(34),
            ],
        },
        Call {
            contributor: "Eve",
            datanet: "text",
            files: vec![file("offline.txt", text(7), Unavailable)],
        },
        // What nobody has holds back what comes right after it, until its own committee says so.
        Call { contributor: "Charlie", datanet: "text", files: vec![good_text(9)] },
        Call {
            contributor: "Dave",
            datanet: "few",
            files: vec![file("unjudged.txt", text(8), Nobody)],
        },
    ]
}
