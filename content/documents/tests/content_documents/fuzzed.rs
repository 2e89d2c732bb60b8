//! What the fuzz targets found (`content/documents/fuzz`), and its kind.

use openledger_documents::{
    measure::{count_unconfined, Refusal},
    MeasureError, MediaType,
};

/// A format chunk: tag, channels, 8 kHz, bytes a frame, bits, and what else it has.
fn format(tag: u16, channels: u16, frame: u16, bits: u16, more: &[u8]) -> Vec<u8> {
    let mut chunk = [tag, channels].map(u16::to_le_bytes).concat();
    chunk.extend(8_000_u32.to_le_bytes());
    chunk.extend((8_000 * u32::from(frame)).to_le_bytes());
    chunk.extend([frame, bits].map(u16::to_le_bytes).concat());
    chunk.extend(more);
    chunk
}

/// What an extended format of whole numbers has beside the loudspeakers.
fn extension(loudspeakers: u32) -> Vec<u8> {
    let mut more = [22_u16, 16].map(u16::to_le_bytes).concat();
    more.extend(loudspeakers.to_le_bytes());
    more.extend(b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    more
}

fn wav(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(*data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(body);
    file
}

/// 200 ms of noise in 16 bits, mono; a whole number of frames of up to eight channels too.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(3_200)
    .collect()
}

/// Measures in this process, where a decoder that panics ends the test.
fn measured(chunks: &[(&[u8; 4], &[u8])]) -> Result<u64, Refusal> {
    count_unconfined(MediaType::Wav, &wav(chunks)).map_err(|error| match error {
        MeasureError::Refused { refusal, .. } => refusal,
        other => panic!("{other}"),
    })
}

#[test]
fn numbers_of_channels_that_nobody_has_are_refused_before_the_decoder_multiplies_them() {
    let noise = noise();
    for channels in [0, 9, 26, 27, 32, 40, 300, 32_768, 65_535] {
        for (tag, more) in [(1, vec![]), (3, vec![]), (7, vec![0; 2]), (0xfffe, extension(0))] {
            for bits in [8, 16, 32] {
                let format = format(tag, channels, 2, bits, &more);
                let found = measured(&[(b"fmt ", &format), (b"data", &noise)]);
                assert_eq!(found, Err(Refusal::Unsupported), "{tag}: {channels} of {bits} bits");
            }
        }
    }
}

#[test]
fn loudspeakers_that_have_no_name_are_refused_before_the_decoder_shifts_by_them() {
    let of = |channels: u16, loudspeakers| {
        let format = format(0xfffe, channels, channels * 2, 16, &extension(loudspeakers));
        measured(&[(b"fmt ", &format), (b"data", &noise())])
    };
    for (channels, loudspeakers) in
        [(1, 1 << 31), (2, 1 << 31), (8, 0x8000_0001), (2, 1 << 30), (1, 1 << 18)]
    {
        let found = of(channels, loudspeakers);
        assert_eq!(found, Err(Refusal::Unsupported), "{channels}: {loudspeakers:#x}");
    }
    // None, fewer and more than there are channels, as files have them.
    for (channels, loudspeakers) in [(1, 0), (1, 4), (2, 3), (2, 1), (2, 0x3f), (2, u32::MAX)] {
        let found = of(channels, loudspeakers);
        assert_eq!(found, Ok(200 / u64::from(channels)), "{channels}: {loudspeakers:#x}");
    }
}

#[test]
fn the_decoder_sees_the_format_and_the_samples_that_were_checked() {
    let noise = noise();
    let mono = format(1, 1, 2, 16, &[]);
    let stereo = format(1, 2, 4, 16, &[]);
    assert_eq!(measured(&[(b"fmt ", &mono), (b"data", &noise)]), Ok(200));
    let two = measured(&[(b"fmt ", &mono), (b"fmt ", &stereo), (b"data", &noise)]);
    assert_eq!(two, Err(Refusal::Contradiction));
    // An extension that reaches into the samples, and one that the chunk has no end for.
    let law = format(7, 1, 1, 8, &100_u16.to_le_bytes());
    let into = measured(&[(b"fmt ", &law), (b"data", &noise)]);
    assert_eq!(into, Err(Refusal::Contradiction));
    let long = format(0xfffe, 1, 2, 16, &[extension(0), vec![0; 2]].concat());
    let longer = measured(&[(b"fmt ", &long), (b"data", &noise)]);
    assert_eq!(longer, Err(Refusal::Contradiction));
}

#[test]
fn chunks_that_do_not_sound_change_nothing_whatever_their_length_is() {
    let format = format(1, 1, 2, 16, &[]);
    let noise = noise();
    for (kind, data) in [
        (b"LIST", b"INFOINAM\x03\0\0\0abc".as_slice()),
        (b"LIST", b"INFO\xff\xff\xff\xff\xff\xff\xff\xff"),
        (b"LIST", b"x"),
        (b"fact", b"\x01"),
        (b"junk", b"123"),
    ] {
        let found = measured(&[(b"fmt ", &format), (kind, data), (b"data", &noise)]);
        assert_eq!(found, Ok(200), "{kind:?} {data:?}");
    }
}

#[test]
fn no_change_of_a_head_makes_the_decoder_panic() {
    let noise = noise();
    let mut state = 7_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for (tag, bits, more) in [
        (1, 16, vec![]),
        (3, 32, vec![0; 2]),
        (6, 8, vec![0; 2]),
        (7, 8, vec![0; 2]),
        (2, 4, vec![32; 36]),
        (0x11, 4, vec![2, 0, 65, 0]),
        (0xfffe, 16, extension(3)),
    ] {
        let format = format(tag, 2, bits / 4, bits, &more);
        let list = b"INFOINAM\x02\0\0\0ab".as_slice();
        let whole = wav(&[(b"fmt ", &format), (b"LIST", list), (b"data", &noise[..320])]);
        let head = whole.len() - 320;
        for round in 0..20_000 {
            let mut file = whole.clone();
            for _ in 0..=round % 4 {
                let values = [0, 1, 2, 16, 31, 32, 127, 128, 255, random(256) as u8];
                file[12 + random(head - 12)] = values[random(values.len())];
            }
            drop(count_unconfined(MediaType::Wav, &file));
        }
    }
}
