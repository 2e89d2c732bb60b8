//! Small images and sounds, written byte by byte.

/// A PNG file of one sample a pixel and 8 bits.
pub(super) fn gray_png(width: u32, height: u32, pixels: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let rows: Vec<u8> = (0..height)
        .flat_map(|y| {
            std::iter::once(0).chain((0..width).map(move |x| (x, y)).map(|(x, y)| pixels(x, y)))
        })
        .collect();
    png(width, height, 8, 0, &stored(&rows))
}

/// A PNG file of these dimensions, depth and colour type, with this zlib stream.
pub(super) fn png(width: u32, height: u32, depth: u8, color: u8, data: &[u8]) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth, color, 0, 0, 0]);
    png_of(&[(b"IHDR", &header), (b"IDAT", data), (b"IEND", b"")])
}

/// A PNG file of chunks.
pub(super) fn png_of(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        let body = [kind.as_slice(), data].concat();
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(&body);
        file.extend(crc32(&body).to_be_bytes());
    }
    file
}

/// A zlib stream of stored blocks.
pub(super) fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let count = data.chunks(65_535).count();
    for (number, block) in data.chunks(65_535).enumerate() {
        let length = block.len() as u16;
        stream.push(u8::from(number + 1 == count));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(data.iter().copied()).to_be_bytes());
    stream
}

/// A zlib stream of `length` zeros, 160 times smaller than they are.
pub(super) fn zeros(length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // One last block with the fixed codes: a zero, then copies of 258 bytes at distance 1.
    bits.push(0b011, 3);
    bits.code(0b0011_0000, 8);
    let copies = (length - 1) / 258;
    for _ in 0..copies {
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    }
    for _ in 0..(length - 1) % 258 {
        bits.code(0b0011_0000, 8);
    }
    bits.code(0, 7);
    let mut stream = vec![0x78, 0x01];
    stream.extend(bits.bytes);
    // The sum of zeros: a is 1, b is their number.
    stream.extend((((length as u32 % 65_521) << 16) | 1).to_be_bytes());
    stream
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    free: u32,
}

impl Bits {
    /// Bits from the lowest.
    fn push(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            *self.bytes.last_mut().expect("a byte") |=
                ((value >> bit & 1) as u8) << (8 - self.free);
            self.free -= 1;
        }
    }

    /// A Huffman code: its bits from the highest.
    fn code(&mut self, value: u32, count: u32) {
        self.push(value.reverse_bits() >> (32 - count), count);
    }
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

fn adler32(data: impl Iterator<Item = u8>) -> u32 {
    let (a, b) = data.fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

/// A WAV file of 16 bits.
pub(super) fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    wav_of(rate, channels, data.len() as u32, &data)
}

/// A WAV file whose data chunk declares `declared` bytes.
pub(super) fn wav_of(rate: u32, channels: u16, declared: u32, data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(declared.to_le_bytes());
    file.extend(data);
    file
}

/// Numbers that look like noise, the same on every machine.
pub(super) fn noise(seed: u32) -> impl Iterator<Item = u32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    })
}

/// A level for each place that looks like noise.
pub(super) fn grain(x: u32, y: u32) -> u8 {
    (noise(x.wrapping_mul(73) ^ y.wrapping_mul(7_919).rotate_left(9)).nth(2).expect("endless")
        >> 11) as u8
}

/// `count` samples of noise with this peak.
pub(super) fn hiss(count: usize, peak: i32, seed: u32) -> Vec<i16> {
    let span = 2 * peak as u32 + 1;
    noise(seed)
        .take(count)
        .map(|one| ((one >> 3) % span) as i32 - peak)
        .map(|one| one as i16)
        .collect()
}
