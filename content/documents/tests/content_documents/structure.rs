//! How the objects of a PDF are found: cross-references, encryption, damage, annotations.

use openledger_documents::{canonical_text, read, Hidden, MediaType, TextError};

fn pdf(bytes: &[u8]) -> Result<String, TextError> {
    canonical_text(MediaType::Pdf, bytes)
}

/// A file under construction, with the offsets of its objects.
struct Writer {
    bytes: Vec<u8>,
    offsets: Vec<(u32, usize)>,
}

impl Writer {
    fn new() -> Self {
        Self { bytes: b"%PDF-1.7\n".to_vec(), offsets: Vec::new() }
    }

    fn object(&mut self, number: u32, value: impl AsRef<[u8]>) -> &mut Self {
        self.offsets.push((number, self.bytes.len()));
        self.bytes.extend(format!("{number} 0 obj\n").bytes());
        self.bytes.extend(value.as_ref());
        self.bytes.extend(b"\nendobj\n");
        self
    }

    fn stream(&mut self, number: u32, entries: &str, data: impl AsRef<[u8]>) -> &mut Self {
        let data = data.as_ref();
        let mut value = format!("<<{entries}/Length {}>>stream\n", data.len()).into_bytes();
        value.extend(data);
        value.extend(b"\nendstream");
        self.object(number, value)
    }

    /// A page that says `text`, as objects 1 to 5.
    fn page(&mut self, text: &str, entries: &str) -> &mut Self {
        self.object(1, "<</Type/Catalog/Pages 2 0 R>>")
            .object(2, "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 200]>>")
            .object(
                3,
                format!(
                    "<</Type/Page/Parent 2 0 R/Contents 4 0 R{entries}\
                     /Resources<</Font<</F 5 0 R>>>>>>"
                ),
            )
            .content(4, text)
            .object(5, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    }

    fn content(&mut self, number: u32, text: &str) -> &mut Self {
        self.stream(number, "", format!("BT /F 12 Tf 20 100 Td ({text}) Tj ET"))
    }

    /// A table of the objects written since the last one, and where it is.
    fn table(&mut self, trailer: &str) -> usize {
        let at = self.bytes.len();
        self.bytes.extend(b"xref\n0 1\n0000000000 65535 f \n");
        for (number, offset) in std::mem::take(&mut self.offsets) {
            self.bytes.extend(format!("{number} 1\n{offset:010} 00000 n \n").bytes());
        }
        self.bytes.extend(format!("trailer\n<</Root 1 0 R/Size 9{trailer}>>\n").bytes());
        at
    }

    fn end(&mut self, at: usize) -> Vec<u8> {
        self.bytes.extend(format!("startxref\n{at}\n%%EOF\n").bytes());
        self.bytes.clone()
    }
}

#[test]
fn an_object_that_no_table_reaches_does_not_exist() {
    let mut writer = Writer::new();
    let at = writer.page("shown", "").table("");
    // Another content for the same number, which only a search would find.
    writer.content(4, "smuggled in");
    assert_eq!(pdf(&writer.end(at)).unwrap(), "shown\n");
}

#[test]
fn the_newest_table_counts_and_what_it_frees_is_gone() {
    let mut writer = Writer::new();
    let first = writer.page("old", "").table("");
    let second = writer.content(4, "new").table(&format!("/Prev {first}"));
    assert_eq!(pdf(&writer.end(second)).unwrap(), "new\n");
    let third = writer.bytes.len();
    writer.bytes.extend(
        format!("xref\n4 1\n0000000000 00001 f \ntrailer\n<</Root 1 0 R/Size 9/Prev {second}>>\n")
            .bytes(),
    );
    let error = pdf(&writer.end(third)).unwrap_err();
    assert!(matches!(error, TextError::NoText { .. }), "{error}");
}

#[test]
fn a_broken_chain_is_mended_by_a_search_and_contradictions_are_refused() {
    let mut writer = Writer::new();
    let at = writer.page("words", "").table("");
    // The table is not where it should be: bytes were put in or taken out on the way.
    assert_eq!(pdf(&writer.end(at + 3)).unwrap(), "words\n");
    let mut writer = Writer::new();
    writer.page("words", "").table("");
    assert_eq!(pdf(&writer.bytes).unwrap(), "words\n", "no startxref");
    // Lines of a mail before the header.
    let mut writer = Writer::new();
    let at = writer.page("words", "").table("");
    let bytes = [b"Content-Type: application/pdf\r\n\r\n".as_slice(), &writer.end(at)].concat();
    assert_eq!(pdf(&bytes).unwrap(), "words\n");
    // A loop.
    let mut writer = Writer::new();
    let at = writer.page("words", "").bytes.len();
    let at = writer.table(&format!("/Prev {at}"));
    assert_eq!(pdf(&writer.end(at)).unwrap(), "words\n");

    // One viewer follows what is left of the chain, another searches: they show different pages.
    let mut writer = Writer::new();
    let first = writer.page("what one shows", "").table("/Prev 7");
    writer.content(4, "what another shows");
    let error = pdf(&writer.end(first)).unwrap_err();
    assert!(matches!(error, TextError::Ambiguous { object: 4, .. }), "{error}");
}

#[test]
fn an_object_that_is_not_where_it_should_be_is_searched_for_if_it_is_needed() {
    let mut writer = Writer::new();
    writer.page("words", "");
    for (number, offset) in &mut writer.offsets {
        if *number == 4 {
            *offset += 2;
        }
    }
    let at = writer.table("");
    assert_eq!(pdf(&writer.end(at)).unwrap(), "words\n");
    // One that nothing needs may be anywhere.
    let mut writer = Writer::new();
    writer.page("words", "").offsets.push((8, 3));
    let at = writer.table("");
    writer.content(4, "smuggled in");
    assert_eq!(pdf(&writer.end(at)).unwrap(), "words\n");
}

#[test]
fn hybrid_files_are_read_as_new_programs_read_them() {
    let mut writer = Writer::new();
    writer.page("visible to both", "");
    // Object 4 is free to old programs; the stream beside the table says where it is.
    let hidden = writer.offsets.iter().find(|(number, _)| *number == 4).unwrap().1;
    writer.offsets.retain(|(number, _)| *number != 4);
    let beside = writer.bytes.len();
    let row = [&[1_u8][..], &(hidden as u32).to_be_bytes(), &[0]].concat();
    writer.stream(9, "/Type/XRef/Size 9/W[1 4 1]/Index[4 1]/Root 1 0 R", row);
    writer.offsets.retain(|(number, _)| *number != 9);
    let at = writer.bytes.len();
    let table = writer.table(&format!("/XRefStm {beside}"));
    assert_eq!(at, table);
    assert_eq!(pdf(&writer.end(at)).unwrap(), "visible to both\n");
}

#[test]
fn a_wrong_checksum_over_complete_data_is_no_damage() {
    let content = b"BT /F 12 Tf 20 100 Td (deflated) Tj ET";
    // One stored block.
    let mut data = vec![0x78, 0x01, 1];
    data.extend((content.len() as u16).to_le_bytes());
    data.extend((!(content.len() as u16)).to_le_bytes());
    data.extend(content);
    for end in [&b"\0\0\0\0"[..], b"", b"\x12"] {
        let mut writer = Writer::new();
        writer.page("", "").offsets.retain(|(number, _)| *number != 4);
        writer.stream(4, "/Filter/FlateDecode", [&data[..], end].concat());
        let at = writer.table("");
        assert_eq!(pdf(&writer.end(at)).unwrap(), "deflated\n", "{end:?}");
    }
}

#[test]
fn a_file_that_opens_without_a_password_is_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.join("tests/content_documents/documents/encrypted");
    let names = ["rc4-40", "rc4-128", "aes-128", "aes-256-r5", "aes-256", "rc4-128-no-metadata"];
    for name in names {
        let bytes = std::fs::read(folder.join(format!("{name}.pdf"))).unwrap();
        assert_eq!(pdf(&bytes).unwrap(), "Open without a password.\n", "{name}");
    }
    for name in ["rc4-128", "aes-256"] {
        let bytes = std::fs::read(folder.join(format!("{name}-user.pdf"))).unwrap();
        let error = pdf(&bytes).unwrap_err();
        assert!(matches!(error, TextError::Encrypted { .. }), "{name}: {error}");
    }
}

/// A page with an annotation, object 6, whose appearance is object 7.
fn annotated(annotation: &str, appearance: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.page("page", "/Annots[6 0 R]");
    writer.object(6, format!("<</Type/Annot/Rect[20 20 120 60]{annotation}>>"));
    writer.stream(
        7,
        "/Subtype/Form/BBox[0 0 50 20]/Resources<</Font<</F 5 0 R>>>>",
        format!("BT /F 9 Tf 2 5 Td ({appearance}) Tj ET"),
    );
    let at = writer.table("");
    writer.end(at)
}

#[test]
fn what_annotations_show_is_read_after_the_page() {
    let text = pdf(&annotated("/Subtype/FreeText/AP<</N 7 0 R>>", "note")).unwrap();
    assert_eq!(text, "page\n\nnote\n");
    // A box that is ticked, in the state that it has.
    let field = "/Subtype/Widget/FT/Btn/AS/Yes/AP<</N<</Yes 7 0 R/Off 8 0 R>>>>";
    assert_eq!(pdf(&annotated(field, "tick")).unwrap(), "page\n\ntick\n");
    let off = "/Subtype/Widget/FT/Btn/AS/Off/AP<</N<</Yes 7 0 R>>>>";
    assert_eq!(pdf(&annotated(off, "tick")).unwrap(), "page\n");
    for flags in [2, 32] {
        let hidden = format!("/Subtype/FreeText/F {flags}/AP<</N 7 0 R>>");
        let reading = read(MediaType::Pdf, &annotated(&hidden, "note")).unwrap();
        assert_eq!(reading.text, "page\n");
        assert_eq!(reading.left_out.iter().collect::<Vec<_>>(), [(Hidden::LayerOff, 4)]);
    }
    // What opens in a window of its own is not on the page.
    assert_eq!(pdf(&annotated("/Subtype/Text/Contents(a comment)", "")).unwrap(), "page\n");
    assert_eq!(pdf(&annotated("/Subtype/Popup/AP<</N 7 0 R>>", "x")).unwrap(), "page\n");
}

#[test]
fn a_field_without_an_appearance_counts_as_its_value() {
    let text = pdf(&annotated("/Subtype/Widget/FT/Tx/V(Jane Doe)", "")).unwrap();
    assert_eq!(text, "page\n\nJane Doe\n");
    // As far as there is room for it.
    let much = format!("/Subtype/Widget/FT/Tx/V({})", "much ".repeat(2_000));
    let text = pdf(&annotated(&much, "")).unwrap();
    assert!(text.len() < 200, "{} bytes in 100 by 40 points", text.len());
}

/// A form that asks for new appearances, with one field, whose old appearance says `old`.
fn made_anew(field: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.page("page", "/Annots[6 0 R]").offsets.retain(|(number, _)| *number != 1);
    writer.object(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</NeedAppearances true>>>>");
    let entries = "/Subtype/Widget/Rect[20 20 120 60]/AP<</N 7 0 R>>";
    writer.object(6, format!("<</Type/Annot{entries}{field}>>"));
    writer.stream(
        7,
        "/Subtype/Form/BBox[0 0 50 20]/Resources<</Font<</F 5 0 R>>>>",
        "BT /F 9 Tf 2 5 Td (old) Tj ET",
    );
    let at = writer.table("");
    writer.end(at)
}

#[test]
fn fields_are_shown_anew_where_the_form_asks_for_it() {
    assert_eq!(pdf(&made_anew("/FT/Tx/V(new)")).unwrap(), "page\n\nnew\n");
    assert_eq!(pdf(&made_anew("/FT/Tx")).unwrap(), "page\n");
    // Buttons keep what they look like.
    assert_eq!(pdf(&made_anew("/FT/Btn")).unwrap(), "page\n\nold\n");
    let options = "/Opt[[(a)(Anna)][(b)(Bert)](Carl)]";
    let combo = format!("/FT/Ch/Ff 131072/V(b){options}");
    assert_eq!(pdf(&made_anew(&combo)).unwrap(), "page\n\nBert\n");
}

#[test]
fn a_list_shows_the_options_that_have_room() {
    let list = |entries: &str| {
        let options = "/Opt[[(a)(Anna)](Bert)(Carl)(Dora)]/DA(/F 12 Tf 0 g)";
        pdf(&annotated(&format!("/Subtype/Widget/FT/Ch{options}{entries}"), "")).unwrap()
    };
    // Two lines of 12 points, 40 points high in all.
    assert_eq!(list("/V(Dora)"), "page\n\nAnna\nBert\n");
    assert_eq!(list("/TI 2"), "page\n\nCarl\nDora\n");
}

#[test]
fn a_form_takes_from_its_page_what_its_own_resources_lack() {
    let mut writer = Writer::new();
    writer.page("", "").offsets.retain(|(number, _)| ![3, 4].contains(number));
    let resources = "<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>";
    let page = format!("<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources{resources}>>");
    writer.object(3, page).stream(4, "", "/X Do");
    let form = "/Subtype/Form/BBox[0 0 200 200]/Resources<</ProcSet[/PDF]>>";
    writer.stream(6, form, "BT /F 12 Tf 20 100 Td (inherited) Tj ET");
    let at = writer.table("");
    assert_eq!(pdf(&writer.end(at)).unwrap(), "inherited\n");
}

#[test]
fn a_dynamic_form_is_refused_by_its_name() {
    let mut writer = Writer::new();
    writer.page("Please wait...", "").offsets.retain(|(number, _)| *number != 1);
    writer.object(1, "<</Type/Catalog/Pages 2 0 R/NeedsRendering true/AcroForm<</XFA 8 0 R>>>>");
    writer.stream(8, "", "<xdp/>");
    let at = writer.table("");
    let error = pdf(&writer.end(at)).unwrap_err();
    assert!(matches!(error, TextError::DynamicForm { .. }), "{error}");
    assert!(error.to_string().contains("XFA"), "{error}");
}
