//! A document's streams, decrypted and through their filters.

use super::super::filter::{decode, Filter};
use super::super::object::Object;
use super::{Document, Stream};
use crate::budget::{damaged, Fault, Result};
use std::rc::Rc;

impl Document<'_> {
    /// A stream's bytes after its filters.
    pub(crate) fn decode(&mut self, stream: &Stream<'_>, limit: usize) -> Result<Vec<u8>> {
        let either = |long: &str, short: &str| match stream.dict.get(long) {
            Object::Null => stream.dict.get(short).clone(),
            found => found.clone(),
        };
        let names = self.list(&either("Filter", "F"))?;
        let parameters = self.list(&either("DecodeParms", "DP"))?;
        let mut filters = Vec::new();
        // A filter of encryption in a stream's own list is there to leave it as it is.
        let mut own_crypt = false;
        for (index, name) in names.iter().enumerate().take(16) {
            let name = self.resolve(name)?;
            let name = name.name().ok_or_else(|| damaged("a filter has no name"))?.to_vec();
            if name == b"Crypt" {
                own_crypt = true;
                continue;
            }
            let parameters = match parameters.get(index) {
                Some(found) => self.resolve(found)?.dict().cloned().unwrap_or_default(),
                None => Rc::default(),
            };
            filters.push(Filter { name, parameters });
        }
        match (&self.crypt, stream.id) {
            (Some(crypt), Some(id)) if !own_crypt => {
                let data = crypt.stream(&stream.dict, id, stream.data, &mut self.budget)?;
                decode(&data, &filters, limit, &mut self.budget)
            }
            _ => decode(stream.data, &filters, limit, &mut self.budget),
        }
    }

    /// [`Self::decode`] for what only matters where it can be had; `None` for damage, and for more than
    /// the limit.
    pub(crate) fn decode_or_none(
        &mut self,
        stream: &Stream<'_>,
        limit: usize,
    ) -> Result<Option<Vec<u8>>> {
        match self.decode(stream, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Fault::Damaged(_)) => Ok(None),
            Err(Fault::TooMuch { limit: reached, .. }) if reached == limit as u64 => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What a JPEG decoder is given: a stream's bytes, where its only filter is that of JPEG.
    pub(crate) fn decode_before_jpeg(&mut self, stream: &Stream<'_>) -> Result<Option<Vec<u8>>> {
        let named = match stream.dict.get("Filter") {
            Object::Null => stream.dict.get("F").clone(),
            found => found.clone(),
        };
        let names = self.list(&named)?;
        let [only] = names.as_slice() else { return Ok(None) };
        let only = self.resolve(only)?;
        if !matches!(only.name(), Some(b"DCTDecode" | b"DCT")) {
            return Ok(None);
        }
        self.budget.scan(stream.data.len())?;
        Ok(Some(match (&self.crypt, stream.id) {
            (Some(crypt), Some(id)) => {
                crypt.stream(&stream.dict, id, stream.data, &mut self.budget)?
            }
            _ => stream.data.to_vec(),
        }))
    }

    /// Whether all of a stream's filters are such as text has, not those of pictures.
    pub(crate) fn decodes(&mut self, stream: &Stream<'_>) -> Result<bool> {
        let names = match stream.dict.get("Filter") {
            Object::Null => stream.dict.get("F").clone(),
            found => found.clone(),
        };
        for name in self.list(&names)? {
            let name = self.resolve(&name)?;
            let picture: [&[u8]; 7] = [
                b"DCTDecode",
                b"DCT",
                b"JPXDecode",
                b"JBIG2Decode",
                b"CCITTFaxDecode",
                b"CCF",
                b"Crypt",
            ];
            if name.name().is_none_or(|name| picture.contains(&name)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
