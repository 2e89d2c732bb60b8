//! The tokens of a vocabulary in the order of their bytes, so that tokens that begin alike are looked at
//! together.

/// Tokens that stand for text.
#[derive(Debug, Default)]
pub struct Vocabulary {
    tokens: Vec<Token>,
    bytes: Vec<u8>,
    /// For each first byte, where the tokens behind those that begin with it are.
    behind: Vec<u32>,
    /// One more than the greatest id.
    ids: usize,
    /// Whether a space before the first token of a text is left out of the text.
    pub(super) leaves_out_space: bool,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    id: u32,
    begin: u32,
    len: u16,
    /// Bytes that it has in common with the token before.
    common: u16,
}

impl Vocabulary {
    /// From ids and their bytes; those without bytes are left out.
    pub fn new(tokens: impl IntoIterator<Item = (u32, Vec<u8>)>, leaves_out_space: bool) -> Self {
        let mut all: Vec<(Vec<u8>, u32)> =
            tokens.into_iter().filter(|(_, b)| !b.is_empty()).map(|(id, b)| (b, id)).collect();
        all.sort_unstable();
        let mut made = Self { behind: vec![0; 256], leaves_out_space, ..Self::default() };
        let mut before: &[u8] = &[];
        for (bytes, id) in &all {
            let common = before.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            made.tokens.push(Token {
                id: *id,
                begin: made.bytes.len() as u32,
                len: bytes.len().min(usize::from(u16::MAX)) as u16,
                common: common.min(usize::from(u16::MAX)) as u16,
            });
            made.bytes.extend_from_slice(bytes);
            made.ids = made.ids.max(*id as usize + 1);
            let first = bytes.first().map_or(0, |b| usize::from(*b));
            if let Some(behind) = made.behind.get_mut(first) {
                *behind = made.tokens.len() as u32;
            }
            before = bytes;
        }
        made
    }

    /// One more than the greatest id.
    pub(super) fn ids(&self) -> usize {
        self.ids
    }

    /// Calls `take` with each token all of whose bytes `step` follows from `start`.
    ///
    /// # Errors
    /// Those of `step`.
    pub(super) fn walk<S: Copy, E>(
        &self,
        start: S,
        mut step: impl FnMut(S, u8) -> Result<Option<S>, E>,
        mut take: impl FnMut(u32),
    ) -> Result<(), E> {
        // States after each byte of the token before, as far as they were followed.
        let mut states: Vec<S> = vec![start];
        let mut index = 0usize;
        while let Some(token) = self.tokens.get(index) {
            index += 1;
            let common = usize::from(token.common);
            if common >= states.len() {
                // It begins with what was not followed.
                continue;
            }
            states.truncate(common + 1);
            let begin = token.begin as usize;
            let bytes = self.bytes.get(begin..begin + usize::from(token.len)).unwrap_or(&[]);
            let mut whole = true;
            for byte in bytes.get(common..).unwrap_or(&[]) {
                let Some(state) = states.last() else { break };
                match step(*state, *byte)? {
                    Some(next) => states.push(next),
                    None => {
                        whole = false;
                        break;
                    }
                }
            }
            if whole {
                take(token.id);
            } else if states.len() == 1 {
                // None that begins with this byte can be followed.
                let first = bytes.first().map_or(0, |b| usize::from(*b));
                index = index.max(self.behind.get(first).map_or(0, |b| *b as usize));
            }
        }
        Ok(())
    }
}
