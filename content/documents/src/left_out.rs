//! What stands in a file and does not count: text that nobody sees, text drawn again, empty parts of
//! images and sound.

use std::fmt;

/// One definition of the closed list: the variant, its name in JSON, what a person is told, and
/// whether it counts as hidden (docs/datasets.md has the same table).
macro_rules! hidden {
    ($($(#[$doc:meta])* $variant:ident $name:literal $text:literal $hides:literal;)*) => {
        /// Why text of a file is left out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Hidden {
            $($(#[$doc])* $variant,)*
        }

        impl Hidden {
            /// Every reason, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it says of text.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Whether its text is hidden, and so counts towards the refusal of a file; text that is
            /// seen, only not counted again, does not.
            pub fn hides(self) -> bool {
                match self { $(Self::$variant => $hides,)* }
            }
        }
    };
}

hidden! {
    /// Outside the part of the page that is shown.
    OffPage "off-page" "outside the page" true;
    /// Cut away by a clipping path.
    Clipped "clipped" "clipped away" true;
    /// Hardly another colour than what lies under it.
    Faint "faint" "in the colour of its background" true;
    /// Too small to be read.
    Tiny "tiny" "smaller than 2 pt" true;
    /// Under something opaque that is painted later.
    Covered "covered" "covered" true;
    /// Fully transparent, of a mode that draws nothing, or of a glyph without an outline.
    Transparent "transparent" "drawn without a mark" true;
    /// On a layer that is switched off.
    LayerOff "layer-off" "on a layer that is off" true;
    /// Marked as hidden by the document itself, or by a style.
    Vanished "vanished" "marked as hidden" true;
    /// A comment or hidden element of markup.
    Markup "markup" "in a comment or hidden markup" true;
    /// Characters that show nothing: zero-width, tags, variation selectors.
    Invisible "invisible" "made of characters that show nothing" true;
    /// More characters than one glyph may stand for.
    Excess "excess" "more than 4 characters of one glyph" true;
    /// Drawn again at the same place.
    Repeated "repeated" "drawn again at the same place" false;
    /// Without a stated character: U+FFFD is never counted.
    Unmapped "unmapped" "of signs without a stated character" false;
    /// More marks than are shown on one letter.
    Stacked "stacked" "of marks stacked on one letter" true;
    /// More blanks than the words around them pay for.
    Blank "blank" "of blanks beyond what is visible" false;
    /// Markup, link targets and tags beyond what the text around them pays for.
    Address "address" "of markup and link targets beyond what is visible" false;
    /// Invisible characters, few in a row, that only say how to lay out or join what is visible.
    Format "format" "of characters for the layout" false;
    /// Of an image: in a tile of 16 × 16 that shows one colour.
    Flat "flat" "in flat tiles" false;
    /// Of a sound: in a window of 100 ms that is silent, too low or too high to be heard.
    Silent "silent" "of silence" false;
    /// Of an image or sound: seen or heard before in it.
    Again "again" "seen or heard before" false;
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Units that were left out, by reason: bytes of the text as UTF-8, pixels, milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(std::collections::BTreeMap<Hidden, u64>);

impl LeftOut {
    /// Counts `units` more for a reason.
    pub fn add(&mut self, why: Hidden, units: u64) {
        if units > 0 {
            let sum = self.0.entry(why).or_default();
            *sum = sum.saturating_add(units);
        }
    }

    /// Units by reason, without those of none.
    pub fn iter(&self) -> impl Iterator<Item = (Hidden, u64)> + '_ {
        self.0.iter().map(|(why, units)| (*why, *units))
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Units that are hidden ([`Hidden::hides`]).
    pub fn hidden(&self) -> u64 {
        self.iter().filter(|(why, _)| why.hides()).fold(0, |sum, (_, n)| sum.saturating_add(n))
    }

    /// Why most of the hidden ones are.
    pub fn most(&self) -> Option<Hidden> {
        let hidden = self.iter().filter(|(why, _)| why.hides());
        hidden.max_by_key(|(_, units)| *units).map(|(why, _)| why)
    }
}
