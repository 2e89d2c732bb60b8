//! Whether text is seen over what is painted: blend modes, patterns, masks and spaces of colour.

use super::visibility::{hides, page, shows, stream, with, Page, SEEN};
use openledger_documents::Hidden;

#[test]
fn blend_modes_mix_text_and_paint_with_what_lies_underneath() {
    let modes = ["Multiply", "Darken", "Overlay", "SoftLight", "ColorBurn"];
    let states = |modes: &[&str]| -> String {
        let states: Vec<String> =
            modes.iter().map(|mode| format!("/{mode}<</BM[/Unknown/{mode}]>>")).collect();
        format!("/ExtGState<<{}>>", states.concat())
    };
    for mode in modes {
        let content = with(&format!(
            "0 g 0 0 200 50 re f /{mode} gs 1 g BT /F 12 Tf 20 20 Td (hidden) Tj ET"
        ));
        let page = Page { resources: &states(&modes), ..page(&content) };
        hides(&page, Hidden::Faint, 6);
    }
    // What mixes lets the text be seen, unless nothing of it is left.
    for mode in ["Lighten", "Difference", "Screen", "Multiply"] {
        let colour = if mode == "Multiply" { "1 1 0 rg" } else { "0.2 g" };
        let content = format!("{SEEN} /{mode} gs {colour} 0 140 200 50 re f");
        shows(&Page { resources: &states(&[mode]), ..page(&content) }, "seen\n");
    }
    let black =
        format!("BT /F 12 Tf 20 20 Td (hidden) Tj ET q /Multiply gs 0 g 0 0 200 50 re f Q {SEEN}");
    hides(&Page { resources: &states(&["Multiply"]), ..page(&black) }, Hidden::Covered, 6);
}

#[test]
fn patterns_and_shadings_have_the_colours_that_they_paint() {
    let more = || {
        vec![
            stream(
                "/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9\
                 /Resources<<>>",
                "1 g 0 0 9 9 re f",
            ),
            stream(
                "/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9\
                 /Resources<<>>",
                "",
            ),
            b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1 1]/Function 9 0 R>>".to_vec(),
            b"<</FunctionType 2/Domain[0 1]/C0[1]/C1[1]/N 1>>".to_vec(),
            b"<</PatternType 2/Shading 8 0 R>>".to_vec(),
            stream(
                "/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 99 99]/XStep 99/YStep 99\
                 /Resources<<>>",
                "0 g 0 0 99 1 re f",
            ),
        ]
    };
    let resources = "/Pattern<</White 6 0 R/Empty 7 0 R/Shade 10 0 R/Lines 11 0 R>>\
         /Shading<</White 8 0 R>>";
    let text = "BT /F 12 Tf 20 20 Td (hidden) Tj ET";
    for (content, why) in [
        (format!("/Pattern cs /White scn {text}"), Hidden::Faint),
        (format!("/Pattern cs /Shade scn {text}"), Hidden::Faint),
        (format!("/Pattern cs /Empty scn {text}"), Hidden::Transparent),
        // As the ground of white text.
        (format!("q 0 0 200 50 re W n /White sh Q 1 g {text}"), Hidden::Faint),
        (format!("/Pattern cs /Empty scn 0 0 200 50 re f 1 g {text}"), Hidden::Faint),
        (format!("/Pattern cs /Lines scn 0 0 200 50 re f 1 g {text}"), Hidden::Faint),
    ] {
        let content = with(&content);
        hides(&Page { resources, more: more(), ..page(&content) }, why, 6);
    }
    // Hatching lets text be seen.
    let hatched = format!("{SEEN} /Pattern cs /Lines scn 0 140 200 50 re f");
    shows(&Page { resources, more: more(), ..page(&hatched) }, "seen\n");
}

#[test]
fn pictures_hide_and_show_as_their_masks_say() {
    let gray = |entries: &str, data: &[u8]| {
        let entries = format!(
            "/Subtype/Image/Width 2/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray{entries}"
        );
        stream(&entries, data)
    };
    let more = || {
        vec![
            gray("/Mask[0 0]", &[0, 0]),
            gray("/SMask 8 0 R", &[0, 0]),
            gray("", &[0, 0]),
            gray("/Decode[1 1]", &[0, 0]),
            gray("/SMask 11 0 R", &[0, 0]),
            gray("", &[248, 248]),
        ]
    };
    let resources = "/XObject<</Keyed 6 0 R/Unseen 7 0 R/White 9 0 R/Thick 10 0 R>>";
    let text = "BT /F 12 Tf 20 20 Td (hidden) Tj ET";
    // Grounds that are white, or not there.
    for name in ["Keyed", "Unseen", "White"] {
        let content = with(&format!("q 200 0 0 50 0 0 cm /{name} Do Q 1 g {text}"));
        hides(&Page { resources, more: more(), ..page(&content) }, Hidden::Faint, 6);
    }
    let covered = format!("{text} q 200 0 0 50 0 0 cm /Thick Do Q {SEEN}");
    hides(&Page { resources, more: more(), ..page(&covered) }, Hidden::Covered, 6);
    for name in ["Keyed", "Unseen"] {
        let content = format!("{SEEN} q 200 0 0 100 0 100 cm /{name} Do Q");
        shows(&Page { resources, more: more(), ..page(&content) }, "seen\n");
    }
}

#[test]
fn what_covers_little_by_little_covers() {
    let states = "/ExtGState<</Half<</ca 0.5>>>>";
    let veils = "1 g 0 0 200 50 re f ".repeat(8);
    let content = format!("BT /F 12 Tf 20 20 Td (hidden) Tj ET q /Half gs {veils} Q {SEEN}");
    hides(&Page { resources: states, ..page(&content) }, Hidden::Covered, 6);
    let lines: String = (0..60).map(|y| format!("0 {y} m 200 {y} l S ")).collect();
    let content = format!("BT /F 12 Tf 20 20 Td (hidden) Tj ET q 1 G 1.2 w {lines} Q {SEEN}");
    hides(&page(&content), Hidden::Covered, 6);
    let dot =
        format!("BT /F 12 Tf 20 20 Td (hidden) Tj ET q 1 G 90 w 1 J 40 24 m 40 24 l S Q {SEEN}");
    hides(&page(&dot), Hidden::Covered, 6);
    // A dashed line lets letters through.
    shows(&page(&format!("{SEEN} 9 w [3 3] 0 d 0 155 m 200 155 l S")), "seen\n");
}

#[test]
fn spaces_of_colour_are_what_the_resources_make_of_them() {
    let text = "BT /F 12 Tf 20 20 Td (hidden) Tj ET";
    let more = || vec![stream("/FunctionType 4/Domain[0 1]/Range[0 1]", "{ pop 1 }")];
    for (resources, paint, why) in [
        ("/ColorSpace<</DefaultGray[/Separation/X/DeviceGray 6 0 R]>>", "0 g", Hidden::Faint),
        (
            "/ColorSpace<</C[/CalGray<</WhitePoint[1 1 1]/Gamma 0.0001>>]>>",
            "/C cs 0.5 sc",
            Hidden::Faint,
        ),
        (
            "/ColorSpace<</N[/Separation/None/DeviceGray 6 0 R]>>",
            "/N cs 1 scn",
            Hidden::Transparent,
        ),
    ] {
        // Both texts are painted alike, but the seen one has a colour of its own.
        let content = format!("0 0 1 rg BT /F 12 Tf 20 150 Td (seen) Tj ET {paint} {text}");
        hides(&Page { resources, more: more(), ..page(&content) }, why, 6);
    }
}
