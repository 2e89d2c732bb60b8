//! Contrast of colours (WCAG 2.2, "relative luminance" and "contrast ratio").

/// Relative luminance of red, green and blue from 0 to 255.
pub(crate) fn luminance(rgb: [f64; 3]) -> f64 {
    let linear = |value: f64| {
        let value = (value / 255.0).clamp(0.0, 1.0);
        if value <= 0.040_45 {
            value / 12.92
        } else {
            // ((v + 0.055) / 1.055)^2.4, by products and roots alone: `powf` is not the same on
            // every machine, and a unit is consensus. x^2.4 = x^2 · x^0.4, and x^0.4 by Newton.
            let base = (value + 0.055) / 1.055;
            let square = base * base;
            square * fifth_root(square)
        }
    };
    let [red, green, blue] = rgb.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The fifth root of a number from 0 to 1; x^0.4 is that of x².
fn fifth_root(value: f64) -> f64 {
    let mut root = 1.0_f64;
    for _ in 0..40 {
        let fourth = root * root * root * root;
        root -= (root * fourth - value) / (5.0 * fourth);
    }
    root
}

/// The contrast of two luminances, from 1 (none) to 21.
pub(crate) fn contrast(one: f64, other: f64) -> f64 {
    let (light, dark) = if one > other { (one, other) } else { (other, one) };
    (light + 0.05) / (dark + 0.05)
}
