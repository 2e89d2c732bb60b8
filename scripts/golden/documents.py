#!/usr/bin/env python3
"""Writes the small documents that content's extractor is tested with.

    python3 -m venv /tmp/documents && /tmp/documents/bin/pip install \
        reportlab==5.1.0 fpdf2==2.8.9 pikepdf==10.17.0 fonttools==4.68.0 pillow==13.0.0
    /tmp/documents/bin/python scripts/golden/documents.py DEJAVU_SANS.ttf OUTPUT_DIR

Run once, with DejaVuSans.ttf of Debian's fonts-dejavu-core; the output is committed under
content/documents/tests/content_documents/documents. The `.txt` beside each document is what the extractor gave
for it and what a person compared with the page; it is what version 1 of the extractor means.
"""

import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import fpdf
import pikepdf
from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Spacer, Table

FONT, OUT = sys.argv[1], Path(sys.argv[2])
OUT.mkdir(parents=True, exist_ok=True)

LOREM = (
    "A contributor sends files to a Datanet, and curators look at each of them. What they accept "
    "stands on chain for ever, so that anybody can prove which words a model was trained on. "
)


def latin():
    """Standard fonts without metrics, WinAnsi, kerning by TJ, two pages."""
    canvas = Canvas(str(OUT / "latin.pdf"), pagesize=A5, invariant=1)
    canvas.setFont("Times-Bold", 18)
    canvas.drawString(40, 540, "Crème brûlée à la façon d’Anaïs")
    text = canvas.beginText(40, 500)
    text.setFont("Helvetica", 11)
    text.textLines(["The quick brown fox — “jumps” over", "the lazy dog; 25 € for the ticket."])
    text.setTextOrigin(40, 440)
    text.setFont("Times-Roman", 11)
    text.textLine("Größe, Ærø, Łódź is not in this font.".replace("Łódź", "Lodz"))
    canvas.drawText(text)
    canvas.showPage()
    canvas.setFont("Courier", 10)
    canvas.drawString(40, 540, "let second_page = 2;")
    canvas.showPage()
    canvas.save()


def unicode():
    """An embedded TrueType subset with ToUnicode: accents, Greek, Cyrillic, ligatures."""
    pdf = fpdf.FPDF(format="A4")
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=timezone.utc))
    pdf.add_page()
    pdf.add_font("DejaVu", "", FONT)
    pdf.set_font("DejaVu", size=12)
    for line in ["Příliš žluťoučký kůň", "Ελληνικά και Русский", "e\u0301 is é; o\ufb03ce, \ufb01ne"]:
        pdf.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    pdf.output(str(OUT / "unicode.pdf"))


def cjk():
    """Chinese and Japanese in fonts that the reader brings, by Unicode's own CMaps."""
    canvas = Canvas(str(OUT / "cjk.pdf"), pagesize=A5, invariant=1)
    for place, (font, line) in enumerate(
        [("STSong-Light", "数据的来源可以证明。"), ("HeiseiMin-W3", "データの出所を証明できる。")]
    ):
        pdfmetrics.registerFont(UnicodeCIDFont(font))
        canvas.setFont(font, 14)
        canvas.drawString(40, 540 - 30 * place, line)
    canvas.save()


def columns():
    """Two columns and a table."""
    style = ParagraphStyle("body", fontName="Times-Roman", fontSize=10, leading=12, alignment=4)
    document = BaseDocTemplate(str(OUT / "columns.pdf"), pagesize=A5, invariant=1)
    frames = [Frame(30 + 190 * i, 250, 170, 300, leftPadding=0, rightPadding=0) for i in range(2)]
    document.addPageTemplates(PageTemplate(frames=frames))
    grid = [["Name", "Units", "Score"], ["a.txt", "1024", "82"], ["long name.md", "77", "9"]]
    table = Table(grid, style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
    body = [Paragraph(LOREM + LOREM, style), Spacer(1, 8)]
    document.build(body * 2 + [table, Spacer(1, 8), Paragraph("After the table.", style)])


def scan():
    """A picture and nothing else."""
    canvas = Canvas(str(OUT / "scan.pdf"), pagesize=A5, invariant=1)
    pixels = bytes((x * y) % 256 for y in range(24) for x in range(24))



    canvas.drawImage(ImageReader(Image.frombytes("L", (24, 24), pixels)), 40, 300, 200, 200)
    canvas.save()


def rewritten():
    """The same pages with object streams and linearised, and with a password."""
    with pikepdf.open(OUT / "latin.pdf") as pdf:
        mode = pikepdf.ObjectStreamMode.generate
        pdf.save(
            OUT / "object-streams.pdf", object_stream_mode=mode, linearize=True,
            deterministic_id=True,
        )
        pdf.save(OUT / "encrypted.pdf", encryption=pikepdf.Encryption(owner="o", user="u", R=6))


DOCUMENT = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
 xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"
 xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><w:body>
<w:p><w:pPr><w:pStyle w:val="Heading1"/><w:tabs><w:tab w:val="left" w:pos="720"/></w:tabs></w:pPr>
<w:r><w:t>Čeština &amp; 中文</w:t></w:r></w:p>
<w:p><w:r><w:t xml:space="preserve">One sentence, </w:t></w:r><w:r><w:rPr><w:b/></w:rPr>
<w:t>in two runs</w:t></w:r><w:ins><w:r><w:t>, one inserted</w:t></w:r></w:ins>
<w:del><w:r><w:delText>, one deleted</w:delText></w:r></w:del>
<w:r><w:rPr><w:vanish/></w:rPr><w:t>, one hidden</w:t></w:r><w:r><w:t>.</w:t></w:r>
<w:r><w:footnoteReference w:id="2"/></w:r></w:p>
<w:p><w:r><w:t>left</w:t><w:tab/><w:t>right</w:t><w:br/><w:t>non</w:t><w:noBreakHyphen/>
<w:t>breaking, &#233; and &lt;tags&gt;</w:t></w:r></w:p>
<w:p/>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Name</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Units</w:t>
</w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>first</w:t></w:r></w:p><w:p><w:r>
<w:t>second</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>
<w:p><w:r><w:t>Anchor.</w:t><mc:AlternateContent><mc:Choice Requires="wps"><wps:txbx><w:txbxContent>
<w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></wps:txbx></mc:Choice><mc:Fallback>
<w:r><w:t>Twice.</w:t></w:r></mc:Fallback></mc:AlternateContent></w:r></w:p>
<w:p><m:oMath><m:r><m:t>a=b</m:t></m:r></m:oMath><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>
</w:body></w:document>"""

FOOTNOTES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:footnote w:type="separator" w:id="0"><w:p><w:r><w:t>---</w:t></w:r></w:p></w:footnote>
<w:footnote w:id="2"><w:p><w:r><w:t>A note at the foot.</w:t></w:r></w:p></w:footnote>
</w:footnotes>"""

RELATIONS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship
 Id="rId1" Target="word/document.xml" Type=
 "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>
</Relationships>"""


def docx():
    """What WordprocessingML can say, in one document."""
    parts = {
        "_rels/.rels": RELATIONS,
        "word/document.xml": DOCUMENT,
        "word/footnotes.xml": FOOTNOTES,
    }
    with zipfile.ZipFile(OUT / "word.docx", "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in parts.items():
            out.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


for write in [latin, unicode, cjk, columns, scan, rewritten, docx]:
    write()
