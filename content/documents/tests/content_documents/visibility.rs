//! What of a PDF people see: each way to hide text, and what only looks like one.

use openledger_documents::{read, Hidden, MediaType, Reading, TextError};

/// A file of these objects, numbered from 1.
pub(crate) fn pdf_of(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    for (index, object) in objects.iter().enumerate() {
        out.extend(format!("{} 0 obj\n", index + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    out.extend(b"trailer <</Root 1 0 R>>\n");
    out
}

pub(crate) fn stream(entries: &str, data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    let mut out = format!("<<{entries}/Length {}>>stream\n", data.len()).into_bytes();
    out.extend(data);
    out.extend(b"\nendstream");
    out
}

/// A page of 200 by 200 points; `more` are objects from number 6 on, which `resources` name.
pub(crate) struct Page<'a> {
    pub(crate) content: &'a str,
    pub(crate) page: &'a str,
    pub(crate) resources: &'a str,
    pub(crate) catalog: &'a str,
    pub(crate) more: Vec<Vec<u8>>,
}

impl Page<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { content, page, resources, catalog, more } = self;
        let mut objects = vec![
            format!("<</Type/Catalog/Pages 2 0 R{catalog}>>").into_bytes(),
            b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 200]>>".to_vec(),
            format!(
                "<</Type/Page/Parent 2 0 R/Contents 4 0 R{page}\
                 /Resources<</Font<</F 5 0 R>>{resources}>>>>"
            )
            .into_bytes(),
            stream("", content),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec(),
        ];
        objects.extend(more.iter().cloned());
        pdf_of(&objects)
    }

    pub(crate) fn read(&self) -> Result<Reading, TextError> {
        read(MediaType::Pdf, &self.bytes())
    }
}

pub(crate) fn page(content: &str) -> Page<'_> {
    Page { content, page: "", resources: "", catalog: "", more: Vec::new() }
}

pub(crate) const SEEN: &str = "0 g BT /F 12 Tf 20 150 Td (seen) Tj ET ";

/// Checks that `seen` alone counts, and that the rest, `units` of it, is left out for `why`.
#[track_caller]
pub(crate) fn hides(page: &Page<'_>, why: Hidden, units: u64) {
    let reading = page.read().unwrap();
    assert_eq!(reading.text, "seen\n", "{:?}", reading.left_out);
    assert_eq!(reading.left_out.iter().collect::<Vec<_>>(), [(why, units)]);
}

/// Checks that all of it counts.
#[track_caller]
pub(crate) fn shows(page: &Page<'_>, text: &str) {
    let reading = page.read().unwrap();
    assert_eq!(reading.text, text, "{:?}", reading.left_out);
    assert!(reading.left_out.is_empty(), "{:?}", reading.left_out);
}

pub(crate) fn with(more: &str) -> String {
    format!("{SEEN}{more}")
}

#[test]
fn text_outside_of_the_page_is_left_out() {
    let far = with("BT /F 12 Tf 300 100 Td (hidden) Tj ET");
    hides(&page(&far), Hidden::OffPage, 6);
    let cropped = with("BT /F 12 Tf 20 20 Td (hidden) Tj ET");
    let cropped = Page { page: "/CropBox[0 100 200 200]", ..page(&cropped) };
    hides(&cropped, Hidden::OffPage, 6);
    // Turned pages are cut off as they lie in the file.
    let turned = Page { page: "/CropBox[0 100 200 200]/Rotate 90", ..page(cropped.content) };
    hides(&turned, Hidden::OffPage, 6);
    // A box without an area says nothing.
    let empty = Page { page: "/CropBox[9 9 9 9]", ..page(SEEN) };
    shows(&empty, "seen\n");
    // The tops of a line that stands below the page are no text to read.
    hides(&page(&with("BT /F 12 Tf 20 -1 Td (cut) Tj ET")), Hidden::OffPage, 3);
}

#[test]
fn text_that_is_clipped_away_is_left_out() {
    for clip in [
        "q 0 0 5 5 re W n BT /F 12 Tf 20 20 Td (hidden) Tj ET Q",
        // An empty rectangle, a triangle elsewhere, a hole by the even-odd rule.
        "q 20 20 0 0 re W n BT /F 12 Tf 20 20 Td (hidden) Tj ET Q",
        "q 100 100 m 150 100 l 150 150 l h W n BT /F 12 Tf 20 20 Td (hidden) Tj ET Q",
        "q 0 0 200 200 re 10 10 150 50 re W* n BT /F 12 Tf 20 20 Td (hidden) Tj ET Q",
        // By text that is a clip.
        "q BT /F 12 Tf 150 20 Td 7 Tr ( ) Tj ET 0 Tr BT /F 12 Tf 20 20 Td (hidden) Tj ET Q",
    ] {
        hides(&page(&with(clip)), Hidden::Clipped, 6);
    }
    let form = stream("/Subtype/Form/BBox[0 0 5 5]", "BT /F 12 Tf 20 20 Td (hidden) Tj ET");
    let content = with("/X Do");
    let boxed = Page { resources: "/XObject<</X 6 0 R>>", more: vec![form], ..page(&content) };
    hides(&boxed, Hidden::Clipped, 6);
    // What is inside of the clip is seen.
    shows(&page("q 10 140 100 40 re W n BT /F 12 Tf 20 150 Td (seen) Tj ET Q"), "seen\n");
    shows(&page("q 0 0 m 200 0 l 100 300 l h W n BT /F 12 Tf 90 50 Td (in) Tj ET Q"), "in\n");
}

#[test]
fn text_in_the_colour_of_what_lies_under_it_is_left_out() {
    let text = |paint: &str| with(&format!("{paint} BT /F 12 Tf 20 20 Td (hidden) Tj ET"));
    for paint in [
        "1 g",
        "0.97 g",
        "1 1 1 rg",
        "0 0 0 0 k",
        "1 1 0 rg",
        "/DeviceGray cs 1 sc",
        "/White cs 1 scn",
        "/Spot cs 0 scn",
        "/Few cs 1 sc",
        "/Icc cs 1 1 1 sc",
        "/Function cs 1 scn",
        // Dark on dark, and on a picture of one colour.
        "0 g 0 0 200 50 re f 0.02 g",
        "q 200 0 0 50 0 0 cm /Black Do Q 0 g",
        // Only the outline would be painted, in white.
        "1 G 1 Tr",
    ] {
        let content = text(paint);
        let more = vec![
            stream("/FunctionType 2/Domain[0 1]/C0[0]/C1[1]/N 1", ""),
            b"[/Separation/Brand/DeviceRGB<</FunctionType 2/Domain[0 1]/C0[1 1 1]/C1[1 0 0]/N 1>>]"
                .to_vec(),
            b"[/Indexed/DeviceRGB 1<000000ffffff>]".to_vec(),
            stream("/N 3", ""),
            stream("/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", [0]),
            stream("/FunctionType 4/Domain[0 1]/Range[0 1]", "{ dup 0 gt { pop 1 } if }"),
        ];
        let resources = "/ColorSpace<</White[/Separation/W/DeviceGray 6 0 R]/Spot 7 0 R/Few 8 0 R\
             /Icc[/ICCBased 9 0 R]/Function[/Separation/P/DeviceGray 11 0 R]>>\
             /XObject<</Black 10 0 R>>";
        let page = Page { resources, more, ..page(&content) };
        hides(&page, Hidden::Faint, 6);
    }
    // White on a dark head, black on a coloured row, a pale colour that is still one.
    shows(&page("0 0 0.4 rg 0 140 200 40 re f 1 g BT /F 12 Tf 20 150 Td (head) Tj ET"), "head\n");
    shows(&page("1 1 0 rg 0 140 200 40 re f 0 g BT /F 12 Tf 20 150 Td (row) Tj ET"), "row\n");
    shows(&page("0.8 g BT /F 12 Tf 20 150 Td (pale) Tj ET"), "pale\n");
    // On a picture whose colours are not known.
    let picture = stream(
        "/Subtype/Image/Width 9/Height 9/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/DCTDecode",
        b"\xff\xd8\xff",
    );
    let on_picture = Page {
        resources: "/XObject<</P 6 0 R>>",
        more: vec![picture],
        ..page("q 200 0 0 200 0 0 cm /P Do Q 1 g BT /F 12 Tf 20 150 Td (title) Tj ET")
    };
    shows(&on_picture, "title\n");
}

#[test]
fn text_that_is_too_small_to_read_is_left_out() {
    for content in [
        "BT /F 1.5 Tf 20 20 Td (hidden) Tj ET",
        "BT /F 1 Tf 1.9 0 0 1.9 20 20 Tm (hidden) Tj ET",
        "q 0.1 0 0 0.1 0 0 cm BT /F 12 Tf 20 20 Td (hidden) Tj ET Q",
        "BT /F 12 Tf 1 Tz 20 20 Td (hidden) Tj ET",
        "BT /F 12 Tf 1 0 0 0 20 20 Tm (hidden) Tj ET",
    ] {
        hides(&page(&with(content)), Hidden::Tiny, 6);
    }
    // A unit of ten points makes it large.
    let content = "BT /F 1.2 Tf 2 15 Td (seen) Tj ET";
    shows(&Page { page: "/UserUnit 10", ..page(content) }, "seen\n");
    shows(&page("BT /F 1 Tf 12 0 0 12 20 150 Tm (seen) Tj ET"), "seen\n");
}

#[test]
fn text_under_later_opaque_paint_is_left_out() {
    let cover = |cover: &str| format!("BT /F 12 Tf 20 20 Td (hidden) Tj ET {cover} {SEEN}");
    let more = || {
        vec![
            stream("/Subtype/Form/BBox[0 0 200 200]", "0.5 g 0 0 200 50 re f"),
            stream(
                "/Subtype/Image/Width 9/Height 9/BitsPerComponent 8/ColorSpace/DeviceRGB\
                 /Filter/DCTDecode",
                b"\xff\xd8\xff",
            ),
            stream("/Subtype/Image/Width 8/Height 1/ImageMask true/BitsPerComponent 1", [0]),
            b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1 1]/Function 10 0 R>>".to_vec(),
            b"<</FunctionType 2/Domain[0 1]/N 1>>".to_vec(),
        ]
    };
    let resources = "/XObject<</X 6 0 R/P 7 0 R/M 8 0 R>>/Shading<</S 9 0 R>>\
         /ExtGState<</Half<</ca 0.5>>/Multiply<</BM/Multiply>>>>";
    for paint in [
        "1 g 0 0 200 50 re f",
        "0 g 0 0 200 50 re B",
        "1 G 60 w 0 20 m 200 20 l S",
        "/X Do",
        "q 200 0 0 60 0 0 cm /P Do Q",
        "1 g q 200 0 0 60 0 0 cm /M Do Q",
        "q 0 0 200 50 re W n /S sh Q",
        "q 200 0 0 60 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \u{7f} EI Q",
    ] {
        let content = cover(paint);
        let page = Page { resources, more: more(), ..page(&content) };
        hides(&page, Hidden::Covered, 6);
    }
    // What lets it shine through, lies beside, or was painted before does not cover.
    for paint in [
        "/Half gs 1 1 0 rg 0 140 200 50 re f",
        "/Multiply gs 1 1 0 rg 0 140 200 50 re f",
        "1 g 0 0 200 50 re f",
        "0 G 0.5 w 0 155 m 200 155 l S",
    ] {
        let content = format!("{SEEN}{paint}");
        shows(&Page { resources, more: more(), ..page(&content) }, "seen\n");
    }
    shows(&page(&format!("0.9 g 0 140 200 50 re f {SEEN}")), "seen\n");
}

#[test]
fn text_that_leaves_no_mark_is_left_out() {
    let more = || {
        vec![
            stream(
                "/Subtype/Form/Group<</S/Transparency>>/BBox[0 0 200 200]",
                "BT /F 12 Tf 20 20 Td (hidden) Tj ET",
            ),
            stream(
                "/Subtype/Form/Group<</S/Transparency/CS/DeviceGray>>/BBox[0 0 200 200]",
                "0 g 0 0 200 200 re f",
            ),
            stream(
                "/Subtype/Form/Group<</S/Transparency/CS/DeviceGray>>/BBox[0 0 200 200]",
                "1 g 0 0 200 200 re f",
            ),
        ]
    };
    let resources = "/XObject<</X 6 0 R>>/ExtGState<</None<</ca 0/CA 0>>\
         /Masked<</SMask<</S/Luminosity/G 7 0 R>>>>/Through<</SMask<</S/Luminosity/G 8 0 R>>>>>>";
    for content in [
        "/None gs BT /F 12 Tf 20 20 Td (hidden) Tj ET",
        // A group is painted with what is in force around it.
        "/None gs /X Do",
        "/Masked gs BT /F 12 Tf 20 20 Td (hidden) Tj ET",
        "/Masked gs /X Do",
        // Modes that paint nothing, and no picture is there.
        "BT 3 Tr /F 12 Tf 20 20 Td (hidden) Tj ET",
        "q BT 7 Tr /F 12 Tf 20 20 Td (hidden) Tj ET Q",
    ] {
        let content = with(content);
        hides(&Page { resources, more: more(), ..page(&content) }, Hidden::Transparent, 6);
    }
    let through = "/Through gs BT /F 12 Tf 20 150 Td (seen) Tj ET";
    shows(&Page { resources, more: more(), ..page(through) }, "seen\n");
    // A title with a gradient inside of its letters.
    let gradient = "q BT 7 Tr /F 12 Tf 20 150 Td (seen) Tj ET 1 0 0 rg 0 140 200 50 re f Q";
    shows(&page(gradient), "seen\n");
}

/// A picture of `side` by `side` gray samples that `sample` gives.
pub(crate) fn picture(side: usize, sample: impl Fn(usize) -> u8) -> Vec<u8> {
    let data: Vec<u8> = (0..side * side).map(sample).collect();
    let entries = format!(
        "/Subtype/Image/Width {side}/Height {side}/BitsPerComponent 8/ColorSpace/DeviceGray"
    );
    stream(&entries, data)
}

#[test]
fn invisible_text_counts_over_a_scan_alone() {
    let text = "BT 3 Tr 0 g /F 12 Tf 20 20 Td (words) Tj ET";
    let image = "q 200 0 0 200 0 0 cm /P Do Q";
    let at = |content: &str, picture: Vec<u8>| {
        let resources = "/XObject<</P 6 0 R>>";
        Page { resources, more: vec![picture], ..page(content) }.read()
    };
    let scan = || picture(300, |place| (place * 7 % 251) as u8);
    // Over the picture, or drawn before it, as programs of recognition do.
    for content in [format!("{image} {text}"), format!("{text} {image}")] {
        assert_eq!(at(&content, scan()).unwrap().text, "words\n", "{content}");
    }
    // A picture of few pixels, one of a single colour, one that is hidden itself, one elsewhere.
    for (content, picture) in [
        (format!("{image} {text}"), picture(9, |place| place as u8)),
        (format!("{image} {text}"), picture(300, |_| 200)),
        (format!("{image} 1 g 0 0 200 200 re f {text}"), scan()),
        (format!("q 100 0 0 100 100 100 cm /P Do Q {text}"), scan()),
    ] {
        let error = at(&content, picture).unwrap_err();
        assert!(matches!(error, TextError::Hidden { hidden: 5, counted: 0, .. }), "{error}");
    }
}

#[test]
fn a_glyph_drawn_again_at_the_same_place_counts_once() {
    let line = "BT /F 12 Tf 20 150 Td (seen) Tj ET ";
    hides(&page(&line.repeat(4)), Hidden::Repeated, 12);
    // As bold letters and shadows are made.
    let shadow = "0.6 g BT /F 12 Tf 21 149 Td (seen) Tj ET 0 g BT /F 12 Tf 20 150 Td (seen) Tj ET";
    hides(&page(shadow), Hidden::Repeated, 4);
    // A page of letters on one spot is one blot.
    let pile: String = ('a'..='z').map(|c| format!("BT /F 12 Tf 20 20 Td ({c}) Tj ET ")).collect();
    let reading = page(&pile).read().unwrap();
    assert!(reading.text.chars().filter(|c| c.is_alphabetic()).count() <= 3, "{}", reading.text);
    // The same letters elsewhere are others.
    shows(&page("BT /F 12 Tf 20 150 Td (aaa) Tj 0 -20 Td (aaa) Tj ET"), "aaa\naaa\n");
}

#[test]
fn layers_that_are_off_are_left_out() {
    let more = || {
        vec![
            b"<</Type/OCG/Name(off)>>".to_vec(),
            b"<</Type/OCG/Name(on)>>".to_vec(),
            b"<</Type/OCMD/OCGs[6 0 R 7 0 R]/P/AllOn>>".to_vec(),
            b"<</Type/OCMD/VE[/Not 7 0 R]>>".to_vec(),
            stream("/Subtype/Form/OC 6 0 R", "BT /F 12 Tf 20 20 Td (hidden) Tj ET"),
        ]
    };
    let catalog = "/OCProperties<</OCGs[6 0 R 7 0 R]/D<</OFF[6 0 R]>>>>";
    let resources = "/Properties<</Off 6 0 R/On 7 0 R/All 8 0 R/Not 9 0 R>>/XObject<</X 10 0 R>>";
    let text = "BT /F 12 Tf 20 20 Td (hidden) Tj ET EMC";
    for content in [
        format!("/OC /Off BDC {text}"),
        format!("/OC /All BDC {text}"),
        format!("/OC /Not BDC {text}"),
        format!("/OC /Off BDC /Span <</MCID 0>> BDC {text} EMC"),
        "/X Do".to_owned(),
    ] {
        let content = with(&content);
        let page = Page { resources, catalog, more: more(), ..page(&content) };
        hides(&page, Hidden::LayerOff, 6);
    }
    let on = "/OC /On BDC BT /F 12 Tf 20 150 Td (seen) Tj ET EMC";
    shows(&Page { resources, catalog, more: more(), ..page(on) }, "seen\n");
    let state = "/OCProperties<</OCGs[6 0 R 7 0 R]/D<</BaseState/OFF/ON[7 0 R]>>>>";
    let content = with(&format!("/OC /Off BDC {text}"));
    let page = Page { resources, catalog: state, more: more(), ..page(&content) };
    hides(&page, Hidden::LayerOff, 6);
}

#[test]
fn a_stated_text_counts_as_far_as_its_glyphs_are_seen() {
    let hidden =
        with("/Span <</ActualText (secret)>> BDC 1 g BT /F 12 Tf 20 20 Td (secret) Tj ET EMC");
    hides(&page(&hidden), Hidden::Faint, 6);
    let seen = "/Span <</ActualText (seen)>> BDC BT /F 12 Tf 20 150 Td (seen) Tj ET EMC";
    shows(&page(seen), "seen\n");
}

#[test]
fn a_file_that_hides_much_is_refused_by_name() {
    let line = format!("1 g BT /F 2 Tf 20 20 Td ({}) Tj ET ", "hidden ".repeat(8));
    let few = with(&line.repeat(10));
    let reading = page(&few).read().unwrap();
    assert_eq!(reading.text, "seen\n", "up to 1,000 units are only left out");
    let many = with(&line.repeat(25));
    let error = page(&many).read().unwrap_err();
    assert!(matches!(error, TextError::Hidden { most: Hidden::Faint, counted: 5, .. }), "{error}");
    for word in ["hidden", "colour of its background", "20 %"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn operators_take_their_last_operands_as_viewers_do() {
    let text = |before: &str| with(&format!("{before} BT /F 12 Tf 20 20 Td (hidden) Tj ET"));
    hides(&page(&text("0 1 g")), Hidden::Faint, 6);
    hides(&page(&text("0 0 0 1 1 1 rg")), Hidden::Faint, 6);
    hides(&page(&text("0 3 Tr")), Hidden::Transparent, 6);
    hides(&page(&text("11 Tr")), Hidden::Transparent, 6);
    let far = with("BT /F 12 Tf 20 20 900 900 Td (hidden) Tj ET");
    hides(&page(&far), Hidden::OffPage, 6);
}

#[test]
fn states_and_layers_count_however_deep_they_nest() {
    let deep = format!(
        "1 g {} 0 g {} BT /F 12 Tf 20 20 Td (hidden) Tj ET {SEEN}",
        "q ".repeat(300),
        "Q ".repeat(300)
    );
    hides(&page(&deep), Hidden::Faint, 6);
    let error = page(&"q ".repeat(5_000)).read().unwrap_err();
    assert!(matches!(error, TextError::TooMuch { limit: 4096, .. }), "{error}");
}

#[test]
fn glyphs_that_procedures_draw_are_seen_as_they_are_drawn() {
    let resources = "/Font<</F 5 0 R/T 6 0 R>>";
    let glyph = |drawing: &str| {
        vec![
            b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]\
              /FirstChar 97/LastChar 97/Widths[600]/Encoding<</Differences[97/a]>>\
              /CharProcs<</a 7 0 R>>/Resources<<>>>>"
                .to_vec(),
            stream("", drawing),
        ]
    };
    let at = |drawing: &str, content: &str| {
        let page = Page { resources: "", more: glyph(drawing), ..page(content) };
        let bytes = String::from_utf8_lossy(&page.bytes()).replace("/Font<</F 5 0 R>>", resources);
        read(MediaType::Pdf, bytes.as_bytes())
    };
    let content = with("BT /T 12 Tf 20 20 Td (aaa) Tj ET");
    for (drawing, why) in [
        ("600 0 d0 1 g 0 0 600 700 re f", Hidden::Faint),
        ("600 0 0 0 600 700 d1 0 0 m 9 9 l n", Hidden::Transparent),
        ("600 0 0 0 600 700 d1 0 0 1 1 re f", Hidden::Transparent),
        ("600 0 0 0 600 700 d1 0 0 0 0 re f", Hidden::Transparent),
        ("600 0 0 0 600 700 d1 90000 0 600 700 re f", Hidden::Transparent),
        ("600 0 0 0 600 700 d1 9 9 1 1 re W n 300 300 300 400 re f", Hidden::Transparent),
    ] {
        let reading = at(drawing, &content).unwrap();
        assert_eq!(reading.text, "seen\n", "{drawing}: {:?}", reading.left_out);
        assert_eq!(reading.left_out.iter().collect::<Vec<_>>(), [(why, 3)], "{drawing}");
    }
    let drawn = "600 0 0 0 600 700 d1 0 0 500 700 re f";
    assert_eq!(at(drawn, &content).unwrap().text, "seen\n\naaa\n");
    // A glyph larger than any letter covers like any other paint.
    let cover = "1 g BT /F 12 Tf 20 20 Td 0 g (hidden) Tj ET 1 g BT /T 12 Tf 10 10 Td (a) Tj ET ";
    let block = "600 0 0 0 9000 9000 d1 -1000 -1000 9000 5000 re f";
    let reading = at(block, &format!("{cover}{SEEN}")).unwrap();
    assert!(!reading.text.contains("hidden"), "{reading:?}");
}

#[test]
fn narrow_letters_that_are_double_are_no_repetition() {
    for content in [
        "BT /F 12 Tf 80 Tz 20 150 Td (will fill all bills) Tj ET",
        "BT /F 12 Tf -0.3 Tc 20 150 Td (will fill all bills) Tj ET",
    ] {
        shows(&page(content), "will fill all bills\n");
    }
    // A title with its shadow is one, however large it is.
    let title: String =
        (0..5).map(|n| format!("BT /F 120 Tf {} 20 Td (B) Tj ET ", 20 + 6 * n)).collect();
    let reading = page(&title).read().unwrap();
    assert!(reading.text.matches('B').count() <= 2, "{reading:?}");
    // Lines on top of each other cannot be read.
    let smear: String = (0..40)
        .map(|n| format!("BT /F 12 Tf 20 {} Td (smear{n}) Tj ET ", 100.0 + f64::from(n) * 0.5))
        .collect();
    let reading = page(&smear).read().unwrap();
    assert!(reading.text.len() < 100, "{reading:?}");
}
