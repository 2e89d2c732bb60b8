//! Encryption with the empty user password, which every viewer opens without asking (ISO 32000-2,
//! 7.6): RC4 with 40 to 128 bits, AES with 128 and 256.

use super::object::{Dict, Object};
use crate::budget::{Budget, Fault, Result};
use aes::cipher::{Block, BlockDecrypt, BlockEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};
use std::rc::Rc;

/// What passwords shorter than 32 bytes are filled up with (algorithm 2).
const PADDING: [u8; 32] = [
    0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56, 0xff, 0xfa, 0x01, 0x08,
    0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68, 0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
];
/// Deepest nesting of values that hold encrypted strings.
const MAX_DEPTH: usize = 64;

/// How bytes are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Identity,
    Rc4,
    Aes128,
    Aes256,
}

/// The key of a document, and what it is used for.
#[derive(Debug)]
pub(crate) struct Crypt {
    key: Vec<u8>,
    strings: Method,
    streams: Method,
    /// Whether the document's own description is encrypted too.
    metadata: bool,
}

/// An object's number and generation, which its key depends on.
pub(crate) type Id = (u32, u32);

impl Crypt {
    /// Opens a document with the empty user password.
    ///
    /// # Errors
    ///
    /// [`Fault::Encrypted`] where it needs another one, or is encrypted by other means.
    pub(crate) fn open(dict: &Dict, id: &[u8]) -> Result<Self> {
        if !dict.get("Filter").is_name("Standard") {
            return Err(Fault::Encrypted);
        }
        let number = |key: &str| dict.get(key).number().map(|number| number as i64);
        let version = number("V").unwrap_or(0);
        let revision = number("R").unwrap_or(0);
        let metadata = *dict.get("EncryptMetadata") != Object::Bool(false);
        let (strings, streams) = match version {
            1 | 2 => (Method::Rc4, Method::Rc4),
            4 | 5 => (filter(dict, "StrF")?, filter(dict, "StmF")?),
            _ => return Err(Fault::Encrypted),
        };
        let string = |key: &str| dict.get(key).string().unwrap_or_default();
        let key = match revision {
            2..=4 => {
                let bits = match (version, number("Length")) {
                    (1, _) => 40,
                    (4, _) => 128,
                    (_, Some(bits @ 40..=128)) => bits,
                    _ => 40,
                };
                let flags = number("P").unwrap_or(0) as u32;
                let length = if revision == 2 { 5 } else { bits as usize / 8 };
                let hide = revision >= 4 && !metadata;
                let key = key_of(string("O"), flags, id, length, revision, hide);
                verify(&key, string("U"), id, revision)?;
                key
            }
            5 | 6 => {
                let (user, sealed) = (string("U"), string("UE"));
                let part = |range: std::ops::Range<usize>| user.get(range).ok_or(Fault::Encrypted);
                if hash(part(32..40)?, revision)? != *part(0..32)? {
                    return Err(Fault::Encrypted);
                }
                let between = hash(part(40..48)?, revision)?;
                let sealed = sealed.get(..32).ok_or(Fault::Encrypted)?;
                let cipher = Aes256::new_from_slice(&between).map_err(|_| Fault::Encrypted)?;
                decrypt_chain(&cipher, &[0; 16], sealed)
            }
            _ => return Err(Fault::Encrypted),
        };
        Ok(Self { key, strings, streams, metadata })
    }

    /// Decrypts a stream's bytes, as they are stored.
    pub(crate) fn stream(
        &self,
        dict: &Dict,
        id: Id,
        data: &[u8],
        budget: &mut Budget,
    ) -> Result<Vec<u8>> {
        budget.scan(data.len())?;
        let kind = dict.get("Type");
        let plain = kind.is_name("XRef") || (kind.is_name("Metadata") && !self.metadata);
        Ok(match plain {
            true => data.to_vec(),
            false => self.decrypt(self.streams, id, data),
        })
    }

    /// Decrypts the strings of an object.
    pub(crate) fn object(&self, object: Object, id: Id, budget: &mut Budget) -> Result<Object> {
        match self.strings {
            Method::Identity => Ok(object),
            _ => self.nested(object, id, budget, 0),
        }
    }

    fn nested(&self, object: Object, id: Id, budget: &mut Budget, depth: usize) -> Result<Object> {
        if depth > MAX_DEPTH {
            return Ok(Object::Null);
        }
        budget.scan(16)?;
        Ok(match object {
            Object::String(bytes) => {
                budget.scan(bytes.len())?;
                Object::String(self.decrypt(self.strings, id, &bytes).into())
            }
            Object::Array(items) => {
                let items = items.iter().cloned();
                let items = items.map(|item| self.nested(item, id, budget, depth + 1));
                Object::Array(Rc::new(items.collect::<Result<_>>()?))
            }
            Object::Dict(dict) => {
                let mut pairs = Vec::with_capacity(2 * dict.len());
                for (key, value) in dict.iter() {
                    pairs.push(Object::Name(key.into()));
                    pairs.push(self.nested(value.clone(), id, budget, depth + 1)?);
                }
                Object::Dict(Rc::new(Dict::of(pairs)))
            }
            other => other,
        })
    }

    fn decrypt(&self, method: Method, (number, generation): Id, data: &[u8]) -> Vec<u8> {
        let key = || {
            let mut md5 = Md5::new();
            md5.update(&self.key);
            md5.update(number.to_le_bytes().get(..3).unwrap_or_default());
            md5.update(generation.to_le_bytes().get(..2).unwrap_or_default());
            if method == Method::Aes128 {
                md5.update(b"sAlT");
            }
            let length = (self.key.len() + 5).min(16);
            let mut key = md5.finalize().to_vec();
            key.truncate(length);
            key
        };
        let chained = |key: &[u8]| {
            let (start, data) = data.split_at_checked(16)?;
            let plain = match method {
                Method::Aes128 => decrypt_chain(&Aes128::new_from_slice(key).ok()?, start, data),
                _ => decrypt_chain(&Aes256::new_from_slice(key).ok()?, start, data),
            };
            Some(without_padding(plain))
        };
        match method {
            Method::Identity => data.to_vec(),
            Method::Rc4 => rc4(&key(), data),
            Method::Aes128 => chained(&key()).unwrap_or_default(),
            Method::Aes256 => chained(&self.key).unwrap_or_default(),
        }
    }
}

/// The method of a crypt filter.
fn filter(dict: &Dict, key: &str) -> Result<Method> {
    let name = match dict.get(key) {
        Object::Name(name) => name.clone(),
        _ => return Ok(Method::Identity),
    };
    if &*name == b"Identity" {
        return Ok(Method::Identity);
    }
    let filters = dict.get("CF").dict().cloned().unwrap_or_default();
    let found = filters.iter().find(|(key, _)| **key == *name);
    let method =
        found.and_then(|(_, filter)| filter.dict()).map(|filter| filter.get("CFM").clone());
    match method.as_ref().and_then(Object::name) {
        Some(b"V2") => Ok(Method::Rc4),
        Some(b"AESV2") => Ok(Method::Aes128),
        Some(b"AESV3") => Ok(Method::Aes256),
        Some(b"None") => Ok(Method::Identity),
        _ => Err(Fault::Encrypted),
    }
}

/// Algorithm 2, with the empty password.
fn key_of(
    owner: &[u8],
    flags: u32,
    id: &[u8],
    length: usize,
    revision: i64,
    hide_metadata: bool,
) -> Vec<u8> {
    let mut md5 = Md5::new();
    md5.update(PADDING);
    md5.update(owner.get(..32).unwrap_or(owner));
    md5.update(flags.to_le_bytes());
    md5.update(id);
    if hide_metadata {
        md5.update([0xff; 4]);
    }
    let mut key = md5.finalize().to_vec();
    key.truncate(length);
    if revision >= 3 {
        for _ in 0..50 {
            key = Md5::digest(&key).to_vec();
            key.truncate(length);
        }
    }
    key
}

/// Algorithms 4 and 5: whether the key is that of the empty user password.
fn verify(key: &[u8], user: &[u8], id: &[u8], revision: i64) -> Result<()> {
    let expected = if revision == 2 {
        rc4(key, &PADDING)
    } else {
        let mut md5 = Md5::new();
        md5.update(PADDING);
        md5.update(id);
        let mut value = rc4(key, &md5.finalize());
        for round in 1..=19_u8 {
            let key: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
            value = rc4(&key, &value);
        }
        value
    };
    match user.starts_with(&expected) && !expected.is_empty() {
        true => Ok(()),
        false => Err(Fault::Encrypted),
    }
}

/// Algorithm 2.B, with the empty password and for users.
fn hash(salt: &[u8], revision: i64) -> Result<Vec<u8>> {
    let mut key = Sha256::digest(salt).to_vec();
    if revision == 5 {
        return Ok(key);
    }
    // The specification ends it by the bytes that come out; they are random, so it ends.
    for round in 0..2_000 {
        let input = key.repeat(64);
        let (cipher_key, start) = key.split_at_checked(16).ok_or(Fault::Encrypted)?;
        let cipher = Aes128::new_from_slice(cipher_key).map_err(|_| Fault::Encrypted)?;
        let mut out = Vec::with_capacity(input.len());
        let mut last = start.get(..16).ok_or(Fault::Encrypted)?.to_vec();
        for block in input.chunks(16) {
            let mixed: Vec<u8> = block.iter().zip(&last).map(|(one, other)| one ^ other).collect();
            let mut block = Block::<Aes128>::clone_from_slice(&mixed);
            cipher.encrypt_block(&mut block);
            last = block.to_vec();
            out.extend_from_slice(&last);
        }
        let choice = out.iter().take(16).map(|byte| u32::from(*byte)).sum::<u32>() % 3;
        key = match choice {
            0 => Sha256::digest(&out).to_vec(),
            1 => Sha384::digest(&out).to_vec(),
            _ => Sha512::digest(&out).to_vec(),
        };
        let end = out.last().copied().unwrap_or_default();
        if round >= 63 && i64::from(end) <= round - 31 {
            break;
        }
    }
    key.truncate(32);
    Ok(key)
}

/// AES in cipher block chaining mode; what is no whole block at the end goes.
fn decrypt_chain<C: BlockDecrypt>(cipher: &C, start: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut last = start;
    for chunk in data.chunks_exact(16) {
        let mut block = Block::<C>::clone_from_slice(chunk);
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(last).map(|(one, other)| one ^ other));
        last = chunk;
    }
    out
}

fn without_padding(mut data: Vec<u8>) -> Vec<u8> {
    if let Some(count @ 1..=16) = data.last().copied() {
        data.truncate(data.len().saturating_sub(usize::from(count)));
    }
    data
}

fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    if key.is_empty() {
        return data.to_vec();
    }
    let mut state = [0_u8; 256];
    for (place, value) in (0..=255).zip(state.iter_mut()) {
        *value = place;
    }
    let get = |state: &[u8; 256], place: u8| state.get(usize::from(place)).copied().unwrap_or(0);
    let mut other = 0_u8;
    for (place, byte) in (0..=255_u8).zip(key.iter().cycle()) {
        other = other.wrapping_add(get(&state, place)).wrapping_add(*byte);
        state.swap(usize::from(place), usize::from(other));
    }
    let (mut place, mut other) = (0_u8, 0_u8);
    data.iter()
        .map(|byte| {
            place = place.wrapping_add(1);
            other = other.wrapping_add(get(&state, place));
            state.swap(usize::from(place), usize::from(other));
            let sum = get(&state, place).wrapping_add(get(&state, other));
            byte ^ get(&state, sum)
        })
        .collect()
}
