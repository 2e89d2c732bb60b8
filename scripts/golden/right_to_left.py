#!/usr/bin/env python3
"""Prints known texts in Hebrew, Arabic, Persian and Urdu as word processors and browsers do.

    scripts/golden/right_to_left.py

Writes content/documents/tests/content_documents/documents/right-to-left: a text of each language, and
PDFs of it by LibreOffice and WeasyPrint. The tests read them back. Needs soffice, weasyprint from PyPI,
and the fonts that are named below (Debian's fonts-noto-core, fonts-noto-extra, fonts-hosny-amiri and
fonts-dejavu-core).
"""

import html
import pathlib
import subprocess
import tempfile

import weasyprint

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "content/documents/tests/content_documents/documents/right-to-left"

TEXTS = {
    "he": """\
בראשית ברא אלהים את השמים ואת הארץ. המחיר הוא 1,234.56 ש"ח (כולל מע"מ 17%) ביום 12/05/2024 בשעה 14:30.
הספר "שלום עולם" נכתב ע"י דוד בן-גוריון (1886–1973) ופורסם ב-Tel Aviv Press בשנת 1950.
גרסה 3.2.1 של Python תומכת ב-Unicode; ראו את הפרטים הנוספים [הערה 4].
טלפון: 03-1234567, דוא"ל: info@example.co.il, סעיף 5(א) לחוק התשל"ט.
שָׁלוֹם עֲלֵיכֶם: בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ.""",
    "ar": """\
يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.
السعر هو ١٬٢٣٤٫٥٦ ريال (شامل الضريبة ١٥٪)، في يوم 12/05/2024 الساعة 14:30.
نشر كتاب «السلام عليكم» سنة 1950 عن دار Oxford University Press في لندن، وعدد صفحاته ٣٢٠ صفحة.
الإصدار 3.2.1 من Python يدعم Unicode؛ انظر لمزيد من التفاصيل [حاشية 4].
لا إله إلا الله، والحمد لله رب العالمين. الأسئلة والإجابات الآتية لأجل الآخرين.
بِسْمِ اللَّهِ الرَّحْمَٰنِ الرَّحِيمِ الْحَمْدُ لِلَّهِ رَبِّ الْعَالَمِينَ""",
    "fa": """\
تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند. همه دارای عقل و وجدان می‌باشند.
قیمت ۱۲۳٬۴۵۶ تومان (با ۹٪ مالیات)، تاریخ ۱۴۰۲/۰۳/۱۵ ساعت ۱۴:۳۰.
نسخهٔ 3.11 از Python پشتیبانی کامل از Unicode دارد.
کتاب‌های فارسی، چاپ ایران، پژوهشگاه گچ‌کاری؛ خانه‌ای بزرگ‌تر از همهٔ خانه‌ها.""",
    "ur": """\
تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔ انہیں ضمیر اور عقل ودیعت ہوئی ہے۔
اس لیے انہیں ایک دوسرے کے ساتھ بھائی چارے کا سلوک کرنا چاہیے۔ سال 1948 میں اقوام متحدہ نے اسے منظور کیا۔""",
    "mixed": """\
The word שלום means peace and the word سلام means the same.
In 1948 the phrase "עם ישראל חי" (in Hebrew) was used; see chapter 3.
Arabic: مرحبا بالعالم (hello world), 100% صحيح.""",
}
PRINTS = [
    ("he", "libreoffice", "Noto Sans Hebrew"),
    ("he", "weasyprint", "Noto Serif Hebrew"),
    ("ar", "libreoffice", "Amiri"),
    ("ar", "weasyprint", "DejaVu Sans"),
    ("fa", "libreoffice", "Noto Naskh Arabic"),
    ("fa", "weasyprint", "DejaVu Sans"),
    ("ur", "libreoffice", "Noto Nastaliq Urdu"),
    ("mixed", "libreoffice", "DejaVu Sans"),
    ("mixed", "weasyprint", "DejaVu Sans"),
]


def parts(source):
    """Paragraphs, the cells of a table's row, and items of a list."""
    lines = TEXTS[source].split("\n")
    cells = [" ".join(line.split()[:3]) for line in lines[:2]]
    items = [" ".join(line.split()[:6]) for line in lines]
    return lines, cells, items


def page(source, font):
    lines, cells, items = ([html.escape(part) for part in group] for group in parts(source))
    direction = "ltr" if source == "mixed" else "rtl"
    return (
        f'<html dir="{direction}"><head><meta charset="utf-8"><style>'
        f'body {{ font-family: "{font}"; text-align: justify; font-size: 12pt }} @page {{ size: A5 }}'
        "</style></head><body>"
        + "".join(f'<p dir="{direction}">{line}</p>' for line in lines)
        + "<table border=1 width=90%><tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr></table>"
        + "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul></body></html>"
    )


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for source in TEXTS:
        text = "\n".join(line for group in parts(source) for line in group)
        (FOLDER / f"{source}.txt").write_text(text + "\n", encoding="utf-8")
    for source, program, font in PRINTS:
        out = FOLDER / f"{source}-{program}.pdf"
        if program == "weasyprint":
            weasyprint.HTML(string=page(source, font)).write_pdf(out)
            continue
        with tempfile.TemporaryDirectory() as folder:
            name = pathlib.Path(folder) / f"{out.stem}.html"
            name.write_text(page(source, font), encoding="utf-8")
            subprocess.run(
                ["soffice", "--headless", "--infilter=HTML (StarWriter)", "--convert-to",
                 "pdf:writer_pdf_Export", "--outdir", str(FOLDER), str(name)],
                check=True, capture_output=True, timeout=120,
            )


if __name__ == "__main__":
    main()
