//! The little of protobuf that IPFS needs, read from borrowed bytes.
//!
//! Blocks and Bitswap messages come from strangers. Reading them field by field lets the callers
//! bound every repeated field while they read, where a generated decoder would first build the
//! whole message in memory, many times larger than its bytes.

/// Protobuf wire types that occur.
pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const LEN: u8 = 2;
pub(crate) const FIXED32: u8 = 5;

/// What is wrong with the bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("it ends in the middle of a field")]
    Truncated,
    #[error("a varint has more than 64 bits")]
    VarintTooLong,
    #[error("field number 0 or a wire type that does not exist")]
    BadKey,
}

/// A cursor over one message.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(WireError::Truncated)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(WireError::VarintTooLong);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::VarintTooLong)
    }

    /// The next field's number and wire type, or `None` at the end of the message.
    pub(crate) fn key(&mut self) -> Result<Option<(u64, u8)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let (field, kind) = (key >> 3, (key & 7) as u8);
        match kind {
            _ if field == 0 => Err(WireError::BadKey),
            VARINT | FIXED64 | LEN | FIXED32 => Ok(Some((field, kind))),
            _ => Err(WireError::BadKey),
        }
    }

    /// A length-delimited field's bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.varint()?).map_err(|_| WireError::Truncated)?;
        self.take(length)
    }

    /// Steps over a field that is of no interest.
    pub(crate) fn skip(&mut self, kind: u8) -> Result<(), WireError> {
        match kind {
            VARINT => self.varint().map(drop),
            FIXED64 => self.take(8).map(drop),
            FIXED32 => self.take(4).map(drop),
            LEN => self.bytes().map(drop),
            _ => Err(WireError::BadKey),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }
}

/// Appends a varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a varint field; zero is the default and is left out.
pub(crate) fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    if value != 0 {
        put_varint(out, field << 3 | u64::from(VARINT));
        put_varint(out, value);
    }
}

/// Appends a length-delimited field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | u64::from(LEN));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
