//! Which character a code means in the encodings that PDF defines, and how wide it is in the fonts
//! that every reader has (ISO 32000-1, Annex D; Adobe's font metrics).

use unicode_normalization::UnicodeNormalization;

/// One of PDF's own encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    WinAnsi,
    MacRoman,
    Standard,
    Symbol,
    /// ZapfDingbats.
    Dingbats,
}

impl Base {
    /// The text of a code, if it has one.
    pub(crate) fn text(self, code: u8) -> Option<String> {
        self.character(code).map(String::from)
    }

    fn character(self, code: u8) -> Option<char> {
        let (table, first) = match self {
            Self::WinAnsi => (WIN_ANSI, 0x80),
            Self::MacRoman => (MAC_ROMAN, 0x80),
            Self::Standard => (STANDARD, 0x20),
            Self::Symbol => (SYMBOL, 0x20),
            Self::Dingbats => (DINGBATS, 0x20),
        };
        match code.checked_sub(first) {
            Some(place) => table.chars().nth(usize::from(place)).filter(|c| *c != '\u{fffd}'),
            None => (0x20..0x7f).contains(&code).then_some(char::from(code)),
        }
    }
}

/// Width of a sign in one of the fonts that need no metrics in the file, in thousandths. What is no
/// ASCII has the width of its letter without accents.
pub(crate) fn standard_width(font: &str, text: Option<&str>) -> f64 {
    let bold = font.contains("Bold");
    let italic = font.contains("Italic") || font.contains("Oblique");
    let table = match font {
        _ if font.contains("Courier") => return 600.0,
        _ if font.contains("Times") && bold && italic => &TIMES_BOLD_ITALIC,
        _ if font.contains("Times") && bold => &TIMES_BOLD,
        _ if font.contains("Times") && italic => &TIMES_ITALIC,
        _ if font.contains("Times") => &TIMES_ROMAN,
        _ if bold => &HELVETICA_BOLD,
        _ => &HELVETICA,
    };
    let width = |character: char| {
        let place = usize::try_from(u32::from(character)).ok()?.checked_sub(0x20)?;
        table.get(place).copied().map(f64::from)
    };
    let plain = match text.and_then(|text| text.nfkd().next()) {
        Some('\u{2018}' | '\u{2019}' | '\u{201a}') => Some('\''),
        Some('\u{201c}' | '\u{201d}' | '\u{201e}') => Some('"'),
        Some('\u{2013}') => Some('n'),
        Some('\u{2014}') => return 1000.0,
        Some('\u{2022}') => Some('t'),
        other => other,
    };
    plain.and_then(width).unwrap_or(556.0)
}

/// WinAnsiEncoding from 0x80; what it leaves open is a bullet (Annex D.2, note 3).
const WIN_ANSI: &str = "\
    \u{20ac}\u{2022}\u{201a}\u{192}\u{201e}\u{2026}\u{2020}\u{2021}\u{2c6}\u{2030}\u{160}\
    \u{2039}\u{152}\u{2022}\u{17d}\u{2022}\u{2022}\u{2018}\u{2019}\u{201c}\u{201d}\u{2022}\
    \u{2013}\u{2014}\u{2dc}\u{2122}\u{161}\u{203a}\u{153}\u{2022}\u{17e}\u{178}\u{a0}\u{a1}\
    \u{a2}\u{a3}\u{a4}\u{a5}\u{a6}\u{a7}\u{a8}\u{a9}\u{aa}\u{ab}\u{ac}\u{ad}\u{ae}\u{af}\u{b0}\
    \u{b1}\u{b2}\u{b3}\u{b4}\u{b5}\u{b6}\u{b7}\u{b8}\u{b9}\u{ba}\u{bb}\u{bc}\u{bd}\u{be}\u{bf}\
    \u{c0}\u{c1}\u{c2}\u{c3}\u{c4}\u{c5}\u{c6}\u{c7}\u{c8}\u{c9}\u{ca}\u{cb}\u{cc}\u{cd}\u{ce}\
    \u{cf}\u{d0}\u{d1}\u{d2}\u{d3}\u{d4}\u{d5}\u{d6}\u{d7}\u{d8}\u{d9}\u{da}\u{db}\u{dc}\u{dd}\
    \u{de}\u{df}\u{e0}\u{e1}\u{e2}\u{e3}\u{e4}\u{e5}\u{e6}\u{e7}\u{e8}\u{e9}\u{ea}\u{eb}\u{ec}\
    \u{ed}\u{ee}\u{ef}\u{f0}\u{f1}\u{f2}\u{f3}\u{f4}\u{f5}\u{f6}\u{f7}\u{f8}\u{f9}\u{fa}\u{fb}\
    \u{fc}\u{fd}\u{fe}\u{ff}";

/// MacRomanEncoding from 0x80.
const MAC_ROMAN: &str = "\
    \u{c4}\u{c5}\u{c7}\u{c9}\u{d1}\u{d6}\u{dc}\u{e1}\u{e0}\u{e2}\u{e4}\u{e3}\u{e5}\u{e7}\u{e9}\
    \u{e8}\u{ea}\u{eb}\u{ed}\u{ec}\u{ee}\u{ef}\u{f1}\u{f3}\u{f2}\u{f4}\u{f6}\u{f5}\u{fa}\u{f9}\
    \u{fb}\u{fc}\u{2020}\u{b0}\u{a2}\u{a3}\u{a7}\u{2022}\u{b6}\u{df}\u{ae}\u{a9}\u{2122}\u{b4}\
    \u{a8}\u{2260}\u{c6}\u{d8}\u{221e}\u{b1}\u{2264}\u{2265}\u{a5}\u{b5}\u{2202}\u{2211}\
    \u{220f}\u{3c0}\u{222b}\u{aa}\u{ba}\u{3a9}\u{e6}\u{f8}\u{bf}\u{a1}\u{ac}\u{221a}\u{192}\
    \u{2248}\u{2206}\u{ab}\u{bb}\u{2026}\u{a0}\u{c0}\u{c3}\u{d5}\u{152}\u{153}\u{2013}\u{2014}\
    \u{201c}\u{201d}\u{2018}\u{2019}\u{f7}\u{25ca}\u{ff}\u{178}\u{2044}\u{20ac}\u{2039}\
    \u{203a}\u{fb01}\u{fb02}\u{2021}\u{b7}\u{201a}\u{201e}\u{2030}\u{c2}\u{ca}\u{c1}\u{cb}\
    \u{c8}\u{cd}\u{ce}\u{cf}\u{cc}\u{d3}\u{d4}\u{fffd}\u{d2}\u{da}\u{db}\u{d9}\u{131}\u{2c6}\
    \u{2dc}\u{af}\u{2d8}\u{2d9}\u{2da}\u{b8}\u{2dd}\u{2db}\u{2c7}";

/// StandardEncoding from 0x20; U+FFFD is no character.
const STANDARD: &str = "\
    \u{20}!\u{22}#$%&\u{2019}()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\u{5c}]^_\
    \u{2018}abcdefghijklmnopqrstuvwxyz{|}~\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{a1}\u{a2}\u{a3}\u{2044}\u{a5}\u{192}\
    \u{a7}\u{a4}'\u{201c}\u{ab}\u{2039}\u{203a}\u{fffd}\u{fffd}\u{fffd}\u{2013}\u{2020}\
    \u{2021}\u{b7}\u{fffd}\u{b6}\u{2022}\u{201a}\u{201e}\u{201d}\u{bb}\u{2026}\u{2030}\u{fffd}\
    \u{bf}\u{fffd}`\u{b4}\u{2c6}\u{2dc}\u{af}\u{2d8}\u{2d9}\u{a8}\u{fffd}\u{2da}\u{b8}\u{fffd}\
    \u{2dd}\u{2db}\u{2c7}\u{2014}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{c6}\u{fffd}\
    \u{aa}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{141}\u{d8}\u{152}\u{ba}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{e6}\u{fffd}\u{fffd}\u{fffd}\u{131}\u{fffd}\u{fffd}\u{142}\u{f8}\u{153}\
    \u{df}\u{fffd}\u{fffd}\u{fffd}\u{fffd}";

/// The Symbol font from 0x20.
const SYMBOL: &str = "\
    \u{20}!\u{2200}#\u{2203}%&\u{220b}()\u{2217}+,\u{2212}./0123456789:;<=>?\u{2245}\u{391}\
    \u{392}\u{3a7}\u{2206}\u{395}\u{3a6}\u{393}\u{397}\u{399}\u{3d1}\u{39a}\u{39b}\u{39c}\
    \u{39d}\u{39f}\u{3a0}\u{398}\u{3a1}\u{3a3}\u{3a4}\u{3a5}\u{3c2}\u{2126}\u{39e}\u{3a8}\
    \u{396}[\u{2234}]\u{22a5}_\u{fffd}\u{3b1}\u{3b2}\u{3c7}\u{3b4}\u{3b5}\u{3c6}\u{3b3}\u{3b7}\
    \u{3b9}\u{3d5}\u{3ba}\u{3bb}\u{b5}\u{3bd}\u{3bf}\u{3c0}\u{3b8}\u{3c1}\u{3c3}\u{3c4}\u{3c5}\
    \u{3d6}\u{3c9}\u{3be}\u{3c8}\u{3b6}{|}\u{223c}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{20ac}\u{3d2}\u{2032}\u{2264}\u{2044}\
    \u{221e}\u{192}\u{2663}\u{2666}\u{2665}\u{2660}\u{2194}\u{2190}\u{2191}\u{2192}\u{2193}\
    \u{b0}\u{b1}\u{2033}\u{2265}\u{d7}\u{221d}\u{2202}\u{2022}\u{f7}\u{2260}\u{2261}\u{2248}\
    \u{2026}\u{fffd}\u{fffd}\u{21b5}\u{2135}\u{2111}\u{211c}\u{2118}\u{2297}\u{2295}\u{2205}\
    \u{2229}\u{222a}\u{2283}\u{2287}\u{2284}\u{2282}\u{2286}\u{2208}\u{2209}\u{2220}\u{2207}\
    \u{fffd}\u{fffd}\u{fffd}\u{220f}\u{221a}\u{22c5}\u{ac}\u{2227}\u{2228}\u{21d4}\u{21d0}\
    \u{21d1}\u{21d2}\u{21d3}\u{25ca}\u{2329}\u{fffd}\u{fffd}\u{fffd}\u{2211}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{232a}\u{222b}\
    \u{2320}\u{fffd}\u{2321}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}";

/// ZapfDingbats from 0x20.
const DINGBATS: &str = "\
    \u{20}\u{2701}\u{2702}\u{2703}\u{2704}\u{260e}\u{2706}\u{2707}\u{2708}\u{2709}\u{261b}\
    \u{261e}\u{270c}\u{270d}\u{270e}\u{270f}\u{2710}\u{2711}\u{2712}\u{2713}\u{2714}\u{2715}\
    \u{2716}\u{2717}\u{2718}\u{2719}\u{271a}\u{271b}\u{271c}\u{271d}\u{271e}\u{271f}\u{2720}\
    \u{2721}\u{2722}\u{2723}\u{2724}\u{2725}\u{2726}\u{2727}\u{2605}\u{2729}\u{272a}\u{272b}\
    \u{272c}\u{272d}\u{272e}\u{272f}\u{2730}\u{2731}\u{2732}\u{2733}\u{2734}\u{2735}\u{2736}\
    \u{2737}\u{2738}\u{2739}\u{273a}\u{273b}\u{273c}\u{273d}\u{273e}\u{273f}\u{2740}\u{2741}\
    \u{2742}\u{2743}\u{2744}\u{2745}\u{2746}\u{2747}\u{2748}\u{2749}\u{274a}\u{274b}\u{25cf}\
    \u{274d}\u{25a0}\u{274f}\u{2750}\u{2751}\u{2752}\u{25b2}\u{25bc}\u{25c6}\u{2756}\u{25d7}\
    \u{2758}\u{2759}\u{275a}\u{275b}\u{275c}\u{275d}\u{275e}\u{fffd}\u{2768}\u{2769}\u{276a}\
    \u{276b}\u{276c}\u{276d}\u{276e}\u{276f}\u{2770}\u{2771}\u{2772}\u{2773}\u{2774}\u{2775}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
    \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{2761}\u{2762}\u{2763}\
    \u{2764}\u{2765}\u{2766}\u{2767}\u{2663}\u{2666}\u{2665}\u{2660}\u{2460}\u{2461}\u{2462}\
    \u{2463}\u{2464}\u{2465}\u{2466}\u{2467}\u{2468}\u{2469}\u{2776}\u{2777}\u{2778}\u{2779}\
    \u{277a}\u{277b}\u{277c}\u{277d}\u{277e}\u{277f}\u{2780}\u{2781}\u{2782}\u{2783}\u{2784}\
    \u{2785}\u{2786}\u{2787}\u{2788}\u{2789}\u{278a}\u{278b}\u{278c}\u{278d}\u{278e}\u{278f}\
    \u{2790}\u{2791}\u{2792}\u{2793}\u{2794}\u{2192}\u{2194}\u{2195}\u{2798}\u{2799}\u{279a}\
    \u{279b}\u{279c}\u{279d}\u{279e}\u{279f}\u{27a0}\u{27a1}\u{27a2}\u{27a3}\u{27a4}\u{27a5}\
    \u{27a6}\u{27a7}\u{27a8}\u{27a9}\u{27aa}\u{27ab}\u{27ac}\u{27ad}\u{27ae}\u{27af}\u{fffd}\
    \u{27b1}\u{27b2}\u{27b3}\u{27b4}\u{27b5}\u{27b6}\u{27b7}\u{27b8}\u{27b9}\u{27ba}\u{27bb}\
    \u{27bc}\u{27bd}\u{27be}\u{fffd}";

/// Widths of Helvetica from 0x20 to 0x7E, in thousandths.
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// Widths of Helvetica-Bold from 0x20 to 0x7E, in thousandths.
const HELVETICA_BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// Widths of Times-Roman from 0x20 to 0x7E, in thousandths.
const TIMES_ROMAN: [u16; 95] = [
    250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 500, 278, 278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611,
    556, 722, 722, 333, 389, 722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722,
    722, 611, 333, 278, 333, 469, 500, 333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500,
    278, 778, 500, 500, 500, 500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541,
];
/// Widths of Times-Bold from 0x20 to 0x7E, in thousandths.
const TIMES_BOLD: [u16; 95] = [
    250, 333, 555, 500, 500, 1000, 833, 278, 333, 333, 500, 570, 250, 333, 250, 278, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 500, 333, 333, 570, 570, 570, 500, 930, 722, 667, 722, 722, 667,
    611, 778, 778, 389, 500, 778, 667, 944, 722, 778, 611, 778, 722, 556, 667, 722, 722, 1000, 722,
    722, 667, 333, 278, 333, 581, 500, 333, 500, 556, 444, 556, 444, 333, 500, 556, 278, 333, 556,
    278, 833, 556, 500, 556, 556, 444, 389, 333, 556, 500, 722, 500, 500, 444, 394, 220, 394, 520,
];
/// Widths of Times-Italic from 0x20 to 0x7E, in thousandths.
const TIMES_ITALIC: [u16; 95] = [
    250, 333, 420, 500, 500, 833, 778, 214, 333, 333, 500, 675, 250, 333, 250, 278, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 500, 333, 333, 675, 675, 675, 500, 920, 611, 611, 667, 722, 611,
    611, 722, 722, 333, 444, 667, 556, 833, 667, 722, 611, 722, 611, 500, 556, 722, 611, 833, 611,
    556, 556, 389, 278, 389, 422, 500, 333, 500, 500, 444, 500, 444, 278, 500, 500, 278, 278, 444,
    278, 722, 500, 500, 500, 500, 389, 389, 278, 500, 444, 667, 444, 444, 389, 400, 275, 400, 541,
];
/// Widths of Times-BoldItalic from 0x20 to 0x7E, in thousandths.
const TIMES_BOLD_ITALIC: [u16; 95] = [
    250, 389, 555, 500, 500, 833, 778, 278, 333, 333, 500, 570, 250, 333, 250, 278, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 500, 333, 333, 570, 570, 570, 500, 832, 667, 667, 667, 722, 667,
    667, 722, 778, 389, 500, 667, 611, 889, 722, 722, 611, 722, 667, 556, 611, 722, 667, 889, 667,
    611, 611, 333, 278, 333, 570, 500, 333, 500, 500, 444, 500, 444, 333, 500, 556, 278, 278, 500,
    278, 778, 556, 500, 500, 500, 389, 389, 278, 556, 444, 667, 500, 444, 389, 348, 220, 348, 570,
];
