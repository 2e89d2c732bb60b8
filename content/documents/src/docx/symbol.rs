//! The signs of the font Symbol (Adobe's Symbol encoding), as Word writes them by `w:sym`.

/// From space on.
const LOW: &str = " !∀#∃%&∋()∗+,−./0123456789:;<=>?\
    ≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_\
    \u{fffd}αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼";
/// From 0xa0 on.
const HIGH: &str = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓\
    ◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\u{fffd}⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭";

/// The character that a code of a font stands for, if that is known.
pub(super) fn character(font: &str, code: u32) -> Option<char> {
    // Codes of fonts with signs of their own are also written in the private use area.
    let own = match code {
        0xf020..=0xf0ff => Some(code - 0xf000),
        0x20..=0xff => Some(code),
        _ => None,
    };
    let name = font.to_ascii_lowercase();
    let symbols = ["symbol", "wingdings", "webdings", "dingbats", "marlett", "mt extra"];
    match own {
        Some(own @ 0x20..=0x7e) if name == "symbol" => LOW.chars().nth(own as usize - 0x20),
        Some(own @ 0xa0..=0xff) if name == "symbol" => HIGH.chars().nth(own as usize - 0xa0),
        Some(_) if symbols.iter().any(|symbol| name.contains(symbol)) => None,
        Some(own) => char::from_u32(own),
        None => {
            char::from_u32(code).filter(|character| !('\u{e000}'..='\u{f8ff}').contains(character))
        }
    }
    .filter(|character| *character != '\u{fffd}' && !character.is_control())
}
