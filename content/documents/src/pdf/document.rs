//! A PDF's objects and pages.
//!
//! Objects are where the cross-reference chain says ([`super::xref`]), which is what viewers go by.
//! Only where the chain is broken, or an object that is needed is not where it says, the file is
//! looked through for `N G obj`: of several with one number the last one counts, and an object stream
//! counts where it stands. Where what is left of a broken chain contradicts that, the file is refused:
//! one viewer would show something else than another.

mod pages;
mod streams;

pub(crate) use pages::Page;

use super::crypt::{Crypt, Id};
use super::object::{is_space, Dict, Lexer, Object};
use super::xref::{self, Chain, Entry};
use crate::budget::{damaged, Budget, Fault, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most objects.
const MAX_OBJECTS: usize = 250_000;
/// Longest chain of references.
const MAX_CHAIN: usize = 16;
/// Largest object stream, decompressed.
const MAX_OBJECT_STREAM: usize = 8 << 20;
/// Object streams kept decompressed, together.
const CACHE: usize = 12 << 20;

/// Where an object is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the file, right after `obj`.
    File(usize),
    /// At this offset of the object stream with this number.
    Stream { container: u32, offset: usize },
}

/// A stream: its dictionary and its bytes as they are stored.
#[derive(Clone)]
pub(crate) struct Stream<'a> {
    pub(crate) dict: Rc<Dict>,
    pub(crate) data: &'a [u8],
    /// Of a stream that is an object of its own, and so may be encrypted.
    pub(crate) id: Option<Id>,
}

/// A file whose objects have been found.
pub(crate) struct Document<'a> {
    pub(crate) bytes: &'a [u8],
    /// Each object's place, and the position in the file that decides which one is the last.
    objects: BTreeMap<u32, (usize, Place)>,
    root: Object,
    /// Objects that are not where the chain says.
    missing: BTreeSet<u32>,
    /// Whether one of them was needed.
    pub(crate) missed: bool,
    crypt: Option<Crypt>,
    cache: Vec<(u32, Rc<Vec<u8>>)>,
    pub(crate) budget: Budget,
    /// What the fonts' signs are said to be, counted.
    pub(crate) letters: super::letters::Shared,
}

impl<'a> Document<'a> {
    /// Finds the objects by the chain of cross-references, or where it is broken, or `search` says so,
    /// by looking through the file.
    ///
    /// # Errors
    ///
    /// [`Fault::Encrypted`], [`Fault::Damaged`], [`Fault::Ambiguous`], [`Fault::TooMuch`].
    pub(crate) fn open(bytes: &'a [u8], search: bool) -> Result<Self> {
        let mut document = Self {
            bytes,
            objects: BTreeMap::new(),
            root: Object::Null,
            missing: BTreeSet::new(),
            missed: false,
            crypt: None,
            cache: Vec::new(),
            budget: Budget::new(bytes.len()),
            letters: Default::default(),
        };
        let chain = xref::follow(&mut document)?;
        if chain.whole && !search && document.open_by(&chain)? {
            return Ok(document);
        }
        document.open_by_search(&chain)?;
        Ok(document)
    }

    /// Takes the objects from where a chain says they are; `false` where that leads to no catalog.
    fn open_by(&mut self, chain: &Chain) -> Result<bool> {
        let mut containers = BTreeSet::new();
        for (number, entry) in &chain.entries {
            match entry {
                Entry::Free => {}
                Entry::File(Some(start)) => {
                    self.objects.insert(*number, (*start, Place::File(*start)));
                }
                Entry::File(None) => {
                    self.missing.insert(*number);
                }
                Entry::Stream { container, .. } => {
                    containers.insert(*container);
                }
            }
        }
        if self.objects.len() > MAX_OBJECTS || chain.entries.len() > 2 * MAX_OBJECTS {
            return Err(Fault::TooMuch { what: "objects", limit: MAX_OBJECTS as u64 });
        }
        let Some(newest) = chain.trailers.first() else { return Ok(false) };
        self.decrypt_by(newest)?;
        for container in containers {
            // A broken object stream takes its objects with it.
            let Ok(listed) = self.listed_in(container) else {
                for (number, entry) in &chain.entries {
                    if matches!(entry, Entry::Stream { container: of, .. } if *of == container) {
                        self.missing.insert(*number);
                    }
                }
                continue;
            };
            for (index, (number, offset)) in listed.into_iter().enumerate() {
                let stated = chain.entries.get(&number);
                if stated == Some(&Entry::Stream { container, index }) {
                    let place = Place::Stream { container, offset };
                    self.objects.insert(number, (0, place));
                }
            }
        }
        let root = newest.get("Root");
        if self.catalog(root)?.is_none() {
            self.objects.clear();
            self.missing.clear();
            self.cache.clear();
            return Ok(false);
        }
        self.root = root.clone();
        Ok(true)
    }

    /// Opens an encrypted document, if the trailer says that it is one.
    fn decrypt_by(&mut self, trailer: &Dict) -> Result<()> {
        self.crypt = None;
        if *trailer.get("Encrypt") == Object::Null {
            return Ok(());
        }
        let dict = self.resolve(trailer.get("Encrypt"))?;
        let Some(dict) = dict.dict().cloned() else { return Err(Fault::Encrypted) };
        let id = self.resolve(trailer.get("ID"))?;
        let first = id.array().and_then(|id| id.first()?.string()).unwrap_or_default();
        let crypt = Crypt::open(&dict, first)?;
        // What was read so far was read as it stands.
        self.cache.clear();
        self.crypt = Some(crypt);
        Ok(())
    }

    fn open_by_search(&mut self, chain: &Chain) -> Result<()> {
        let found = self.scan()?;
        // What a chain that is broken elsewhere says rightly is what some viewers show.
        for (number, entry) in &chain.entries {
            if let (Entry::File(Some(start)), Some((_, Place::File(last)))) =
                (entry, self.objects.get(number))
            {
                if start != last {
                    return Err(Fault::Ambiguous { object: *number });
                }
            }
        }
        if let Some(trailer) =
            found.trailers.iter().rev().find(|t| *t.get("Encrypt") != Object::Null)
        {
            self.decrypt_by(&trailer.clone())?;
        }
        for (position, container) in found.containers {
            // A broken object stream takes its objects with it; what needs them will say so.
            match self.index_stream(position, container) {
                Ok(()) | Err(Fault::Damaged(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        for trailer in found.trailers.iter().rev() {
            let root = trailer.get("Root");
            if self.root == Object::Null && self.catalog(root)?.is_some() {
                self.root = root.clone();
            }
        }
        if self.root == Object::Null {
            let numbers: Vec<u32> = self.objects.keys().copied().collect();
            for number in numbers {
                let reference = Object::Ref(number);
                let catalog = self.catalog(&reference)?;
                if catalog.is_some_and(|catalog| catalog.get("Type").is_name("Catalog")) {
                    self.root = reference;
                }
            }
        }
        if self.root == Object::Null {
            return Err(damaged("no catalog of pages is in it"));
        }
        Ok(())
    }

    fn catalog(&mut self, root: &Object) -> Result<Option<Rc<Dict>>> {
        let dict = self.resolve(root)?.dict().cloned();
        Ok(dict.filter(|dict| *dict.get("Pages") != Object::Null))
    }

    fn scan(&mut self) -> Result<Found> {
        let mut found = Found::default();
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let next = rest.iter().position(|byte| matches!(byte, b'o' | b't'));
            let step = next.unwrap_or(rest.len());
            self.budget.scan(step + 1)?;
            at += step;
            let rest = rest.get(step..).unwrap_or_default();
            if rest.starts_with(b"obj") {
                match object_number(self.bytes, at) {
                    Some(number) => at = self.found_object(number, at, &mut found)?,
                    None => at += 3,
                }
            } else if rest.starts_with(b"trailer") {
                let mut lexer = Lexer::new(self.bytes, at + 7);
                if let Some(Object::Dict(dict)) = lexer.object(&mut self.budget)? {
                    found.trailers.push(dict);
                }
                at = lexer.at.max(at + 7);
            } else {
                at += 1;
            }
        }
        Ok(found)
    }

    /// Notes the object whose `obj` is at `at`; answers where to look on.
    fn found_object(&mut self, number: u32, at: usize, found: &mut Found) -> Result<usize> {
        let start = at + 3;
        self.objects.insert(number, (at, Place::File(start)));
        if self.objects.len() > MAX_OBJECTS {
            return Err(Fault::TooMuch { what: "objects", limit: MAX_OBJECTS as u64 });
        }
        let mut lexer = Lexer::new(self.bytes, start);
        let Some(object) = lexer.object(&mut self.budget)? else { return Ok(lexer.at.max(start)) };
        let end = lexer.at;
        let Object::Dict(dict) = object else { return Ok(end) };
        let Some(data) = self.stream_start(end)? else { return Ok(end) };
        if dict.get("Type").is_name("XRef") {
            found.trailers.push(dict.clone());
        }
        if dict.get("Type").is_name("ObjStm") {
            found.containers.push((at, number));
        }
        let length = dict.get("Length").index(self.bytes.len());
        let (_, after) = self.stream_end(data, length)?;
        Ok(after)
    }

    /// Where the data of a stream begins, if `stream` comes next.
    fn stream_start(&mut self, at: usize) -> Result<Option<usize>> {
        let mut lexer = Lexer::new(self.bytes, at);
        lexer.skip_space();
        self.budget.scan(lexer.at - at)?;
        if !lexer.eat(b"stream") {
            return Ok(None);
        }
        let _ = lexer.eat(b"\r\n") || lexer.eat(b"\n") || lexer.eat(b"\r");
        Ok(Some(lexer.at))
    }

    /// Where a stream's data ends, and where the file goes on: as the length says if `endstream`
    /// stands there, else where the next `endstream` is, else at the end of the file.
    fn stream_end(&mut self, start: usize, length: Option<usize>) -> Result<(usize, usize)> {
        if let Some(end) = length.and_then(|length| start.checked_add(length)) {
            let mut lexer = Lexer::new(self.bytes, end);
            while lexer.peek().is_some_and(is_space) && lexer.at < end + 4 {
                lexer.at += 1;
            }
            if end <= self.bytes.len() && lexer.eat(b"endstream") {
                return Ok((end, lexer.at));
            }
        }
        let rest = self.bytes.get(start..).unwrap_or_default();
        let found = rest.windows(9).position(|window| window == b"endstream");
        let length = found.unwrap_or(rest.len());
        self.budget.scan(length)?;
        let mut end = start + length;
        // The line end before `endstream` is not data.
        for byte in [b'\n', b'\r'] {
            if end > start && self.bytes.get(end - 1) == Some(&byte) {
                end -= 1;
            }
        }
        Ok((end, start + length + if found.is_some() { 9 } else { 0 }))
    }

    /// The numbers and offsets of an object stream's objects.
    fn listed_in(&mut self, container: u32) -> Result<Vec<(u32, usize)>> {
        let wrong = || damaged("an object stream is broken");
        let stream = self.stream(&Object::Ref(container))?.ok_or_else(wrong)?;
        let count = self.get(&stream.dict, "N")?.index(MAX_OBJECTS).ok_or_else(wrong)?;
        let first = self.get(&stream.dict, "First")?.index(MAX_OBJECT_STREAM).ok_or_else(wrong)?;
        let data = self.container(container)?;
        let mut lexer = Lexer::new(&data, 0);
        let mut listed = Vec::new();
        for _ in 0..count {
            let number = lexer.object(&mut self.budget)?;
            let offset = lexer.object(&mut self.budget)?;
            let both = number.zip(offset).and_then(|(number, offset)| {
                Some((number.index(u32::MAX as usize)?, offset.index(MAX_OBJECT_STREAM)?))
            });
            let (number, offset) = both.ok_or_else(wrong)?;
            listed.push((number as u32, first + offset));
        }
        Ok(listed)
    }

    /// Notes the objects of an object stream.
    fn index_stream(&mut self, position: usize, container: u32) -> Result<()> {
        if self.objects.get(&container).is_none_or(|(at, _)| *at != position) {
            return Ok(());
        }
        for (number, offset) in self.listed_in(container)? {
            let place = Place::Stream { container, offset };
            let entry = self.objects.entry(number).or_insert((position, place));
            if entry.0 <= position {
                *entry = (position, place);
            }
            if self.objects.len() > MAX_OBJECTS {
                return Err(Fault::TooMuch { what: "objects", limit: MAX_OBJECTS as u64 });
            }
        }
        Ok(())
    }

    /// An object stream, decompressed. The last few are kept.
    fn container(&mut self, number: u32) -> Result<Rc<Vec<u8>>> {
        if let Some((_, data)) = self.cache.iter().find(|(cached, _)| *cached == number) {
            return Ok(data.clone());
        }
        let reference = Object::Ref(number);
        let stream = self.stream(&reference)?.ok_or_else(|| damaged("an object is missing"))?;
        let data = Rc::new(self.decode(&stream, MAX_OBJECT_STREAM)?);
        let size = |cache: &[(u32, Rc<Vec<u8>>)]| cache.iter().map(|(_, d)| d.len()).sum::<usize>();
        while !self.cache.is_empty() && size(&self.cache) + data.len() > CACHE {
            self.cache.remove(0);
        }
        self.cache.push((number, data.clone()));
        Ok(data)
    }

    /// Follows references to a value; what does not exist is null.
    pub(crate) fn resolve(&mut self, object: &Object) -> Result<Object> {
        let mut current = object.clone();
        for _ in 0..MAX_CHAIN {
            let Object::Ref(number) = current else { return Ok(current) };
            current = match self.objects.get(&number) {
                None => {
                    self.missed |= self.missing.contains(&number);
                    Object::Null
                }
                Some((_, Place::File(start))) => {
                    let start = *start;
                    let mut lexer = Lexer::new(self.bytes, start);
                    let object = lexer.object(&mut self.budget)?.unwrap_or(Object::Null);
                    match &self.crypt {
                        Some(crypt) => {
                            let id = id_before(self.bytes, start).unwrap_or((number, 0));
                            crypt.object(object, id, &mut self.budget)?
                        }
                        None => object,
                    }
                }
                Some((_, Place::Stream { container, offset })) => {
                    let (container, offset) = (*container, *offset);
                    // An object stream is never inside another one (7.5.7).
                    if !matches!(self.objects.get(&container), Some((_, Place::File(_)))) {
                        return Ok(Object::Null);
                    }
                    let data = self.container(container)?;
                    let mut lexer = Lexer::new(&data, offset);
                    lexer.object(&mut self.budget)?.unwrap_or(Object::Null)
                }
            };
        }
        Ok(Object::Null)
    }

    /// The value of a dictionary's key, references followed.
    pub(crate) fn get(&mut self, dict: &Dict, key: &str) -> Result<Object> {
        self.resolve(dict.get(key))
    }

    /// The stream that a reference stands for.
    pub(crate) fn stream(&mut self, reference: &Object) -> Result<Option<Stream<'a>>> {
        let mut current = reference.clone();
        for _ in 0..MAX_CHAIN {
            let Object::Ref(number) = current else { return Ok(None) };
            let Some((_, Place::File(start))) = self.objects.get(&number).copied() else {
                self.missed |= self.missing.contains(&number);
                return Ok(None);
            };
            let mut lexer = Lexer::new(self.bytes, start);
            if let Some(next @ Object::Ref(_)) = lexer.object(&mut self.budget)? {
                current = next;
                continue;
            }
            let id =
                self.crypt.is_some().then(|| id_before(self.bytes, start).unwrap_or((number, 0)));
            return self.stream_at(start, id);
        }
        Ok(None)
    }

    /// The stream whose dictionary begins at `start`.
    pub(crate) fn stream_at(&mut self, start: usize, id: Option<Id>) -> Result<Option<Stream<'a>>> {
        let mut lexer = Lexer::new(self.bytes, start);
        let Some(Object::Dict(dict)) = lexer.object(&mut self.budget)? else { return Ok(None) };
        let Some(data) = self.stream_start(lexer.at)? else { return Ok(None) };
        let length = match dict.get("Length") {
            // Never from an object stream: it might be this very one.
            Object::Ref(length) => match self.objects.get(length) {
                Some((_, Place::File(start))) => {
                    Lexer::new(self.bytes, *start).object(&mut self.budget)?
                }
                _ => None,
            },
            direct => Some(direct.clone()),
        };
        let length = length.and_then(|length| length.index(self.bytes.len()));
        let (end, _) = self.stream_end(data, length)?;
        let data = self.bytes.get(data..end).unwrap_or_default();
        let dict = match (&self.crypt, id) {
            // Strings of its dictionary, an indexed table for example.
            (Some(crypt), Some(id)) => {
                let opened = crypt.object(Object::Dict(dict.clone()), id, &mut self.budget)?;
                opened.dict().cloned().unwrap_or(dict)
            }
            _ => dict,
        };
        Ok(Some(Stream { dict, data, id }))
    }

    /// A number that differs from file to file, and is the same for one on every machine.
    pub(crate) fn seed(&self) -> u64 {
        let chunks = self.bytes.chunks(8);
        chunks.fold(self.bytes.len() as u64, |seed, chunk| {
            let value = chunk.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            (seed.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95)
        })
    }

    /// The document's catalog.
    pub(crate) fn catalog_dict(&mut self) -> Result<Option<Rc<Dict>>> {
        let root = self.root.clone();
        Ok(self.resolve(&root)?.dict().cloned())
    }

    /// An array's values, a single value as one, null as none.
    fn list(&mut self, object: &Object) -> Result<Vec<Object>> {
        Ok(match self.resolve(object)? {
            Object::Null => Vec::new(),
            Object::Array(items) => items.iter().take(16).cloned().collect(),
            single => vec![single],
        })
    }
}

/// What looking through a file finds beside its objects.
#[derive(Default)]
struct Found {
    trailers: Vec<Rc<Dict>>,
    /// Object streams: position and number.
    containers: Vec<(usize, u32)>,
}

/// Number and generation before `obj` at `at`.
fn object_id(bytes: &[u8], at: usize) -> Option<Id> {
    let mut place = at;
    let mut number = || {
        let spaces = back_over(bytes, &mut place, is_space);
        let end = place;
        let digits = back_over(bytes, &mut place, |byte| byte.is_ascii_digit());
        let text = std::str::from_utf8(bytes.get(place..end)?).ok()?;
        (spaces > 0 && (1..=10).contains(&digits)).then(|| text.parse::<u32>().ok())?
    };
    let generation = number()?;
    let number = number()?;
    (generation <= 65_535).then_some((number, generation))
}

fn object_number(bytes: &[u8], at: usize) -> Option<u32> {
    object_id(bytes, at).map(|(number, _)| number)
}

/// Number and generation of the object whose value begins at `start`.
fn id_before(bytes: &[u8], start: usize) -> Option<Id> {
    object_id(bytes, start.checked_sub(3)?)
}

/// Where the value of the object begins whose header stands at `at`, perhaps after white space; `None`
/// for another number than the wanted one.
pub(crate) fn object_header(bytes: &[u8], at: usize, wanted: Option<u32>) -> Option<usize> {
    let mut lexer = Lexer::new(bytes, at);
    lexer.skip_space();
    let mut digits = || {
        let start = lexer.at;
        while lexer.peek().is_some_and(|byte| byte.is_ascii_digit()) && lexer.at < start + 10 {
            lexer.at += 1;
        }
        let text = std::str::from_utf8(bytes.get(start..lexer.at)?).ok()?;
        let number = text.parse::<u32>().ok()?;
        lexer.skip_space();
        Some(number)
    };
    let number = digits()?;
    digits()?;
    let right = wanted.is_none_or(|wanted| wanted == number);
    (right && lexer.eat(b"obj")).then_some(lexer.at)
}

/// Steps back over at most 16 bytes of one kind; how many there were.
fn back_over(bytes: &[u8], at: &mut usize, kind: impl Fn(u8) -> bool) -> usize {
    let start = *at;
    while start - *at < 16 && *at > 0 && bytes.get(*at - 1).is_some_and(|byte| kind(*byte)) {
        *at -= 1;
    }
    start - *at
}
