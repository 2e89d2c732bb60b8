//! Files that lie, files that ask for too much, and what the decoder cannot do.

use super::{accepted, counts, files::*, fixture, refused};
use openledger_documents::{
    measure::{measurement, Refusal, MAX_MEDIA_BYTES},
    sandbox::{self, Isolation},
    MeasureError, MediaType,
};
use std::{
    net::TcpListener,
    process::{Command, Output},
};

/// Names of all files of the folder.
fn names() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/content_documents/media/samples");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| !name.ends_with(".txt") && !name.ends_with(".rs"))
        .collect();
    names.sort();
    assert!(names.len() > 30, "{names:?}");
    names
}

#[test]
fn a_file_that_was_cut_off_is_never_measured() {
    for name in names() {
        let (media_type, mut bytes) = fixture(&name);
        // Its pages are filled up to a multiple of sixteen bytes.
        let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        if name == "pages.tiff" {
            bytes.truncate(bytes.len() - padding);
        }
        for length in [16, bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10, bytes.len() - 2]
        {
            match measurement(media_type, &bytes[..length]) {
                Err(error) => assert!(error.is_refusal(), "{name} cut to {length}: {error}"),
                Ok(found) => panic!("{name} cut to {length} of {}: {found:?}", bytes.len()),
            }
        }
    }
}

#[test]
fn an_end_put_on_a_cut_file_does_not_make_it_whole() {
    for name in ["baseline.jpg", "progressive.jpg", "gray.jpeg", "cmyk.jpeg"] {
        let (media_type, bytes) = fixture(name);
        for part in [6, 7, 8] {
            let mut cut = bytes[..bytes.len() * part / 9].to_vec();
            if cut.ends_with(&[0xff]) {
                cut.pop();
            }
            cut.extend([0xff, 0xd9]);
            let found = measurement(media_type, &cut);
            assert!(matches!(&found, Err(error) if error.is_refusal()), "{name} {part}: {found:?}");
        }
    }
    // Rows that are missing from the stream of a PNG file.
    let rows: Vec<u8> = (0..20 * 33).map(|place| grain(place, 1)).map(|g| g % 5).collect();
    let whole = png(32, 20, 8, 0, &stored(&rows));
    let short = png(32, 20, 8, 0, &stored(&rows[..rows.len() - 33]));
    drop(accepted(MediaType::Png, &whole));
    let found = measurement(MediaType::Png, &short);
    assert!(matches!(&found, Err(error) if error.is_refusal()), "{found:?}");
}

#[test]
fn what_follows_a_file_is_allowed_up_to_its_own_length() {
    for name in ["rgb.png", "baseline.jpg", "lossless.webp", "rgb.bmp", "pcm-16.wav"] {
        let (media_type, bytes) = fixture(name);
        let alone = accepted(media_type, &bytes);
        let followed = [bytes.clone(), vec![0x55; bytes.len() / 2]].concat();
        assert_eq!(accepted(media_type, &followed), alone, "{name}");
        let buried = [bytes.clone(), vec![0x55; 2 * bytes.len() + 2_000]].concat();
        let words = refused(media_type, &buried, Refusal::Trailing);
        assert!(words.contains("at most as many"), "{words}");
    }
    for name in ["constant.mp3", "mono.flac"] {
        let (media_type, bytes) = fixture(name);
        let tagged = [bytes.as_slice(), b"TAG", &[0; 125]].concat();
        assert_eq!(accepted(media_type, &tagged), accepted(media_type, &bytes));
    }
    let (media_type, bytes) = fixture("mono.flac");
    let words = refused(media_type, &[bytes, vec![0x55; 300]].concat(), Refusal::Truncated);
    assert!(words.contains("other bytes follow"), "{words}");
}

#[test]
fn a_header_that_lies_is_refused_by_name() {
    // A WAV that declares more than it has, in its data chunk or as a whole.
    let data = [1_u8, 2].repeat(8_000);
    let words = refused(MediaType::Wav, &wav_of(8_000, 1, 1 << 30, &data), Refusal::Truncated);
    assert!(words.contains("1073741") && words.contains("16044"), "{words}");
    let mut whole = wav_of(8_000, 1, data.len() as u32, &data);
    whole[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(MediaType::Wav, &whole, Refusal::Truncated);
    // Samples that are no multiple of a frame.
    refused(MediaType::Wav, &wav_of(8_000, 3, 16_000, &data), Refusal::Contradiction);

    // A FLAC file that declares other samples than it has, or another MD5 of them.
    let (_, flac) = fixture("mono.flac");
    let mut more = flac.clone();
    more[24] += 1;
    refused(MediaType::Flac, &more, Refusal::Truncated);
    let mut fewer = flac.clone();
    fewer[24] -= 1;
    refused(MediaType::Flac, &fewer, Refusal::Contradiction);
    let mut other = flac.clone();
    other[30] ^= 1;
    let words = refused(MediaType::Flac, &other, Refusal::Contradiction);
    assert!(words.contains("MD5"), "{words}");

    // An MP3 whose Xing header promises a million frames has those that it has.
    let (_, mp3) = fixture("variable.mp3");
    let honest = accepted(MediaType::Mp3, &mp3);
    let place = mp3.windows(4).position(|four| four == b"Xing").expect("a Xing header");
    let mut boast = mp3.clone();
    boast[place + 8..place + 12].copy_from_slice(&1_000_000_u32.to_be_bytes());
    assert_eq!(accepted(MediaType::Mp3, &boast), honest);

    // A WebP canvas that is not its picture's size, and a BMP that declares more than it has.
    let (_, webp) = fixture("alpha.webp");
    if webp[12..16] == *b"VP8X" {
        let mut canvas = webp.clone();
        canvas[24] = 200;
        let found = measurement(MediaType::Webp, &canvas);
        assert!(matches!(&found, Err(error) if error.is_refusal()), "{found:?}");
    }
    let (_, bmp) = fixture("rgb.bmp");
    let mut long = bmp.clone();
    long[2..6].copy_from_slice(&1_000_000_u32.to_le_bytes());
    refused(MediaType::Bmp, &long, Refusal::Truncated);
    // A wrong checksum.
    let (_, mut png) = fixture("rgb.png");
    let place = png.windows(4).position(|four| four == b"IDAT").expect("data");
    png[place + 20] ^= 1;
    refused(MediaType::Png, &png, Refusal::Damaged);
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    // A blank picture of 900 million pixels.
    let blank = png(30_000, 30_000, 1, 0, &zeros(3_751 * 30_000 / 100));
    let words = refused(MediaType::Png, &blank, Refusal::TooLarge);
    assert!(words.contains("900000000"), "{words}");
    refused(MediaType::Png, &png(1, u32::MAX >> 1, 8, 0, &zeros(9_000)), Refusal::TooLarge);

    // A colour profile of 1 GiB in 7 MB is never unpacked: the picture beside it is measured.
    let mut profile = b"bomb\0\0".to_vec();
    profile.extend(zeros(1 << 30));
    let rows: Vec<u8> = (0..16 * 17).map(|place| grain(place, 9)).map(|g| g % 5).collect();
    let header = [16_u32.to_be_bytes(), 16_u32.to_be_bytes()].concat();
    let header = [header.as_slice(), &[8, 0, 0, 0, 0]].concat();
    let bomb = png_of(&[
        (b"IHDR", &header),
        (b"iCCP", &profile),
        (b"IDAT", &stored(&rows)),
        (b"IEND", b""),
    ]);
    match measurement(MediaType::Png, &bomb) {
        Ok(found) => assert_eq!(counts(&found).iter().sum::<u64>(), 256),
        Err(error) => assert!(error.is_refusal(), "{error}"),
    }

    // A TIFF whose dimensions were raised to 65,535 each.
    let (_, tiff) = fixture("plain.tiff");
    let mut large = tiff.clone();
    let directory = u32::from_le_bytes(tiff[4..8].try_into().expect("four")) as usize;
    let entries = usize::from(u16::from_le_bytes([tiff[directory], tiff[directory + 1]]));
    for entry in 0..entries {
        let at = directory + 2 + 12 * entry;
        let tag = u16::from_le_bytes([large[at], large[at + 1]]);
        if tag == 256 || tag == 257 {
            large[at + 2] = 4;
            large[at + 8..at + 12].copy_from_slice(&65_535_u32.to_le_bytes());
        }
    }
    refused(MediaType::Tiff, &large, Refusal::Contradiction);
    // And one whose strips lie elsewhere.
    let mut strips = tiff.clone();
    for entry in 0..entries {
        let at = directory + 2 + 12 * entry;
        if u16::from_le_bytes([strips[at], strips[at + 1]]) == 273 {
            strips[at + 8..at + 12].copy_from_slice(&u32::MAX.to_le_bytes());
        }
    }
    let found = measurement(MediaType::Tiff, &strips);
    assert!(matches!(&found, Err(error) if error.is_refusal()), "{found:?}");

    let huge = vec![0x89; MAX_MEDIA_BYTES as usize + 1];
    let huge = [b"\x89PNG\r\n\x1a\n".as_slice(), &huge].concat();
    refused(MediaType::Png, &huge, Refusal::TooLarge);
}

#[test]
fn hours_of_flac_silence_stop_at_the_cap() {
    // A frame of 65,535 samples of the constant 0, over and over: sixteen bytes a second and a half.
    let (_, flac) = fixture("mono.flac");
    let mut info = flac[8..42].to_vec();
    info[..10].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0]);
    // Sixteen bits, one channel, 44,100 Hz; neither a number of samples nor an MD5.
    info[10..18].copy_from_slice(&[0x0a, 0xc4, 0x40, 0xf0, 0, 0, 0, 0]);
    info[18..].fill(0);
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend(&info);
    for number in 0..4_000_u32 {
        let mut frame = vec![0xff, 0xf8, 0x79, 0x08];
        frame.extend(char::from_u32(number).map(|c| c.to_string()).unwrap_or_default().bytes());
        frame.extend(65_534_u16.to_be_bytes());
        frame.push(crc8(&frame));
        // A constant subframe of sixteen bits.
        frame.extend([0, 0, 0]);
        let crc = crc16(&frame);
        frame.extend(crc.to_be_bytes());
        file.extend(frame);
    }
    let words = refused(MediaType::Flac, &file, Refusal::TooLarge);
    assert!(words.contains("1800000 ms"), "{words}");
}

#[test]
fn flac_whose_prediction_leaves_its_numbers_is_refused() {
    // Sixteen bits, one channel, 44,100 Hz; neither a number of samples nor an MD5.
    let mut file = b"fLaC\x80\0\0\x22\xff\xff\xff\xff\0\0\0\0\0\0\x0a\xc4\x40\xf0".to_vec();
    file.resize(42, 0);
    let mut frame = vec![0xff, 0xf8, 0x79, 0x08, 0, 0, 63];
    frame.push(crc8(&frame));
    // Each sample is 16,383 times the one before, and as much as 31 bits hold.
    let mut bits = String::from("01000000" /* one coefficient */);
    bits += &format!("{:016b}{:04b}{:05b}{:015b}", 32_767, 14, 0, 16_383);
    bits += &format!("{:02b}{:04b}{:04b}{:05b}", 0, 0, 15, 31);
    bits += &format!("{:031b}", (1_u32 << 30) - 1).repeat(63);
    bits += &"0".repeat(bits.len().next_multiple_of(8) - bits.len());
    let byte = |at: usize| u8::from_str_radix(&bits[at..at + 8], 2).expect("bits");
    frame.extend((0..bits.len()).step_by(8).map(byte));
    frame.extend(crc16(&frame).to_be_bytes());
    file.extend(frame);
    let words = refused(MediaType::Flac, &file, Refusal::Damaged);
    assert!(words.contains("give up"), "{words}");
}

fn crc8(data: &[u8]) -> u8 {
    data.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 7 })
    })
}

fn crc16(data: &[u8]) -> u16 {
    data.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x8005
            }
        })
    })
}

#[test]
fn a_damaged_byte_anywhere_is_measured_or_refused_but_never_kills_the_decoder() {
    for name in names() {
        let (media_type, bytes) = fixture(&name);
        let length = bytes.len() as u32;
        for (place, value) in noise(length).take(3).zip(noise(length ^ 99)) {
            let mut damaged = bytes.clone();
            damaged[(place % length) as usize] = (value >> 7) as u8;
            match measurement(media_type, &damaged) {
                Ok(_) => {}
                Err(error) => assert!(error.is_refusal(), "{name}: {error}"),
            }
        }
    }
}

fn check(arguments: &[&str]) -> Output {
    let decoder = sandbox::decoder().expect("openledger-decode is built beside the tests");
    Command::new(decoder).arg("check").args(arguments).output().expect("it runs")
}

#[test]
fn the_decoder_can_neither_connect_nor_open_a_file_nor_start_a_program_nor_take_all_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    // Unconfined, all of it works: what is tried is possible here.
    let free = check(&["none", &address]);
    let words = String::from_utf8_lossy(&free.stdout).into_owned();
    assert_eq!(words.matches("\"reached\"").count(), 4, "{words}");
    assert!(!free.status.success());

    let confined = check(&["all", &address]);
    let words = String::from_utf8_lossy(&confined.stdout).into_owned();
    assert_eq!(words.matches("\"denied: ").count(), 4, "{words}");
    assert!(confined.status.success(), "{words}");
    let isolation = accepted(MediaType::Wav, &wav(8_000, 1, &[0; 80])).isolation.expect("one");
    assert!(words.contains(isolation.name()), "{words} {isolation}");

    // Each layer alone keeps it off the network, where the kernel has it.
    for (layer, name) in
        [("user-namespace", Isolation::UserNamespace), ("seccomp", Isolation::Seccomp)]
    {
        let alone = String::from_utf8_lossy(&check(&[layer, &address]).stdout).into_owned();
        if alone.contains(&format!("\"isolation\":\"{name}\"")) {
            assert!(alone.contains("\"network\":\"denied: "), "{layer}: {alone}");
        }
    }
    let limits = String::from_utf8_lossy(&check(&["limits", &address]).stdout).into_owned();
    for what in ["network", "file", "memory"] {
        assert!(limits.contains(&format!("\"{what}\":\"denied: ")), "{limits}");
    }
}

#[test]
fn a_decoder_that_is_missing_stopped_or_another_program_is_named() {
    let folder = std::env::temp_dir().join(format!("openledger-decode-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    // A copy of this test without a decoder beside it.
    let run = |decoder: &str| {
        let own = std::env::current_exe().expect("this test");
        let output = Command::new(own)
            .args(["--exact", "media::hostile::measured_by_another_decoder", "--nocapture"])
            .env("OPENLEDGER_DECODE", decoder)
            .env("OPENLEDGER_MEASURE_ONE", "1")
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let words = run(&folder.join("nothing").display().to_string());
    assert!(words.contains("the machine's fault") && words.contains("is not in"), "{words}");
    assert!(words.contains("cargo build --workspace --bins"), "{words}");
    // Programs that end as a decoder does that is stopped: the file asked for too much.
    let script = |name: &str, does: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{does}\n")).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        path.display().to_string()
    };
    let aborts = "echo memory allocation of 9 bytes failed >&2; kill -ABRT $$";
    for (program, said) in [
        (script("time", "kill -XCPU $$"), "60 s of processor time"),
        (script("memory", aborts), "1024 MiB"),
        (script("killed", "kill -KILL $$"), "1024 MiB"),
    ] {
        let words = run(&program);
        assert!(words.contains("refused as a file") && words.contains(said), "{words}");
    }
    let words = run(&script("crash", "kill -SEGV $$"));
    assert!(words.contains("the machine's fault") && words.contains("signal: 11"), "{words}");
    // Answers that cannot be true, or come from another version.
    let zeros = "head -c 24 /dev/zero";
    let many = r"\377\377\377\377\377\377\377\177";
    let version = format!(r"\{:03o}\000", openledger_documents::EXTRACTOR_VERSION);
    let boast = format!(r"printf 'OLM1{version}\001\000{many}'; {zeros}");
    let words = run(&script("boast", &boast));
    assert!(words.contains("more than a file can have"), "{words}");
    let words = run(&script("old", &format!(r"printf 'OLM1\377\000\001\000'; {zeros}; {zeros}")));
    assert!(words.contains("version 255"), "{words}");
    for (program, said) in [
        ("/bin/true", "ended without an answer"),
        ("/bin/echo", "no answer"),
        ("/bin/cat", "ended without an answer"),
    ] {
        let words = run(program);
        assert!(
            words.contains("the machine's fault") && words.contains(said),
            "{program}: {words}"
        );
    }
    let _ = std::fs::remove_dir_all(&folder);
}

/// What the test above runs in a process of its own.
#[test]
fn measured_by_another_decoder() {
    if std::env::var_os("OPENLEDGER_MEASURE_ONE").is_none() {
        return;
    }
    match measurement(MediaType::Wav, &wav(8_000, 1, &[0; 800])) {
        Err(error @ MeasureError::Decoder(_)) => {
            assert!(!error.is_refusal());
            println!("the machine's fault: {error}");
        }
        Err(error @ MeasureError::Stopped { .. }) => {
            assert!(error.is_refusal());
            println!("refused as a file: {error}");
        }
        other => panic!("{other:?}"),
    }
}
