//! Weights in 8-bit floating point (Micikevicius et al., 2022): four bits of exponent, three of
//! mantissa, no infinities, with a scale for each block of rows and columns.

use super::par_rows;

const fn decode(byte: u8) -> f32 {
    let (exponent, mantissa) = ((byte >> 3) & 15, byte & 7);
    let magnitude = if exponent == 0 {
        // Subnormal: multiples of 2⁻⁹.
        mantissa as f32 / 512.0
    } else if exponent == 15 && mantissa == 7 {
        f32::NAN
    } else {
        f32::from_bits(((exponent as u32 + 120) << 23) | ((mantissa as u32) << 20))
    };
    if byte & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

const VALUES: [f32; 256] = {
    let mut values = [0f32; 256];
    let mut i = 0;
    while i < 256 {
        values[i] = decode(i as u8);
        i += 1;
    }
    values
};

/// The value of a byte (`float8_e4m3fn`): up to ±448; the two NaNs are `0x7f` and `0xff`.
pub fn e4m3(byte: u8) -> f32 {
    VALUES[byte as usize]
}

/// Values of `[rows, cols]` bytes times the scales of their blocks of `block.0` rows and `block.1`
/// columns, `[⌈rows / block.0⌉, ⌈cols / block.1⌉]`.
///
/// # Panics
/// When the lengths do not fit together.
pub fn dequantise(bytes: &[u8], cols: usize, scales: &[f32], block: (usize, usize)) -> Vec<f32> {
    let across = cols.div_ceil(block.1.max(1));
    let mut values = vec![0f32; bytes.len()];
    if cols == 0 {
        return values;
    }
    par_rows(&mut values, cols, |row, values| {
        let bytes = &bytes[row * cols..][..cols];
        let scales = &scales[row / block.0 * across..][..across];
        let blocks = values.chunks_mut(block.1).zip(bytes.chunks(block.1));
        for ((values, bytes), scale) in blocks.zip(scales) {
            for (v, b) in values.iter_mut().zip(bytes) {
                *v = e4m3(*b) * scale;
            }
        }
    });
    values
}
