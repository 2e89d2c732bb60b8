//! The two primitives of polkadot-js key files: scrypt (RFC 7914) and the secret box of NaCl
//! (XSalsa20-Poly1305), put together from the RustCrypto crates for PBKDF2, Salsa20 and Poly1305.
//!
//! Tested against the vectors of RFC 7914 and files that polkadot-js wrote.

use hmac::Hmac;
use poly1305::{universal_hash::KeyInit, Poly1305};
use salsa20::{
    cipher::{KeyIvInit, StreamCipher},
    XSalsa20,
};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY: usize = 32;
/// Bytes of a nonce.
pub const NONCE: usize = 24;
/// Bytes of the authentication tag, which stands before the ciphertext.
pub const TAG: usize = 16;

/// Cost of scrypt. Memory is `128 × r × n` bytes, time grows with `n × r × p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Blocks kept, a power of two.
    pub n: u32,
    /// Parallelisation.
    pub p: u32,
    /// Size of a block in 128 bytes.
    pub r: u32,
}

impl Cost {
    /// What polkadot-js writes and every wallet built on it reads: 32 MiB of memory.
    pub const STANDARD: Self = Self { n: 1 << 15, p: 1, r: 8 };

    /// The costs that polkadot-js accepts. A file may name no other: cost is chosen by whoever
    /// wrote the file, and paid by whoever opens it.
    pub const ALLOWED: [Self; 6] = [
        Self { n: 1 << 13, p: 10, r: 8 },
        Self { n: 1 << 14, p: 5, r: 8 },
        Self { n: 1 << 15, p: 3, r: 8 },
        Self::STANDARD,
        Self { n: 1 << 16, p: 2, r: 8 },
        Self { n: 1 << 17, p: 1, r: 8 },
    ];
}

/// `bytes` random bytes from the operating system.
///
/// # Errors
///
/// When the operating system has none to give.
pub fn random<const BYTES: usize>() -> Result<[u8; BYTES], getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Stretches a password to a key with scrypt.
pub fn stretch(password: &[u8], salt: &[u8], cost: Cost) -> Zeroizing<[u8; KEY]> {
    let r = cost.r as usize;
    let mut block = Zeroizing::new(vec![0; 128 * r * cost.p as usize]);
    prf(password, salt, &mut block);
    for lane in block.chunks_exact_mut(128 * r) {
        mix_lane(lane, cost.n as usize);
    }
    let mut key = Zeroizing::new([0; KEY]);
    prf(password, &block, key.as_mut());
    key
}

/// PBKDF2-HMAC-SHA256 of one round.
fn prf(password: &[u8], salt: &[u8], out: &mut [u8]) {
    pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, 1, out).expect("HMAC takes keys of any length");
}

/// scryptROMix of RFC 7914, section 5.
fn mix_lane(lane: &mut [u8], n: usize) {
    let words = lane.len() / 4;
    let mut x: Zeroizing<Vec<u32>> = Zeroizing::new(
        lane.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
    );
    let mut y = Zeroizing::new(vec![0u32; words]);
    let mut table = Zeroizing::new(vec![0u32; words * n]);
    for row in table.chunks_exact_mut(words) {
        row.copy_from_slice(&x);
        mix_block(&x, &mut y);
        std::mem::swap(&mut *x, &mut *y);
    }
    for _ in 0..n {
        // n is a power of two below 2^32: the low word decides.
        let j = x[words - 16] as usize & (n - 1);
        let row = &table[j * words..(j + 1) * words];
        for (word, other) in x.iter_mut().zip(row) {
            *word ^= other;
        }
        mix_block(&x, &mut y);
        std::mem::swap(&mut *x, &mut *y);
    }
    for (bytes, word) in lane.chunks_exact_mut(4).zip(x.iter()) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
}

/// scryptBlockMix of RFC 7914, section 4.
fn mix_block(input: &[u32], output: &mut [u32]) {
    let blocks = input.len() / 16;
    let mut x = [0u32; 16];
    x.copy_from_slice(&input[input.len() - 16..]);
    for (i, block) in input.chunks_exact(16).enumerate() {
        for (word, other) in x.iter_mut().zip(block) {
            *word ^= other;
        }
        salsa_8(&mut x);
        let place = if i % 2 == 0 { i / 2 } else { blocks / 2 + i / 2 };
        output[place * 16..(place + 1) * 16].copy_from_slice(&x);
    }
}

/// The Salsa20/8 core of RFC 7914, section 3.
fn salsa_8(state: &mut [u32; 16]) {
    // Columns, then rows.
    const QUARTERS: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [5, 9, 13, 1],
        [10, 14, 2, 6],
        [15, 3, 7, 11],
        [0, 1, 2, 3],
        [5, 6, 7, 4],
        [10, 11, 8, 9],
        [15, 12, 13, 14],
    ];
    let before = *state;
    for _ in 0..4 {
        for [a, b, c, d] in QUARTERS {
            state[b] ^= state[a].wrapping_add(state[d]).rotate_left(7);
            state[c] ^= state[b].wrapping_add(state[a]).rotate_left(9);
            state[d] ^= state[c].wrapping_add(state[b]).rotate_left(13);
            state[a] ^= state[d].wrapping_add(state[c]).rotate_left(18);
        }
    }
    for (word, old) in state.iter_mut().zip(before) {
        *word = word.wrapping_add(old);
    }
}

/// The cipher with its first block used up as the key of the authenticator, as NaCl does.
fn open_stream(key: &[u8; KEY], nonce: &[u8; NONCE]) -> (XSalsa20, Poly1305) {
    let mut cipher = XSalsa20::new(key.into(), nonce.into());
    let mut tag_key = Zeroizing::new([0; 32]);
    cipher.apply_keystream(tag_key.as_mut());
    let authenticator = Poly1305::new((&*tag_key).into());
    (cipher, authenticator)
}

/// Encrypts and authenticates: tag, then ciphertext.
pub fn seal(key: &[u8; KEY], nonce: &[u8; NONCE], message: &[u8]) -> Vec<u8> {
    let (mut cipher, authenticator) = open_stream(key, nonce);
    let mut sealed = vec![0; TAG];
    sealed.extend_from_slice(message);
    cipher.apply_keystream(&mut sealed[TAG..]);
    let tag = authenticator.compute_unpadded(&sealed[TAG..]);
    sealed[..TAG].copy_from_slice(&tag);
    sealed
}

/// Checks and decrypts what [`seal`] made; `None` for another key or changed bytes.
pub fn open(key: &[u8; KEY], nonce: &[u8; NONCE], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, ciphertext) = sealed.split_at_checked(TAG)?;
    let (mut cipher, authenticator) = open_stream(key, nonce);
    let expected = authenticator.compute_unpadded(ciphertext);
    // All bytes are compared, whatever the first ones say.
    let difference = tag.iter().zip(expected.iter()).fold(0, |sum, (a, b)| sum | (a ^ b));
    if difference != 0 {
        return None;
    }
    let mut message = Zeroizing::new(ciphertext.to_vec());
    cipher.apply_keystream(&mut message);
    Some(message)
}
