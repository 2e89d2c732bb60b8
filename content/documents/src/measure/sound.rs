//! Milliseconds of sounds.

use super::{
    layout, mp3, trailing, wav,
    windows::{Heard, Windows},
    Counted, Refusal, Refused, Result2,
};
use crate::MediaType;
use std::io::Cursor;
use symphonia::core::{
    codecs::{
        audio::{
            well_known::CODEC_ID_MP3, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
        },
        CodecParameters,
    },
    errors::Error,
    formats::{FormatOptions, FormatReader},
    io::MediaSourceStream,
    packet::PacketRef,
    units::{Duration, Timestamp},
};
use symphonia::default::{
    codecs::{FlacDecoder, MpaDecoder, PcmDecoder},
    formats::{FlacReader, WavReader},
};

/// Counts the milliseconds of a sound.
pub(crate) fn count(media_type: MediaType, bytes: &[u8]) -> Result2<Counted> {
    hear(media_type, bytes, false).map(|heard| heard.counted)
}

/// Counts a sound, and hashes its samples where that is asked for.
pub(crate) fn hear(media_type: MediaType, bytes: &[u8], hashed: bool) -> Result2<Heard> {
    match media_type {
        MediaType::Wav => wav(bytes, hashed),
        MediaType::Flac => flac(bytes, hashed),
        MediaType::Mp3 => mp3(bytes, hashed),
        other => Err(Refused(
            Refusal::Unsupported,
            format!(".{} is no format of sounds", other.extension()),
        )),
    }
}

/// Nothing is trimmed, and a checksum of the whole is compared where there is one.
fn options() -> AudioDecoderOptions {
    AudioDecoderOptions::default().gapless(false).verify(true)
}

fn wav(bytes: &[u8], hashed: bool) -> Result2<Heard> {
    let wav::Lean { bytes, frames } = wav::lean(bytes)?;
    let mut reader =
        WavReader::try_new(stream(&bytes), FormatOptions::default()).map_err(refused)?;
    let parameters = audio(&reader)?;
    let mut decoder = PcmDecoder::try_new(&parameters, &options()).map_err(refused)?;
    let (windows, _) = play(&mut reader, &mut decoder, None, hashed)?;
    let Some(windows) = windows else { return Ok(Heard::nothing(hashed)) };
    promised(frames, windows.frames())?;
    Ok(windows.finish())
}

fn flac(bytes: &[u8], hashed: bool) -> Result2<Heard> {
    // A tag of the kind that players of MP3 files write; frames say nothing of their length, so that
    // nothing else may follow the last one.
    let bytes = match bytes.len().checked_sub(128).and_then(|at| bytes.split_at_checked(at)) {
        Some((bytes, tag)) if tag.starts_with(b"TAG") => bytes,
        _ => bytes,
    };
    let (info, start) = layout::flac(bytes)?;
    // Pictures, cue sheets and tags say nothing of the sound: the decoder does not get to see them.
    let mut lean = Vec::with_capacity(bytes.len());
    lean.extend_from_slice(b"fLaC\x80\0\0\x22");
    lean.extend_from_slice(info);
    lean.extend_from_slice(bytes.get(start..).unwrap_or_default());
    let mut reader =
        FlacReader::try_new(stream(&lean), FormatOptions::default()).map_err(refused)?;
    let parameters = audio(&reader)?;
    let mut decoder = FlacDecoder::try_new(&parameters, &options()).map_err(refused)?;
    // Of the 36 bits of the number of samples, the high four share a byte.
    let declared = match info.get(13..18) {
        Some([high, rest @ ..]) => {
            rest.iter().fold(u64::from(high & 0x0f), |sum, byte| sum << 8 | u64::from(*byte))
        }
        _ => 0,
    };
    let promise = Some(declared).filter(|declared| *declared > 0);
    let played = play(&mut reader, &mut decoder, promise, hashed);
    let (windows, used) = played.map_err(|refused| match refused {
        Refused(Refusal::Truncated, _) => Refused(
            Refusal::Truncated,
            format!(
                "its frames hold fewer than the {declared} samples that it declares, or other bytes \
                 follow the last one"
            ),
        ),
        other => other,
    })?;
    let Some(windows) = windows else {
        let detail = format!("it declares {declared} samples and holds none");
        return Err(Refused(Refusal::Truncated, detail));
    };
    if declared != 0 {
        promised(declared, windows.frames())?;
    }
    if decoder.finalize().verify_ok == Some(false) {
        let detail = "its samples are not those whose MD5 it states";
        return Err(Refused(Refusal::Contradiction, detail.into()));
    }
    trailing(start.saturating_add(used), bytes.len())?;
    Ok(windows.finish())
}

fn mp3(bytes: &[u8], hashed: bool) -> Result2<Heard> {
    let frames = mp3::frames(bytes)?;
    let Some(first) = frames.first() else { return Ok(Heard::nothing(hashed)) };
    let mut windows = Windows::new(first.rate, first.channels, hashed)?;
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_MP3).with_sample_rate(first.rate);
    let mut decoder = MpaDecoder::try_new(&parameters, &options()).map_err(refused)?;
    let mut samples = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        let time = Timestamp::from(number as i64);
        let packet = PacketRef::new(0, time, Duration::from(frame.samples), frame.bytes);
        let sound = decoder.decode_ref(&packet).map_err(|error| {
            let Refused(refusal, detail) = refused(error);
            Refused(refusal, format!("frame {} of {}: {detail}", number + 1, frames.len()))
        })?;
        sound.copy_to_vec_interleaved::<f32>(&mut samples);
        if samples.len() as u64 != frame.samples * frame.channels as u64 {
            let detail = format!("frame {} holds {} samples", number + 1, samples.len());
            return Err(Refused(Refusal::Damaged, detail));
        }
        windows.push(&samples)?;
    }
    Ok(windows.finish())
}

fn stream(bytes: &[u8]) -> MediaSourceStream<'_> {
    MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default())
}

fn audio(reader: &dyn FormatReader) -> Result2<AudioCodecParameters> {
    let parameters = reader.tracks().first().and_then(|track| track.codec_params.as_ref());
    match parameters {
        Some(CodecParameters::Audio(parameters)) => Ok(parameters.clone()),
        _ => Err(Refused(Refusal::Damaged, "it has no sound".into())),
    }
}

/// Decodes everything, or until there are as many samples as declared; answers also how many bytes
/// the packets had.
fn play(
    reader: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    declared: Option<u64>,
    hashed: bool,
) -> Result2<(Option<Windows>, usize)> {
    let mut windows: Option<(Windows, u32, usize)> = None;
    let mut samples = Vec::new();
    let mut used = 0_usize;
    while let Some(packet) = reader.next_packet().map_err(refused)? {
        used = used.saturating_add(packet.data.len());
        let sound = decoder.decode(&packet).map_err(refused)?;
        let (rate, channels) = (sound.spec().rate(), sound.spec().channels().count());
        sound.copy_to_vec_interleaved::<f32>(&mut samples);
        let (windows, first_rate, first_channels) = match &mut windows {
            Some(windows) => windows,
            None => windows.insert((Windows::new(rate, channels, hashed)?, rate, channels)),
        };
        if (*first_rate, *first_channels) != (rate, channels) {
            let detail = format!(
                "it changes from {first_rate} Hz and {first_channels} channels to {rate} Hz and \
                 {channels}"
            );
            return Err(Refused(Refusal::Unsupported, detail));
        }
        windows.push(&samples)?;
        // What follows is no sound, and the reader would search it for some.
        if declared.is_some_and(|declared| windows.frames() >= declared) {
            break;
        }
    }
    Ok((windows.map(|(windows, ..)| windows), used))
}

/// Refuses a file with other samples than it declares.
fn promised(declared: u64, found: u64) -> Result2<()> {
    let detail = || format!("it declares {declared} samples a channel and holds {found}");
    match declared.cmp(&found) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Refused(Refusal::Truncated, detail())),
        std::cmp::Ordering::Less => Err(Refused(Refusal::Contradiction, detail())),
    }
}

fn refused(error: Error) -> Refused {
    let refusal = match &error {
        Error::Unsupported(_) => Refusal::Unsupported,
        Error::LimitError(_) => Refusal::TooLarge,
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refusal::Truncated
        }
        _ => Refusal::Damaged,
    };
    Refused(refusal, error.to_string())
}
