//! What counts, and what does not.

use super::{accepted, counts, files::*, fixture, refused};
use openledger_documents::{
    measure::{Refusal, FLAT_DEVIATION, MAX_MILLISECONDS, MAX_PIXELS},
    MediaType,
};

#[test]
fn every_variant_counts_as_an_independent_decoder_counts_it() {
    let (_, golden) = {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/content_documents/media/samples/");
        ((), std::fs::read_to_string(format!("{folder}golden.txt")).expect("golden.txt"))
    };
    let mut formats = std::collections::BTreeSet::new();
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let (name, numbers) = line.split_once(' ').expect("a name");
        let wanted: Vec<u64> =
            numbers.split(' ').map(|one| one.parse().expect("a number")).collect();
        let (media_type, bytes) = fixture(name);
        let found = accepted(media_type, &bytes);
        assert_eq!(counts(&found).as_slice(), wanted, "{name}");
        assert_eq!(found.measured.text_root, [0; 32], "{name} has no text");
        formats.insert(media_type.extension());
    }
    // Every format of the two modalities is among them.
    let all = MediaType::ALL.into_iter().filter(|one| one.extension().len() > 2);
    for media_type in all {
        if media_type.modality() != openledger_primitives::Modality::Text {
            assert!(
                formats.contains(media_type.extension()),
                "no file of .{}",
                media_type.extension()
            );
        }
    }
}

#[test]
fn a_flat_tile_counts_nothing_and_the_noise_of_a_blank_sheet_makes_it_no_picture() {
    let of = |pixels: &dyn Fn(u32, u32) -> u8| {
        counts(&accepted(MediaType::Png, &gray_png(40, 33, pixels)))
    };
    assert_eq!(of(&|_, _| 90), [0, 40 * 33, 0, 0]);
    // Noise of one level to both sides, and of a blank sheet in a scanner.
    assert_eq!(of(&|x, y| 90 + grain(x, y) % 3), [0, 40 * 33, 0, 0]);
    // Levels that are all as frequent deviate by the root of (n² − 1) / 12.
    assert_eq!(FLAT_DEVIATION, 3);
    assert_eq!(of(&|x, y| 240 + grain(x, y) % 7), [0, 40 * 33, 0, 0]);
    assert_eq!(of(&|x, y| 90 + grain(x, y) % 14)[0], 40 * 33);
    // A letter's edge, and a hairline, are more than noise.
    assert_eq!(of(&|x, _| if x % 16 == 0 { 200 } else { 240 })[1], 0);
    assert_eq!(of(&|x, y| if x % 16 + y % 16 < 4 { 40 } else { 240 })[1], 0);
    // Tiles at the edge count by what is left of them: here the last column of 8 and row of 1.
    let edge = of(&|x, y| if x >= 32 && y >= 32 { grain(x, y) } else { 90 });
    assert_eq!(edge, [8, 40 * 33 - 8, 0, 0]);
}

#[test]
fn a_tile_seen_before_counts_once_whatever_its_period_is() {
    let of = |width, height, pixels: &dyn Fn(u32, u32) -> u8| {
        counts(&accepted(MediaType::Png, &gray_png(width, height, pixels)))
    };
    let (width, height) = (320, 256);
    let all = u64::from(width * height);
    // One texture of the tile's size: one tile counts.
    assert_eq!(of(width, height, &|x, y| grain(x % 16, y % 16)), [256, 0, 0, all - 256]);
    // A checkerboard: the first tile stands for every other, each begins in an earlier one.
    let board = of(width, height, &|x, y| if (x / 3 + y / 3) % 2 == 0 { 0 } else { 255 });
    assert!(board[0] <= 3 * 256, "{board:?}");
    // Periods that do not fit the grid: what counts is about one period, each way, and its seams.
    let odd = of(width, height, &|x, y| grain(x % 101, y % 67));
    assert!(odd[0] <= (101 + 32) * (67 + 32), "{odd:?}");
    assert_eq!(odd[0] + odd[3], all);
    // Grain without a period counts whole, in a picture narrower than a tile too.
    assert_eq!(of(width, height, &grain), [all, 0, 0, 0]);
    assert_eq!(of(5, 640, &grain), [5 * 640, 0, 0, 0]);
    let narrow = of(5, 640, &|x, y| grain(x, y % 20));
    assert!(narrow[0] <= 5 * 48, "{narrow:?}");
}

#[test]
fn transparent_pixels_are_flat_whatever_colour_they_have() {
    let of = |alpha: u8| {
        let rows: Vec<u8> =
            (0..32_u32)
                .flat_map(|y| {
                    std::iter::once(0).chain((0..32).flat_map(move |x| {
                        [grain(x, y), grain(x + 50, y), grain(x, y + 50), alpha]
                    }))
                })
                .collect();
        counts(&accepted(MediaType::Png, &png(32, 32, 8, 6, &stored(&rows))))
    };
    assert_eq!(of(0), [0, 1_024, 0, 0]);
    assert_eq!(of(3), [0, 1_024, 0, 0]);
    assert_eq!(of(255), [1_024, 0, 0, 0]);
}

#[test]
fn an_image_over_the_cap_is_refused_and_one_at_it_is_measured() {
    // 8,000 × 5,000 are the cap: a blank one earns nothing.
    let (width, height) = (8_000_u32, 5_000_u32);
    assert_eq!(u64::from(width) * u64::from(height), MAX_PIXELS);
    let blank = |width: u32, height: u32| {
        let bytes = (width as usize + 1) * height as usize;
        png(width, height, 8, 0, &zeros(bytes))
    };
    let found = accepted(MediaType::Png, &blank(width, height));
    assert_eq!(counts(&found), [0, MAX_PIXELS, 0, 0]);
    let words = refused(MediaType::Png, &blank(width, height + 1), Refusal::TooLarge);
    assert!(words.contains("40008000") && words.contains("40000000"), "{words}");
    assert!(words.contains("make it smaller"), "{words}");
}

#[test]
fn silence_counts_nothing_whatever_its_offset_and_a_sound_in_one_channel_counts() {
    let of = |channels, samples: &[i16]| {
        counts(&accepted(MediaType::Wav, &wav(8_000, channels, samples)))
    };
    assert_eq!(of(1, &[0; 8_000]), [0, 0, 1_000, 0]);
    assert_eq!(of(1, &[12_345; 8_000]), [0, 0, 1_000, 0]);
    // Noise of one level, and of thirty: its root mean square is under 32.8 of 32,768.
    assert_eq!(of(1, &hiss(8_000, 1, 1)), [0, 0, 1_000, 0]);
    assert_eq!(of(1, &hiss(8_000, 30, 1)), [0, 0, 1_000, 0]);
    assert_eq!(of(1, &hiss(8_000, 300, 1)), [1_000, 0, 0, 0]);
    let mut halves = hiss(4_000, 9_000, 2);
    halves.resize(8_000, 0);
    assert_eq!(of(1, &halves), [500, 0, 500, 0]);
    let one_channel: Vec<i16> = hiss(8_000, 9_000, 3).iter().flat_map(|s| [0, *s]).collect();
    assert_eq!(of(2, &one_channel), [1_000, 0, 0, 0]);
}

/// A second of a sine, of this share of full scale.
fn tone(rate: u32, hertz: f64, share: f64) -> Vec<i16> {
    let step = 2.0 * std::f64::consts::PI * hertz / f64::from(rate);
    (0..rate).map(|n| ((f64::from(n) * step).sin() * share * 32_767.0) as i16).collect()
}

fn with(one: &[i16], other: &[i16]) -> Vec<i16> {
    one.iter().zip(other).map(|(one, other)| one + other).collect()
}

#[test]
fn what_is_only_lower_or_higher_than_people_hear_is_silence() {
    let silent = |rate: u32, samples: &[i16]| {
        let found = counts(&accepted(MediaType::Wav, &wav(rate, 1, samples)));
        assert_eq!(found[0] + found[2] + found[3], 1_000, "{rate}: {found:?}");
        found[2]
    };
    for (rate, hertz) in [
        (8_000, 3.0),
        (8_000, 11.0),
        (44_100, 15.0),
        (192_000, 7.0),
        (44_100, 18_000.0),
        (44_100, 21_000.0),
        (48_000, 17_500.0),
        (48_000, 20_000.0),
        (48_000, 23_900.0),
        (96_000, 30_000.0),
        (96_000, 47_000.0),
        (192_000, 40_000.0),
        (192_000, 70_000.0),
    ] {
        assert_eq!(silent(rate, &tone(rate, hertz, 0.9)), 1_000, "{hertz} Hz at {rate}");
    }
    for (rate, hertz) in [
        (8_000, 41.3),
        (8_000, 440.7),
        (8_000, 3_901.3),
        (44_100, 61.7),
        (44_100, 12_000.3),
        (48_000, 15_000.7),
        (96_000, 14_000.7),
        (192_000, 14_000.7),
    ] {
        assert_eq!(silent(rate, &tone(rate, hertz, 0.9)), 0, "{hertz} Hz at {rate}");
    }
    // Noise of all frequencies, and birds behind the rumble of wind or the whistle of a machine.
    for rate in [44_100, 96_000, 192_000] {
        assert_eq!(silent(rate, &hiss(rate as usize, 9_000, 5)), 0, "noise at {rate}");
        let birds = tone(rate, 4_000.7, 0.02);
        assert_eq!(silent(rate, &with(&tone(rate, 9.0, 0.5), &birds)), 0, "wind at {rate}");
        assert_eq!(silent(rate, &with(&tone(rate, 20_000.0, 0.5), &birds)), 0, "whistle at {rate}");
    }
}

#[test]
fn channels_that_cancel_each_other_are_heard() {
    let samples: Vec<i16> = hiss(8_000, 9_000, 3).iter().flat_map(|s| [*s, -*s]).collect();
    assert_eq!(counts(&accepted(MediaType::Wav, &wav(8_000, 2, &samples))), [1_000, 0, 0, 0]);
}

#[test]
fn a_loop_counts_once_whatever_its_period_is() {
    // 907 and 800 samples (a window) have no common divisor.
    for period in [800_usize, 907, 4_001] {
        let one = hiss(period, 9_000, 7);
        let samples: Vec<i16> = one.iter().cycle().take(40_000).copied().collect();
        let found = counts(&accepted(MediaType::Wav, &wav(8_000, 1, &samples)));
        let once = period as u64 / 8;
        assert!(found[0] >= once && found[0] <= once + 200, "{period}: {found:?}");
        assert!((4_999..=5_000).contains(&(found[0] + found[3])), "{period}: {found:?}");
    }
    let once = counts(&accepted(MediaType::Wav, &wav(8_000, 1, &hiss(40_000, 9_000, 7))));
    assert_eq!(once, [5_000, 0, 0, 0]);
}

#[test]
fn windows_are_tenths_of_a_second_at_every_rate() {
    // 11,025 Hz has windows of 1,102 and 1,103 samples.
    for rate in [8_000_u32, 11_025, 22_050, 44_100, 192_000] {
        let loud = hiss(rate as usize, 9_000, rate);
        let quiet = vec![0; rate as usize * 3 / 10];
        let samples = [loud.as_slice(), &quiet].concat();
        let found = counts(&accepted(MediaType::Wav, &wav(rate, 1, &samples)));
        let all = found[0] + found[2] + found[3];
        assert!((1_298..=1_300).contains(&all), "{rate}: {found:?}");
        assert!((1_000..=1_001).contains(&found[0]), "{rate}: {found:?}");
    }
}

#[test]
fn a_sound_over_the_cap_or_of_an_odd_rate_is_refused() {
    // Thirty minutes and one sample, of 8-bit silence at 8 kHz: 14 MB.
    let samples = MAX_MILLISECONDS as usize * 8;
    let eight_bit = |count: usize| {
        let mut file = wav_of(8_000, 1, count as u32, &vec![128; count]);
        file[28..36].copy_from_slice(b"\x40\x1f\0\0\x01\0\x08\0");
        file
    };
    assert_eq!(counts(&accepted(MediaType::Wav, &eight_bit(samples))), [0, 0, MAX_MILLISECONDS, 0]);
    let words = refused(MediaType::Wav, &eight_bit(samples + 1), Refusal::TooLarge);
    assert!(words.contains("1800000 ms") && words.contains("split it"), "{words}");
    for rate in [1, 100, 7_999, 192_001, 4_000_000] {
        let words = refused(MediaType::Wav, &wav(rate, 1, &[1; 4_000]), Refusal::Unsupported);
        assert!(words.contains(&format!("{rate} Hz")) && words.contains("8000"), "{words}");
    }
    refused(MediaType::Wav, &wav(8_000, 9, &[1; 9_000]), Refusal::Unsupported);
}
