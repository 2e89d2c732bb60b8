//! Word documents: what Word shows counts, and nothing else.

use crate::documents::{zip_of, WORD};
use openledger_documents::{read, Hidden, MediaType, Reading, TextError};

const SPACES: &str = "xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" \
    xmlns:wps=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\" \
    xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" \
    xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/wordml\" \
    xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
    xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:x=\"urn:nobody\" \
    xmlns:m=\"http://schemas.openxmlformats.org/officeDocument/2006/math\"";

const THEME: &str = "<a:theme xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\">\
    <a:themeElements><a:clrScheme name=\"x\"><a:dk1><a:sysClr val=\"windowText\" lastClr=\"000000\"/></a:dk1>\
    <a:lt1><a:sysClr val=\"window\" lastClr=\"FFFFFF\"/></a:lt1><a:dk2><a:srgbClr val=\"44546A\"/></a:dk2>\
    <a:lt2><a:srgbClr val=\"E7E6E6\"/></a:lt2><a:accent1><a:srgbClr val=\"4472C4\"/></a:accent1>\
    </a:clrScheme><a:fontScheme name=\"x\"><a:majorFont><a:latin typeface=\"Georgia\"/></a:majorFont>\
    <a:minorFont><a:latin typeface=\"Nothing\"/></a:minorFont></a:fontScheme></a:themeElements></a:theme>";

/// Styles that hide, by their ids; `%` stands for more of them.
const STYLES: &str = "<w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val=\"22\"/></w:rPr></w:rPrDefault></w:docDefaults>\
    <w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"/>\
    <w:style w:type=\"character\" w:styleId=\"Gone\"><w:rPr><w:vanish/></w:rPr></w:style>\
    <w:style w:type=\"character\" w:styleId=\"GoneToo\"><w:basedOn w:val=\"Gone\"/></w:style>\
    <w:style w:type=\"character\" w:styleId=\"Back\"><w:basedOn w:val=\"Gone\"/><w:rPr><w:vanish w:val=\"0\"/></w:rPr></w:style>\
    <w:style w:type=\"paragraph\" w:styleId=\"GonePara\"><w:rPr><w:vanish/></w:rPr></w:style>\
    <w:style w:type=\"paragraph\" w:styleId=\"WhitePara\"><w:rPr><w:color w:val=\"FFFFFF\"/></w:rPr></w:style>\
    <w:style w:type=\"paragraph\" w:styleId=\"DarkPara\"><w:basedOn w:val=\"WhitePara\"/><w:pPr><w:shd w:val=\"clear\" w:fill=\"222222\"/></w:pPr></w:style>\
    <w:style w:type=\"character\" w:styleId=\"Tiny\"><w:rPr><w:sz w:val=\"2\"/></w:rPr></w:style>\
    <w:style w:type=\"character\" w:styleId=\"Loop\"><w:basedOn w:val=\"Loop2\"/></w:style>\
    <w:style w:type=\"character\" w:styleId=\"Loop2\"><w:basedOn w:val=\"Loop\"/></w:style>\
    <w:style w:type=\"paragraph\" w:styleId=\"Flat\"><w:pPr><w:spacing w:line=\"1\" w:lineRule=\"exact\"/></w:pPr></w:style>\
    <w:style w:type=\"paragraph\" w:styleId=\"Far\"><w:pPr><w:ind w:left=\"-30000\"/></w:pPr></w:style>\
    <w:style w:type=\"paragraph\" w:styleId=\"FarToo\"><w:basedOn w:val=\"Far\"/></w:style>\
    <w:style w:type=\"table\" w:styleId=\"White\"><w:rPr><w:color w:val=\"FFFFFF\"/></w:rPr></w:style>\
    <w:style w:type=\"table\" w:styleId=\"Grid\"><w:tblStylePr w:type=\"firstRow\"><w:rPr><w:color w:val=\"FFFFFF\" w:themeColor=\"background1\"/></w:rPr>\
    <w:tcPr><w:shd w:val=\"clear\" w:fill=\"4472C4\" w:themeFill=\"accent1\"/></w:tcPr></w:tblStylePr></w:style>";

const KEY: &str = "001B70D0-4D2C-4C0B-9F2C-8D1E5A3F7B61";

/// A TrueType font in which every letter of ASCII is a glyph without an outline, disguised.
fn blank_font() -> Vec<u8> {
    let mut cmap: Vec<u8> = vec![0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12];
    // Format 12: one group from space to tilde, of glyphs from 1 on.
    cmap.extend([0, 12, 0, 0, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 1]);
    cmap.extend([0, 0, 0, 32, 0, 0, 0, 126, 0, 0, 0, 1]);
    let mut head = vec![0; 54];
    head[..4].copy_from_slice(&[0, 1, 0, 0]);
    head[18..20].copy_from_slice(&1000_u16.to_be_bytes());
    let maxp = [0, 1, 0, 0, 0, 96];
    let tables: [(&[u8; 4], &[u8]); 5] = [
        (b"cmap", &cmap),
        (b"glyf", &[0; 4]),
        (b"head", &head),
        (b"loca", &[0; 2 * 97]),
        (b"maxp", &maxp),
    ];
    let mut font = vec![0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0];
    let mut at = 12 + 16 * tables.len();
    for (name, table) in tables {
        font.extend(name);
        font.extend([0; 4]);
        font.extend((at as u32).to_be_bytes());
        font.extend((table.len() as u32).to_be_bytes());
        at += table.len();
    }
    font.extend(tables.iter().flat_map(|(_, table)| table.iter()));
    let digits: Vec<u32> = KEY.chars().filter_map(|sign| sign.to_digit(16)).collect();
    let key: Vec<u8> = digits.chunks(2).rev().map(|pair| (pair[0] * 16 + pair[1]) as u8).collect();
    for (place, byte) in font.iter_mut().take(32).enumerate() {
        *byte ^= key[place % 16];
    }
    font
}

fn document(body: &str, settings: &str) -> Vec<u8> {
    let xml = format!("<w:document {WORD} {SPACES}>{body}</w:document>");
    let styles = format!("<w:styles {WORD}>{STYLES}</w:styles>");
    let settings = format!("<w:settings {WORD}>{settings}</w:settings>");
    let fonts = format!(
        "<w:fonts {WORD} xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
         <w:font w:name=\"Nothing\"><w:embedRegular r:id=\"rId1\" w:fontKey=\"{{{KEY}}}\"/></w:font></w:fonts>"
    );
    let related = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/font\" \
        Target=\"fonts/font1.odttf\"/></Relationships>";
    zip_of(&[
        ("word/fontTable.xml", fonts.as_bytes()),
        ("word/_rels/fontTable.xml.rels", related.as_bytes()),
        ("word/fonts/font1.odttf", &blank_font()),
        ("word/document.xml", xml.as_bytes()),
        ("word/styles.xml", styles.as_bytes()),
        ("word/settings.xml", settings.as_bytes()),
        ("word/theme/theme1.xml", THEME.as_bytes()),
    ])
}

fn word(body: &str) -> Result<Reading, TextError> {
    read(MediaType::Docx, &document(&format!("<w:body>{body}</w:body>"), ""))
}

fn run(properties: &str) -> String {
    format!("<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>X</w:t></w:r></w:p>")
}

fn styled(paragraph: &str, run: &str) -> String {
    format!("<w:p><w:pPr>{paragraph}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t>X</w:t></w:r></w:p>")
}

fn boxed(shape: &str) -> String {
    let text = "<w:txbxContent><w:p><w:r><w:t>X</w:t></w:r></w:p></w:txbxContent>";
    format!("<w:p><w:r>{}</w:r></w:p>", shape.replace('%', text))
}

fn table(properties: &str, row: &str, cell: &str, run: &str) -> String {
    format!(
        "<w:tbl><w:tblPr>{properties}</w:tblPr><w:tr><w:trPr>{row}</w:trPr><w:tc><w:tcPr>{cell}</w:tcPr>\
         <w:p><w:r><w:rPr>{run}</w:rPr><w:t>X</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
}

const SEEN: &str = "<w:p><w:r><w:t>The river rose two metres in one night.</w:t></w:r></w:p>";
const WHITE: &str = "<w:color w:val=\"FFFFFF\"/>";

fn hiding() -> Vec<(String, Hidden)> {
    let drawing = |inside: &str| {
        boxed(&format!("<w:drawing><wp:anchor>{inside}<wps:wsp><wps:txbx>%</wps:txbx></wps:wsp></wp:anchor></w:drawing>"))
    };
    let vml = |style: &str| {
        boxed(&format!(
            "<w:pict><v:shape style=\"{style}\"><v:textbox>%</v:textbox></v:shape></w:pict>"
        ))
    };
    vec![
        (run("<w:vanish/>"), Hidden::Vanished),
        (run("<w:vanish w:val=\"true\"/>"), Hidden::Vanished),
        (run("<w:specVanish/>"), Hidden::Vanished),
        (run("<w:rStyle w:val=\"Gone\"/>"), Hidden::Vanished),
        (run("<w:rStyle w:val=\"GoneToo\"/>"), Hidden::Vanished),
        (styled("<w:pStyle w:val=\"GonePara\"/>", ""), Hidden::Vanished),
        (styled("<w:pStyle w:val=\"GonePara\"/>", "<w:rStyle w:val=\"Back\"/>"), Hidden::Vanished),
        (run(WHITE), Hidden::Faint),
        (run("<w:color w:val=\"fefefe\"/>"), Hidden::Faint),
        (run("<w:color w:val=\"F0F0F0\"/>"), Hidden::Faint),
        (run("<w:color w:val=\"000000\" w:themeColor=\"background1\"/>"), Hidden::Faint),
        (run("<w:color w:val=\"000000\" w:themeColor=\"accent1\" w:themeTint=\"0A\"/>"), Hidden::Faint),
        (styled("<w:pStyle w:val=\"WhitePara\"/>", ""), Hidden::Faint),
        (run("<w:color w:val=\"000000\"/><w:highlight w:val=\"black\"/>"), Hidden::Faint),
        (run("<w:color w:val=\"101010\"/><w:shd w:val=\"clear\" w:fill=\"000000\"/>"), Hidden::Faint),
        (run("<w:color w:val=\"0000FF\"/><w:shd w:val=\"solid\" w:color=\"0000FF\" w:fill=\"FFFFFF\"/>"), Hidden::Faint),
        (styled("<w:shd w:val=\"clear\" w:fill=\"333333\"/>", "<w:color w:val=\"333333\"/>"), Hidden::Faint),
        (table("", "", "<w:shd w:val=\"clear\" w:fill=\"4472C4\"/>", "<w:color w:val=\"4472C4\"/>"), Hidden::Faint),
        (table("<w:tblStyle w:val=\"White\"/>", "", "", ""), Hidden::Faint),
        (table("<w:tblStyle w:val=\"Grid\"/><w:tblLook w:val=\"0000\"/>", "", "", WHITE), Hidden::Faint),
        (run("<w14:textFill><w14:noFill/></w14:textFill>"), Hidden::Transparent),
        (run("<w14:textFill><w14:solidFill><w14:srgbClr w14:val=\"000000\"><w14:alpha w14:val=\"100000\"/></w14:srgbClr></w14:solidFill></w14:textFill>"), Hidden::Transparent),
        (run("<w14:textFill><w14:solidFill><w14:schemeClr w14:val=\"bg1\"/></w14:solidFill></w14:textFill>"), Hidden::Faint),
        (run("<w:sz w:val=\"2\"/>"), Hidden::Tiny),
        (run("<w:sz w:val=\"3\"/><w:szCs w:val=\"40\"/>"), Hidden::Tiny),
        (run("<w:rtl/><w:sz w:val=\"40\"/><w:szCs w:val=\"2\"/>"), Hidden::Tiny),
        (run("<w:rStyle w:val=\"Tiny\"/>"), Hidden::Tiny),
        (run("<w:w w:val=\"1\"/>"), Hidden::Tiny),
        (run("<w:spacing w:val=\"-300\"/>"), Hidden::Covered),
        (styled("<w:spacing w:line=\"2\" w:lineRule=\"exact\"/>", ""), Hidden::Clipped),
        (styled("<w:ind w:left=\"-30000\"/>", ""), Hidden::OffPage),
        (styled("<w:framePr w:w=\"2000\" w:x=\"30000\" w:y=\"1\"/>", ""), Hidden::OffPage),
        (styled("<w:framePr w:w=\"1\" w:h=\"1\" w:hRule=\"exact\"/>", ""), Hidden::Clipped),
        (table("", "<w:hidden/>", "", ""), Hidden::Vanished),
        (table("", "<w:trHeight w:val=\"10\" w:hRule=\"exact\"/>", "", ""), Hidden::Clipped),
        (table("<w:tblpPr w:tblpX=\"31000\" w:tblpY=\"1\"/>", "", "", ""), Hidden::OffPage),
        (drawing("<wp:docPr id=\"1\" name=\"b\" hidden=\"1\"/>"), Hidden::Vanished),
        (drawing("<wp:extent cx=\"0\" cy=\"900000\"/>"), Hidden::Clipped),
        (drawing("<wp:positionH><wp:posOffset>-90000000</wp:posOffset></wp:positionH>"), Hidden::OffPage),
        (vml("width:100pt;visibility:hidden"), Hidden::Vanished),
        (vml("display:none"), Hidden::Vanished),
        (vml("width:0;height:0pt"), Hidden::Clipped),
        (vml("margin-left:-9999pt;width:90pt"), Hidden::OffPage),
        (
            format!("<w:p><w:r><w:rPr><w:vanish/></w:rPr>{}", vml("width:90pt").trim_start_matches("<w:p><w:r>")),
            Hidden::Vanished,
        ),
        (filled("<a:gradFill><a:gsLst><a:gs pos=\"0\"><a:srgbClr val=\"000000\"/></a:gs><a:gs pos=\"100000\"><a:srgbClr val=\"0A0A0A\"/></a:gs></a:gsLst></a:gradFill>"), Hidden::Faint),
        (filled("<a:solidFill><a:srgbClr val=\"FFFFFF\"><a:lumMod val=\"0\"/></a:srgbClr></a:solidFill>"), Hidden::Faint),
        (filled("<a:solidFill><a:schemeClr val=\"bg1\"><a:shade val=\"2000\"/></a:schemeClr></a:solidFill>"), Hidden::Faint),
        (run("<w14:textFill><w14:solidFill><w14:schemeClr w14:val=\"tx1\"><w14:lumMod w14:val=\"0\"/><w14:lumOff w14:val=\"98000\"/></w14:schemeClr></w14:solidFill></w14:textFill>"), Hidden::Faint),
        (run("<w:color w:val=\"000000\"/><w:shd w:val=\"horzStripe\" w:color=\"000000\" w:fill=\"101010\"/>"), Hidden::Faint),
        (vml_filled("<v:fill color=\"black\"/>"), Hidden::Faint),
        (vml_filled("<v:fill type=\"gradient\" color=\"#000000\" color2=\"#050505\"/>"), Hidden::Faint),
        (run("<w:fitText w:val=\"20\"/>"), Hidden::Tiny),
        (run("<w:rFonts w:ascii=\"Nothing\"/>"), Hidden::Transparent),
        (run("<w:rFonts w:ascii=\"Times\" w:asciiTheme=\"minorAscii\"/>"), Hidden::Transparent),
        (styled("<w:ind w:left=\"-4000\"/>", ""), Hidden::OffPage),
        (styled("<w:ind w:left=\"12000\"/>", ""), Hidden::OffPage),
        (styled("<w:ind w:left=\"-2000\" w:right=\"11000\"/>", ""), Hidden::OffPage),
        (styled("<w:ind w:hanging=\"4000\"/>", ""), Hidden::OffPage),
        (styled("<w:framePr w:w=\"2000\" w:hAnchor=\"page\" w:x=\"12500\"/>", ""), Hidden::OffPage),
        (table("<w:tblInd w:w=\"12300\"/>", "", "", ""), Hidden::OffPage),
        (
            table("<w:tblInd w:w=\"-8000\"/>", "", "", "").replace("</w:tblPr>", "</w:tblPr><w:tblGrid><w:gridCol w:w=\"2000\"/><w:gridCol w:w=\"3000\"/></w:tblGrid>"),
            Hidden::OffPage,
        ),
        (placed(8_000_000, 0, ""), Hidden::OffPage),
        (styled("<w:pStyle w:val=\"Flat\"/>", ""), Hidden::Clipped),
        (styled("<w:pStyle w:val=\"FarToo\"/>", ""), Hidden::OffPage),
        (run("<w:position w:val=\"-9000\"/>"), Hidden::OffPage),
        (run("<w:vertAlign w:val=\"subscript\"/><w:sz w:val=\"5\"/>"), Hidden::Tiny),
        (table("", "", "<w:vMerge/>", ""), Hidden::Covered),
        (table("", "", "<w:hMerge w:val=\"continue\"/>", ""), Hidden::Covered),
        (math("<m:phant><m:phantPr><m:show m:val=\"0\"/></m:phantPr><m:e>%</m:e></m:phant>"), Hidden::Vanished),
        (math("<m:rad><m:radPr><m:degHide/></m:radPr><m:deg>%</m:deg><m:e/></m:rad>"), Hidden::Vanished),
        (
            "<w:p><w:fldSimple w:instr=\" SET a \"><w:r><w:t>X</w:t></w:r></w:fldSimple></w:p>".to_owned(),
            Hidden::Vanished,
        ),
        // Before its result a field is code, and some fields show none.
        (field("PAGE", "X", ""), Hidden::Vanished),
        (field("SET a", "", "X"), Hidden::Vanished),
    ]
}

/// A text box with a fill.
fn filled(fill: &str) -> String {
    boxed(&format!(
        "<w:drawing><wp:inline><wps:wsp><wps:spPr>{fill}</wps:spPr><wps:txbx>%</wps:txbx></wps:wsp></wp:inline></w:drawing>"
    ))
    .replace("<w:r><w:t>", "<w:r><w:rPr><w:color w:val=\"000000\"/></w:rPr><w:t>")
}

fn vml_filled(fill: &str) -> String {
    boxed(&format!(
        "<w:pict><v:rect style=\"width:90pt;height:90pt\" fillcolor=\"white\">{fill}<v:textbox>%</v:textbox></v:rect></w:pict>"
    ))
    .replace("<w:r><w:t>", "<w:r><w:rPr><w:color w:val=\"000000\"/></w:rPr><w:t>")
}

/// A text box without a fill at a place on the page, in EMU, of five inches by three.
fn placed(x: i64, y: i64, more: &str) -> String {
    let offset = |kind: &str, at: i64| {
        format!("<wp:position{kind} relativeFrom=\"page\"><wp:posOffset>{at}</wp:posOffset></wp:position{kind}>")
    };
    boxed(&format!(
        "<w:drawing><wp:anchor>{}{}<wp:extent cx=\"4572000\" cy=\"2743200\"/>{more}\
         <wps:wsp><wps:spPr><a:noFill/></wps:spPr><wps:txbx>%</wps:txbx></wps:wsp></wp:anchor></w:drawing>",
        offset("H", x),
        offset("V", y)
    ))
}

/// A shape of a page's size that has no text: `more` in its anchor, and its fill.
fn sheet(anchor: &str, more: &str, fill: &str) -> String {
    format!(
        "<w:p><w:r><w:drawing><wp:anchor {anchor}><wp:extent cx=\"7000000\" cy=\"9000000\"/>{more}<wps:wsp>\
         <wps:spPr>{fill}</wps:spPr></wps:wsp></wp:anchor></w:drawing></w:r></w:p>"
    )
}

const WHITE_FILL: &str = "<a:solidFill><a:srgbClr val=\"FFFFFF\"/></a:solidFill>";
const BREAK: &str = "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>";

#[test]
fn what_lies_in_front_of_a_page_hides_its_text() {
    let hidden = "<w:p><w:r><w:t>hideous</w:t></w:r></w:p>";
    let rect = "<w:p><w:r><w:pict><v:rect style=\"position:absolute;width:500pt;height:700pt;z-index:9\"/></w:pict></w:r></w:p>";
    for cover in [sheet("behindDoc=\"0\"", "<wp:wrapNone/>", WHITE_FILL), rect.to_owned()] {
        for page in [format!("{hidden}{cover}"), format!("{cover}{hidden}")] {
            let body = format!("{SEEN}{BREAK}{page}{BREAK}{SEEN}");
            let read = word(&body).unwrap();
            assert_eq!(read.text.matches("hideous").count(), 0, "{page}: {}", read.text);
            assert_eq!(read.text.matches("river").count(), 2, "{page}: {}", read.text);
            assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Covered, 7)], "{page}");
        }
        // No more than fits under it.
        let much = "<w:p><w:r><w:t>The rain fell on the hills above Oak Lane.</w:t></w:r></w:p>"
            .repeat(400);
        let error = word(&format!("{cover}{much}")).unwrap_err();
        let TextError::Hidden { hidden, counted, .. } = error else { panic!("{error}") };
        assert!(hidden > 4_000 && counted > 8_000, "{hidden} {counted}");
    }
    for shown in [
        sheet("behindDoc=\"1\"", "<wp:wrapNone/>", WHITE_FILL),
        sheet("behindDoc=\"0\"", "<wp:wrapSquare/>", WHITE_FILL),
        sheet("behindDoc=\"0\"", "<wp:wrapNone/>", "<a:noFill/>"),
        sheet(
            "behindDoc=\"0\"",
            "<wp:wrapNone/>",
            "<a:solidFill><a:srgbClr val=\"FFFFFF\"><a:alpha val=\"40000\"/></a:srgbClr></a:solidFill>",
        ),
        rect.replace("z-index:9", "z-index:-9"),
        rect.replace("700pt", "70pt"),
        rect.replace("\"/></w:pict>", "\"><w10:wrap xmlns:w10=\"urn:schemas-microsoft-com:office:word\" type=\"square\"/></v:rect></w:pict>"),
        format!("{}{BREAK}", sheet("behindDoc=\"0\"", "<wp:wrapNone/>", WHITE_FILL)),
    ] {
        let read = word(&format!("{shown}{SEEN}")).unwrap();
        assert_eq!(read.text.trim(), "The river rose two metres in one night.", "{shown}");
    }
}

#[test]
fn boxes_and_tables_at_one_place_of_a_page_count_once() {
    let first = placed(914_400, 914_400, "").replace(">X<", ">first<");
    let second = |x: i64| placed(x, 930_000, "").replace(">X<", ">second<");
    let read = word(&format!("{SEEN}{first}{}", second(920_000))).unwrap();
    assert!(read.text.contains("first") && !read.text.contains("second"), "{}", read.text);
    assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Covered, 7)]);
    for apart in
        [format!("{first}{BREAK}{}", second(920_000)), format!("{first}{}", second(5_000_000))]
    {
        let read = word(&apart).unwrap();
        assert!(read.text.contains("first") && read.text.contains("second"), "{}", read.text);
    }
    let at = |y: i64, word: &str| {
        let place = format!("<w:tblpPr w:horzAnchor=\"page\" w:vertAnchor=\"page\" w:tblpX=\"1500\" w:tblpY=\"{y}\"/>");
        table(&place, "", "", "").replace(">X<", &format!(">{word}<"))
    };
    let read = word(&format!("{SEEN}{}{}", at(2_000, "first"), at(2_000, "second"))).unwrap();
    assert!(read.text.contains("first") && !read.text.contains("second"), "{}", read.text);
    let read = word(&format!("{SEEN}{}{}", at(2_000, "first"), at(9_000, "second"))).unwrap();
    assert!(read.text.contains("second"), "{}", read.text);
}

fn math(inside: &str) -> String {
    let text = inside.replace('%', "<m:r><m:t>X</m:t></m:r>");
    format!("<w:p><m:oMath>{text}</m:oMath></w:p>")
}

fn field(code: &str, before: &str, result: &str) -> String {
    let part = |kind: &str| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    format!(
        "<w:p>{}<w:r><w:instrText> {code} </w:instrText></w:r><w:r><w:t>{before}</w:t></w:r>{}\
         <w:r><w:t>{result}</w:t></w:r>{}</w:p>",
        part("begin"),
        part("separate"),
        part("end")
    )
}

#[test]
fn what_nobody_sees_in_word_does_not_count_and_is_said() {
    for (body, why) in hiding() {
        let read = word(&format!("{SEEN}{}", body.replace(">X<", ">hideous<"))).unwrap();
        assert_eq!(read.text.trim_end(), "The river rose two metres in one night.", "{body}");
        assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(why, 7)], "{body}");
        match word(&format!(
            "{SEEN}{}",
            body.replace(">X<", &format!(">{}<", "hideous ".repeat(300)))
        )) {
            Err(TextError::Hidden { most, hidden: 2_399..=2_400, .. }) => {
                assert_eq!(most, why, "{body}")
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn what_word_shows_counts() {
    for body in [
        run("<w:vanish w:val=\"0\"/>"),
        run("<w:webHidden/>"),
        run("<w:rStyle w:val=\"Back\"/>"),
        // Toggles of two styles cancel each other, and the run has the last word.
        styled("<w:pStyle w:val=\"GonePara\"/>", "<w:rStyle w:val=\"Gone\"/>"),
        styled("<w:pStyle w:val=\"GonePara\"/>", "<w:vanish w:val=\"false\"/>"),
        styled("<w:pStyle w:val=\"DarkPara\"/>", ""),
        filled("<a:gradFill><a:gsLst><a:gs pos=\"0\"><a:srgbClr val=\"000000\"/></a:gs><a:gs pos=\"100000\"><a:srgbClr val=\"FFFFFF\"/></a:gs></a:gsLst></a:gradFill>"),
        vml_filled("<v:fill color=\"#cccccc\"/>"),
        run("<w:fitText w:val=\"840\"/>"),
        run("<w:rFonts w:ascii=\"Nothing\" w:asciiTheme=\"majorAscii\"/>"),
        run("<w:rFonts w:hAnsi=\"Nothing\"/>"),
        // Into the margin, and up to the page's edge.
        styled("<w:ind w:left=\"-1440\" w:right=\"-1440\"/>", ""),
        styled("<w:ind w:left=\"5000\" w:hanging=\"5000\"/>", ""),
        styled("<w:framePr w:w=\"2000\" w:hAnchor=\"page\" w:x=\"9500\"/>", ""),
        placed(6_000_000, 0, ""),
        table("<w:tblInd w:w=\"-1000\"/>", "", "", "").replace("</w:tblPr>", "</w:tblPr><w:tblGrid><w:gridCol w:w=\"2000\"/></w:tblGrid>"),
        // A mark's properties are not the text's.
        "<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:t>X</w:t></w:r></w:p>".to_owned(),
        // What a tracked change replaced.
        run("<w:b/><w:rPrChange><w:rPr><w:vanish/><w:color w:val=\"FFFFFF\"/></w:rPr></w:rPrChange>"),
        run("<w:color w:val=\"auto\"/>"),
        run("<w:color w:val=\"767676\"/>"),
        run(&format!("{WHITE}<w:shd w:val=\"clear\" w:fill=\"000000\"/>")),
        run(&format!("{WHITE}<w:highlight w:val=\"darkBlue\"/>")),
        run(&format!("{WHITE}<w:shd w:val=\"pct80\" w:color=\"000000\" w:fill=\"FFFFFF\"/>")),
        styled("<w:shd w:val=\"clear\" w:fill=\"auto\" w:themeFill=\"text2\"/>", WHITE),
        table("", "", "<w:shd w:val=\"clear\" w:fill=\"4472C4\"/>", WHITE),
        table("<w:tblStyle w:val=\"Grid\"/><w:tblLook w:val=\"04A0\" w:firstRow=\"1\"/>", "", "", ""),
        run("<w:rStyle w:val=\"Loop\"/>"),
        run("<w:sz w:val=\"4\"/>"),
        run("<w:position w:val=\"-12\"/><w:w w:val=\"50\"/>"),
        run("<w14:textFill><w14:solidFill><w14:srgbClr w14:val=\"4472C4\"/></w14:solidFill></w14:textFill>"),
        boxed("<w:pict><v:shape fillcolor=\"#4472c4 [3204]\"><v:textbox>%</v:textbox></v:shape></w:pict>")
            .replace("<w:r><w:t>X", &format!("<w:r><w:rPr>{WHITE}</w:rPr><w:t>X")),
        boxed("<w:drawing><wp:inline><wp:extent cx=\"900000\" cy=\"900000\"/><wps:wsp><wps:spPr><a:solidFill>\
               <a:schemeClr val=\"accent1\"/></a:solidFill><a:ln><a:solidFill><a:srgbClr val=\"FFFFFF\"/></a:solidFill></a:ln>\
               </wps:spPr><wps:txbx>%</wps:txbx></wps:wsp></wp:inline></w:drawing>")
            .replace("<w:r><w:t>X", &format!("<w:r><w:rPr>{WHITE}</w:rPr><w:t>X")),
        field("PAGE", "", "X"),
        styled("<w:pStyle w:val=\"FarToo\"/><w:ind w:left=\"100\"/>", ""),
        styled("<w:pStyle w:val=\"Flat\"/><w:spacing w:line=\"240\" w:lineRule=\"exact\"/>", ""),
        table("", "", "<w:vMerge w:val=\"restart\"/>", ""),
        math("<m:phant><m:phantPr><m:show/></m:phantPr><m:e>%</m:e></m:phant>"),
        math("<m:rad><m:radPr><m:degHide m:val=\"0\"/></m:radPr><m:deg>%</m:deg><m:e/></m:rad>"),
        "<w:p><w:ins><w:r><w:t>X</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>".to_owned(),
        "<w:p><w:hyperlink><w:smartTag><w:sdt><w:sdtContent><w:r><w:t>X</w:t></w:r></w:sdtContent></w:sdt></w:smartTag></w:hyperlink></w:p>".to_owned(),
        "<w:p><m:oMath><m:r><m:t>X</m:t></m:r></m:oMath></w:p>".to_owned(),
        "<w:p><w:r><w:t>X</w:t><w:softHyphen/></w:r></w:p>".to_owned(),
    ] {
        let read = word(&format!("{SEEN}{}", body.replace(">X<", ">beautiful<"))).unwrap();
        assert!(read.text.trim_end().ends_with("night.\nbeautiful") || read.text.contains("\n\nbeautiful"), "{body}: {}", read.text);
        assert!(read.left_out.is_empty(), "{body}: {:?}", read.left_out);
    }
}

#[test]
fn a_page_in_a_colour_is_what_text_stands_on_if_it_is_shown() {
    let body = format!(
        "<w:background w:color=\"000000\"/><w:body>{SEEN}{}{}</w:body>",
        run("<w:color w:val=\"FFFFFF\"/>").replace('X', "white"),
        run("<w:color w:val=\"010101\"/>").replace('X', "black"),
    );
    let shown = read(MediaType::Docx, &document(&body, "<w:displayBackgroundShape/>")).unwrap();
    assert!(shown.text.contains("white") && !shown.text.contains("black"), "{}", shown.text);
    let plain = read(MediaType::Docx, &document(&body, "")).unwrap();
    assert!(!plain.text.contains("white") && plain.text.contains("black"), "{}", plain.text);
}

#[test]
fn of_alternatives_the_one_that_word_shows_is_read() {
    let alternatives = |choices: &str| {
        let body =
            format!("<w:p><w:r><mc:AlternateContent>{choices}</mc:AlternateContent></w:r></w:p>");
        word(&format!("{SEEN}{body}")).unwrap().text
    };
    let choice = |requires: &str, text: &str| {
        format!("<mc:Choice Requires=\"{requires}\"><w:t>{text}</w:t></mc:Choice>")
    };
    let fallback = "<mc:Fallback><w:t>fallback</w:t></mc:Fallback>";
    for (choices, shown) in [
        (format!("{}{fallback}", choice("wps", "choice")), "choice"),
        (format!("{}{fallback}", choice("x", "unknown")), "fallback"),
        (format!("{}{fallback}", choice("wps x", "unknown")), "fallback"),
        (format!("{}{fallback}", choice("nothing", "unknown")), "fallback"),
        (format!("{}{}{fallback}", choice("w14", "first"), choice("wps", "second")), "first"),
        (choice("x", "unknown"), ""),
    ] {
        let text = alternatives(&choices);
        assert_eq!(
            text.trim_end(),
            format!("The river rose two metres in one night.\n{shown}").trim_end(),
            "{choices}"
        );
    }
}

#[test]
fn symbols_are_read_by_the_encoding_of_their_font() {
    let sign = |font: &str, code: &str| format!("<w:sym w:font=\"{font}\" w:char=\"{code}\"/>");
    let body = format!(
        "<w:p><w:r>{}{}{}{}{}</w:r></w:p>",
        sign("Symbol", "F061"),
        sign("Symbol", "00B3"),
        sign("Symbol", "F0CE"),
        sign("Arial", "00E9"),
        sign("Arial", "2022")
    );
    assert_eq!(word(&body).unwrap().text, "\u{3b1}\u{2265}\u{2208}\u{e9}\u{2022}\n");
    let read = word(&format!("{SEEN}<w:p><w:r>{}</w:r></w:p>", sign("Wingdings", "F04A"))).unwrap();
    assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Unmapped, 3)]);
}

#[test]
fn a_box_shows_no_more_than_it_has_room_for() {
    let drawing = |side: u32, text: &str| {
        let shape = format!(
            "<w:drawing><wp:inline><wp:extent cx=\"{0}\" cy=\"{0}\"/><wps:wsp><wps:txbx>%</wps:txbx></wps:wsp>\
             </wp:inline></w:drawing>",
            side * 12_700
        );
        word(&format!("{SEEN}{}", boxed(&shape).replace(">X<", &format!(">{text}<"))))
    };
    let text = "shown ".repeat(500);
    assert!(drawing(400, &text).unwrap().text.contains(text.trim_end()));
    let clipped = |read: Result<Reading, TextError>| match read {
        Err(TextError::Hidden { most: Hidden::Clipped, .. }) => {}
        other => panic!("{other:?}"),
    };
    clipped(drawing(20, &text));
    for body in [
        table("", "<w:trHeight w:val=\"200\" w:hRule=\"exact\"/>", "", ""),
        styled("<w:framePr w:w=\"400\" w:h=\"300\" w:hRule=\"exact\"/>", ""),
        boxed("<w:pict><v:shape style=\"width:20pt;height:.3in\"><v:textbox>%</v:textbox></v:shape></w:pict>"),
    ] {
        clipped(word(&format!("{SEEN}{}", body.replace(">X<", &format!(">{}<", text.repeat(5))))));
        assert!(word(&format!("{SEEN}{body}")).unwrap().left_out.is_empty(), "{body}");
    }
}

#[test]
fn sections_without_room_on_their_pages_show_nothing() {
    let section = |width: u32, left: u32| {
        format!("<w:sectPr><w:pgSz w:w=\"{width}\" w:h=\"15840\"/><w:pgMar w:left=\"{left}\" w:right=\"9\"/></w:sectPr>")
    };
    let in_paragraph =
        |section: &str| format!("<w:p><w:pPr>{section}</w:pPr><w:r><w:t>last</w:t></w:r></w:p>");
    let text = |body: &str| word(body).unwrap().text;
    let (wide, narrow) = (section(12_240, 1_000), section(12_240, 12_230));
    let nothing = word(&format!("{SEEN}{}{wide}", in_paragraph(&narrow)));
    assert_eq!(nothing, Err(TextError::NoText { media_type: MediaType::Docx }));
    assert!(text(&format!("{}{SEEN}{wide}", in_paragraph(&narrow))).starts_with("The river"));
    assert!(text(&format!("{}{SEEN}{narrow}", in_paragraph(&wide))).trim().ends_with("last"));
}

#[test]
fn the_same_box_at_the_same_place_counts_once() {
    let at = |offset: u32| {
        boxed(&format!(
            "<w:drawing><wp:anchor><wp:positionV><wp:posOffset>{offset}</wp:posOffset></wp:positionV><wps:wsp>\
             <wps:txbx>%</wps:txbx></wps:wsp></wp:anchor></w:drawing>"
        ))
    };
    let read = word(&format!("{SEEN}{}{}{}", at(5), at(5), at(6))).unwrap();
    assert_eq!(read.text.matches('X').count(), 2);
    assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Repeated, 2)]);
}

#[test]
fn text_beside_the_body_does_not_count() {
    let body = format!("<w:body>{SEEN}</w:body><w:p><w:r><w:t>hideous</w:t></w:r></w:p>");
    let read = read(MediaType::Docx, &document(&body, "")).unwrap();
    assert_eq!(read.text.trim_end(), "The river rose two metres in one night.");
    assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Vanished, 7)]);
}

#[test]
fn what_word_passes_over_does_not_count() {
    let foreign = "<x:any><w:p><w:r><w:t>hideous</w:t></w:r></w:p></x:any>";
    let read = word(&format!("{SEEN}{foreign}")).unwrap();
    assert_eq!(read.text, "The river rose two metres in one night.\n");
    assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Vanished, 7)]);
    let with_notes = |references: &str| {
        let document =
            format!("<w:document {WORD}><w:body>{SEEN}{references}</w:body></w:document>");
        let note = |id: u8| {
            format!(
                "<w:footnote w:id=\"{id}\"><w:p><w:r><w:t>note {id}</w:t></w:r></w:p></w:footnote>"
            )
        };
        let notes = format!("<w:footnotes {WORD}>{}{}{}</w:footnotes>", note(1), note(2), note(3));
        let files =
            [("word/document.xml", document.as_bytes()), ("word/footnotes.xml", notes.as_bytes())];
        read_file(&zip_of(&files))
    };
    let reference = |id: u8, properties: &str| {
        format!(
            "<w:p><w:r><w:rPr>{properties}</w:rPr><w:footnoteReference w:id=\"{id}\"/></w:r></w:p>"
        )
    };
    let read = with_notes(&format!("{}{}", reference(1, ""), reference(2, "<w:vanish/>")));
    assert!(read.text.contains("note 1") && !read.text.contains("note 2"), "{}", read.text);
    assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Vanished, 12)]);
}

#[test]
fn a_style_that_is_not_there_is_the_usual_one() {
    let styles = format!(
        "<w:styles {WORD}><w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"N\"><w:rPr><w:vanish/></w:rPr>\
         </w:style></w:styles>"
    );
    let body = format!("{SEEN}{}", run("<w:vanish w:val=\"0\"/>"));
    let body = body.replacen("<w:p>", "<w:p><w:pPr><w:pStyle w:val=\"Missing\"/></w:pPr>", 1);
    let document = format!("<w:document {WORD}><w:body>{body}</w:body></w:document>");
    let files =
        [("word/document.xml", document.as_bytes()), ("word/styles.xml", styles.as_bytes())];
    assert_eq!(read_file(&zip_of(&files)).text.trim(), "X");
}

fn read_file(bytes: &[u8]) -> Reading {
    read(MediaType::Docx, bytes).unwrap()
}

#[test]
fn a_document_of_hidden_text_alone_has_no_text() {
    let read = word(&run("<w:vanish/>").replace('X', "hideous"));
    assert_eq!(read, Err(TextError::NoText { media_type: MediaType::Docx }));
}
