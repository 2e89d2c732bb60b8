#!/usr/bin/env python3
"""Writes the lists of the corpus of real documents and what the oracles read in it.

    scripts/golden/corpus.py index FOLDER    lists the documents of the archives in FOLDER
    scripts/golden/corpus.py add FOLDER      adds those with text read from the right to the lists
    scripts/golden/corpus.py words [--all]   writes the oracles' words

`index` takes archives that pip, apt-get download and apt-get source put into FOLDER, keeps
documents of at most 2 MiB and 60 pages, at most 40 PDFs of one package, each content once, and writes
packages.tsv and files.tsv; the sample's marks stay with the files that have them. `add` leaves what
is listed, and adds PDFs in which poppler finds at least ten Hebrew or Arabic letters: few packages
have any.

`words` asks the oracles. For a PDF that is poppler 22.12: a word of `pdftotext -bbox-layout` counts
where `pdftoppm` shows ink in its box at 96 dpi (poppler's text holds hidden text too, its rendering
does not); Arabic and Hebrew words are written in logical order by `pdftotext`, so that output is
asked for those. For a Word file it is mammoth 1.13 (PyPI), whose HTML holds body, tables, text
boxes and notes. One line is `count TAB word`, or `- TAB first TAB second` for a word that a line's
end divides, or `+ TAB count TAB first TAB second ...` for words that stand side by side without a
gap: poppler parts letters of different sizes or heights, as in formulas. Words of the sample
are committed; the others lie beside the corpus' files.

No one reader reads text from the right well: each has the letters of some programs' files in the
wrong order, or words apart or together that are not. So words with Hebrew or Arabic letters are
asked of three: poppler, PDFium (pypdfium2) and MuPDF (pymupdf). They go to a list of their own,
`…-rtl.tsv`: `count TAB word` as often as two of the three have it, `? TAB count TAB word` as often as
one alone has it beyond that, and `= TAB count TAB count TAB some` how many are agreed on, how many the
middle one of the three has, and whether it is `all` words of the file or `some`. Marks go to the word before
them, as none begins a word. `~ TAB letters` is what a glyph of several letters stands for, as the file's
own fonts state it.

Needs Debian's poppler-utils, poppler-data (characters of Chinese, Japanese and Korean fonts),
fonts-urw-base35 and fonts-dejavu-core (what is not embedded has no ink without them), and mammoth, pillow,
pypdfium2 and pymupdf from PyPI.
"""

import collections
import hashlib
import html
import html.parser
import importlib.machinery
import importlib.util
import io
import itertools
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from concurrent.futures import ThreadPoolExecutor

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
LOADER = importlib.machinery.SourceFileLoader("corpus_fetch", str(SCRIPTS / "corpus"))
SPEC = importlib.util.spec_from_loader("corpus_fetch", LOADER)
corpus = importlib.util.module_from_spec(SPEC)
sys.dont_write_bytecode = True
LOADER.exec_module(corpus)

MAX_BYTES, MAX_PAGES, MAX_FILES = 2 << 20, 60, 40
RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]")
CONTROLS = "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
# A line with control characters is codes of a font; U+0002 is a hyphen to PDFium.
CODES = r"[^\n]*[\x00\x01\x03-\x08\x0e-\x1b\x7f][^\n]*"
# Tatweel, and the points and vowels of Hebrew, Arabic and Syriac.
IGNORED = "\u0640\u00ad"
MARKS = "".join(chr(c) for c in range(0x590, 0x900) if unicodedata.category(chr(c)) == "Mn")
# The arrows over vectors, which readers put beside their letters.
ARROWS = "[\u20d0-\u20dc\u20e1\u20e5-\u20f0]"


def pages(data):
    """Pages of a PDF as poppler counts them, 0 where it opens none."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        done = subprocess.run(["pdfinfo", file.name], capture_output=True, timeout=60)
    found = re.search(rb"^Pages:\s+(\d+)", done.stdout, re.M)
    return int(found.group(1)) if found else 0


def name_and_version(archive):
    """What a registry calls an archive: (kind, package, version)."""
    if archive.suffix == ".deb":
        fields = subprocess.run(
            ["dpkg-deb", "-f", str(archive), "Package", "Version"], capture_output=True, text=True
        ).stdout
        return ("debian", *re.findall(r": (.*)", fields))
    for dsc in archive.parent.glob("*.dsc"):
        text = dsc.read_text(encoding="utf-8", errors="replace")
        if archive.name in text:
            source = re.search(r"^Source: (.*)", text, re.M).group(1)
            return ("debian-source", source, re.search(r"^Version: (.*)", text, re.M).group(1))
    name, version = archive.name.removesuffix(".tar.gz").rsplit("-", 1)
    return ("pypi", name, version)


def index(folder):
    kept = {row["sha256"] for row in corpus.table("files.tsv") if row["sample"] == "yes"}
    seen, packages, files = set(), [], []
    (corpus.FOLDER / "files").mkdir(parents=True, exist_ok=True)
    archives = [p for p in pathlib.Path(folder).rglob("*") if re.search(r"\.(deb|tar\.[gx]z)$", p.name)]
    for archive in sorted(archives, key=lambda path: (path.suffix == ".deb", path.name)):
        found = []
        for path, data in corpus.members(archive):
            sha256 = hashlib.sha256(data).hexdigest()
            if len(data) > MAX_BYTES or sha256 in seen or "\t" in path:
                continue
            if not path.lower().endswith(".docx") and pages(data) > MAX_PAGES:
                continue
            seen.add(sha256)
            found.append((sha256, path, data))
        # Word files are few, and all are taken.
        found.sort(key=lambda file: (file[0] not in kept, not file[1].endswith(".docx"), file[0]))
        words = sum(file[1].endswith(".docx") for file in found)
        found = sorted(found[: max(MAX_FILES, words)], key=lambda file: file[1])
        if not found:
            continue
        kind, package, version = name_and_version(archive)
        name = f"{kind}/{package}"
        sha256 = corpus.digest(archive)
        packages.append((name, kind, package, version, archive.name, sha256))
        for sha256, path, data in found:
            sample = "yes" if sha256 in kept else "no"
            files.append((name, path, str(len(data)), sha256, sample))
            corpus.stored({"sha256": sha256, "path": path}).write_bytes(data)
        print(name, version, len(found), file=sys.stderr)
    write("packages.tsv", "name kind package version archive sha256", packages)
    write("files.tsv", "package path bytes sha256 sample", files)


def add(folder):
    """Adds the documents with text read from the right of the archives in a folder to the lists."""
    packages, files = corpus.table("packages.tsv"), corpus.table("files.tsv")
    seen = {row["sha256"] for row in files}
    for archive in sorted(pathlib.Path(folder).rglob("*")):
        if not re.search(r"\.(deb|tar\.[gx]z)$", archive.name):
            continue
        found = []
        for path, data in corpus.members(archive):
            sha256 = hashlib.sha256(data).hexdigest()
            if path.lower().endswith(".docx") or len(data) > MAX_BYTES or sha256 in seen:
                continue
            if "\t" in path or not 0 < pages(data) <= MAX_PAGES or not reads_from_right(data):
                continue
            seen.add(sha256)
            found.append((sha256, path, data))
        if not found:
            continue
        kind, package, version = name_and_version(archive)
        name = f"{kind}/{package}"
        values = (name, kind, package, version, archive.name, corpus.digest(archive))
        packages = [row for row in packages if row["name"] != name]
        packages.append(dict(zip("name kind package version archive sha256".split(), values)))
        for sha256, path, data in sorted(found, key=lambda file: file[1]):
            row = {"package": name, "path": path, "bytes": str(len(data)), "sha256": sha256, "sample": "no"}
            files.append(row)
            corpus.stored(row).write_bytes(data)
        print(name, version, len(found), file=sys.stderr)
    write("packages.tsv", "name kind package version archive sha256", [row.values() for row in packages])
    write("files.tsv", "package path bytes sha256 sample", [row.values() for row in files])


def reads_from_right(data):
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        try:
            return len(RTL.findall(poppler_text(file.name))) >= 10
        except subprocess.TimeoutExpired:  # Some tests of libraries are made for that.
            return False


def write(name, columns, rows):
    head = "# Written by scripts/golden/corpus.py; read by scripts/corpus and the tests.\n"
    lines = ["\t".join(row) for row in [columns.split(), *rows]]
    (corpus.LISTS / name).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


class Ink:
    """Where a page has marks: differences of brightness within a box."""

    def __init__(self, picture, scale):
        self.picture, self.scale = picture, scale

    def within(self, box):
        width, height = self.picture.size
        left, top, right, bottom = (value * self.scale for value in box)
        area = (
            max(0, int(left)), max(0, int(top)), min(width, int(right) + 1), min(height, int(bottom) + 1)
        )
        if area[0] >= area[2] or area[1] >= area[3]:
            return False
        low, high = self.picture.crop(area).getextrema()
        return high - low >= 20


ACCENT = "[`\u00b4\u02c6\u02dc\u00af\u02d8\u02d9\u00a8\u02da\u02dd\u02c7\u00b8\u02db]"
MARK = "[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"


def touch(left, right):
    """Whether a word goes on where the one before ends, each a box and its text: less is between them
    than any space has, 0.15 of the letters' height, or half of it beside a mark, whose box is not
    its letter's."""
    (box, word), (next_box, next_word) = left, right
    height = max(box[3] - box[1], next_box[3] - next_box[1])
    beside = min(box[3], next_box[3]) > max(box[1], next_box[1])
    marked = re.search(MARK + "$", word) or re.match(MARK, next_word)
    gap = next_box[0] - box[2]
    return beside and -0.6 * height < gap < (0.5 if marked else 0.15) * height


def chains(words):
    """The words of a page that stand side by side, two or more, as an index is often on a line of its
    own to poppler; and single words with an accent that is a sign of its own."""
    rows = collections.defaultdict(list)
    for number, (box, _) in enumerate(words):
        for row in range(int(box[1] // 20), int(box[3] // 20) + 1):
            rows[row].append(number)
    follows, taken = {}, set()
    for number, (box, _) in enumerate(words):
        near = {other for row in range(int(box[1] // 20), int(box[3] // 20) + 1) for other in rows[row]}
        beside = [other for other in near - taken - {number} if touch(words[number], words[other])]
        if beside:
            # The next one of the line comes first: a raised letter may stand above the one after it.
            nearest = min(
                beside, key=lambda other: (other != number + 1, abs(words[other][0][0] - box[2]), other)
            )
            follows[number] = nearest
            taken.add(nearest)
    for number, (_, word) in enumerate(words):
        if number not in follows and number not in taken and re.search(ACCENT, word):
            yield (word,)
    for number in sorted(set(follows) - taken):
        chain = [number]
        while chain[-1] in follows:
            chain.append(follows[chain[-1]])
        yield tuple(words[place][1] for place in chain)


def pdf_words(path):
    """Words, divided words and words side by side, or None where poppler does not open it."""
    from PIL import Image

    done = subprocess.run(
        ["pdftotext", "-bbox-layout", "-cropbox", str(path), "-"], capture_output=True, timeout=300
    )
    if done.returncode:
        return None
    counted, divided, beside = collections.Counter(), [], collections.Counter()
    rtl = False
    for number, page in enumerate(re.split(r"<page ", done.stdout.decode("utf-8", "replace"))[1:], 1):
        lines = [
            [
                (tuple(map(float, box)), html.unescape(word))
                for *box, word in re.findall(
                    r'<word xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" yMax="(\S+)">(.*?)</word>', line
                )
            ]
            for line in re.split(r"<line ", page)[1:]
        ]
        if not any(lines):
            continue
        done = subprocess.run(
            ["pdftoppm", "-cropbox", "-gray", "-r", "96", "-f", str(number), "-l", str(number), str(path)],
            capture_output=True, timeout=300,
        )
        if not done.stdout:
            continue
        ink = Ink(Image.open(io.BytesIO(done.stdout)), 96 / 72)
        lines = [[(box, word) for box, word in line if ink.within(box)] for line in lines]
        beside.update(chains([word for line in lines for word in line]))
        before = None
        for line in lines:
            seen = [word for _, word in line]
            rtl = rtl or any(RTL.search(word) for word in seen)
            if before and seen:
                divided.append((before, seen[0]))
            counted.update(seen)
            before = seen[-1] if seen and seen[-1][-1] in "-\u2010\u00ad" else None
    if rtl:
        text = re.sub(CONTROLS, "", poppler_text(path))
        logical = collections.Counter(word for word in text.split() if RTL.search(word))
        for word in [word for word in counted if RTL.search(word)]:
            del counted[word]
        counted.update(logical)
    return counted, divided, beside


def poppler_text(path):
    done = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, timeout=60)
    return done.stdout.decode("utf-8", "replace")


def pdfium_text(path):
    import pypdfium2

    document = pypdfium2.PdfDocument(str(path))
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def mupdf_text(path):
    import pymupdf

    with pymupdf.open(str(path)) as document:
        return "\n".join(page.get_text() for page in document)


def ligatures(path):
    """What glyphs of several letters read from the right stand for, as the file's fonts state it, in the
    order of reading."""
    import pymupdf

    found = set()
    with pymupdf.open(str(path)) as document:
        for number in range(1, document.xref_length()):
            kind, value = document.xref_get_key(number, "ToUnicode")
            if kind != "xref":
                continue
            stated = document.xref_stream(int(value.split()[0])) or b""
            for code in re.findall(rb"<[0-9A-Fa-f]+>\s*<((?:[0-9A-Fa-f]{4}){2,4})>", stated):
                text = bytes.fromhex(code.decode()).decode("utf-16-be", "replace")
                letters = "".join(parts(re.sub(f"[{MARKS}]", "", text)))
                if len(letters) > 1 and all(RTL.match(letter) for letter in letters):
                    found.add(letters)
    return sorted(found)


def nameless_words(path):
    """What MuPDF reads in Type 3 fonts that have no ToUnicode and no name of a character for any of their
    signs (`x52`, `Circle`): the letters at the codes, as the other readers do."""
    import pymupdf

    found = collections.Counter()
    with pymupdf.open(str(path)) as document:
        def is_nameless(number):
            key = document.xref_get_key
            differences = key(number, "Encoding/Differences")[1]
            names = re.findall(r"/([^\s/\[\]]+)", differences)
            stated = key(number, "ToUnicode")[0] != "null"
            known = any(
                len(name) == 1 or pymupdf.glyph_name_to_unicode(name) != 0xFFFD for name in names
            )
            return bool(names) and not stated and not known

        fonts = {}
        for page in document:
            for block in page.get_text("dict")["blocks"]:
                for span in (span for line in block.get("lines", ()) for span in line["spans"]):
                    font = re.fullmatch(r"Type3 \((\d+) \d+ R\)", span["font"])
                    number = font and int(font.group(1))
                    if number and number not in fonts:
                        fonts[number] = is_nameless(number)
                    if number and fonts[number]:
                        found.update(parts(span["text"]))
    return found


def parts(text, joined=True):
    """What is compared of words, as the test has it: runs of letters, marks and digits in
    normalisation form KC. Letters read from the right that a blank and a mark part are one word, unless
    `joined` is false."""
    text = unicodedata.normalize("NFKC", re.sub(f"{CONTROLS}|{ARROWS}", "", text))
    text = re.sub(CODES, " ", text)
    text = re.sub(f"[ \n\r]+(?=[{MARKS}])" if joined else f"[{MARKS}]", "", text)
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in text if c not in IGNORED)
    words = "".join(kept).split()
    return [word for word in words if any(unicodedata.category(c)[0] in "LN" for c in word)]


def stretches(word):
    """A word that has letters read from the right parted where the direction changes, their digits apart:
    readers put a blank there or none. Not one with a letter or two between them, or with letters that
    nobody writes beside them: those are codes of a font."""

    def kind(character):
        return (bool(RTL.match(character)), character.isnumeric() and bool(RTL.match(character)))

    runs = ["".join(run) for _, run in itertools.groupby(word, kind)]
    shown = [run for run in runs if not RTL.match(run)]
    others = [run for run in shown if any(unicodedata.category(c)[0] in "LM" for c in run)]
    strange = any("\u024f" < c and not "\u2e80" <= c <= "\ud7ff" for run in others for c in run)
    codes = len(runs) > 1 and (strange or any(len(run) < 3 for run in others))
    return [word] if codes else runs


def rtl_words(path):
    """Words with letters read from the right that two of three readers have, the others, and how many
    are agreed on and how many the middle one of the readers has. Of a file that a third of its letters
    make one of such text it is all words: numbers and names are put beside them otherwise."""
    texts = []
    for reader in (poppler_text, pdfium_text, mupdf_text):
        try:
            texts.append(reader(path))
        except Exception:  # As for Word files.
            texts.append("")
    letters = sum(character.isalpha() for character in texts[0])
    everything = 3 * len(RTL.findall(texts[0])) >= letters
    # Poppler and PDFium put blanks into words before and behind marks. To MuPDF a mark has no width,
    # so that the blank between two words stands before the mark of the first one's last letter.
    nameless = nameless_words(path)
    counts = []
    for text, reader in zip(texts, ("poppler", "PDFium", "MuPDF")):
        words = (re.sub(f"[{MARKS}]", "", word) for word in parts(text, reader != "MuPDF"))
        pieces = (piece for word in words for piece in stretches(word))
        counts.append(collections.Counter(p for p in pieces if everything and p or RTL.search(p)))
        counts[-1] -= nameless
    agreed, alone = collections.Counter(), collections.Counter()
    for word in set().union(*counts):
        most, second, _ = sorted((count[word] for count in counts), reverse=True)
        agreed[word], alone[word] = second, most - second
    usual = sorted(count.total() for count in counts)[1]
    return +agreed, +alone, (agreed.total(), usual, "all" if everything else "some")


class Text(html.parser.HTMLParser):
    """The text of HTML, a space between blocks."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_starttag(self, tag, attributes):
        if tag not in ("a", "strong", "em", "sup", "sub", "u", "s", "span"):
            self.parts.append(" ")
        # A reference to a note is a number that the document does not hold.
        self.skipping = tag == "sup" or tag == "a" and any("-ref-" in (v or "") for _, v in attributes)

    def handle_endtag(self, tag):
        self.skipping = False
        if tag not in ("a", "strong", "em", "sup", "sub", "u", "s", "span"):
            self.parts.append(" ")

    skipping = False

    def handle_data(self, data):
        self.parts.append(" " if re.fullmatch(r"\[\d+\]|\u2191", data) else data)


def word_words(path):
    import mammoth

    try:
        with open(path, "rb") as file:
            made = mammoth.convert_to_html(
                file, convert_image=mammoth.images.img_element(lambda image: {"src": ""})
            )
    except Exception:  # Whatever a reader of another's making raises means that it does not read it.
        return None
    text = Text()
    text.feed(made.value)
    return collections.Counter("".join(text.parts).split()), [], {}


def beside(out):
    """The list of the words with letters read from the right."""
    return out.with_name(f"{out.stem}-rtl.tsv")


def has_rtl(out):
    return any(RTL.search(line) for line in out.read_text(encoding="utf-8").split("\n"))


def words(everything):
    todo = []
    for row in corpus.table("files.tsv"):
        sample = row["sample"] == "yes"
        if not sample and not everything:
            continue
        folder = corpus.LISTS / "words" if sample else corpus.FOLDER / "words"
        folder.mkdir(parents=True, exist_ok=True)
        out = folder / (row["sha256"][:16] + ".tsv")
        if sample or not out.exists() or has_rtl(out) and not beside(out).exists():
            todo.append((row, out))

    def one(job):
        row, out = job
        path = corpus.stored(row)
        try:
            found = pdf_words(path) if path.suffix == ".pdf" else word_words(path)
        except subprocess.TimeoutExpired:
            found = None
        if found is None:
            out.write_text("unread\n")
            return
        lines = [f"{count}\t{word}" for word, count in sorted(found[0].items())]
        lines += [f"-\t{first}\t{second}" for first, second in found[1]]
        lines += ["\t".join(["+", str(count), *chain]) for chain, count in sorted(found[2].items())]
        out.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        if path.suffix == ".pdf" and has_rtl(out):
            agreed, alone, sums = rtl_words(path)
            lines = ["=\t" + "\t".join(map(str, sums))]
            lines += [f"{count}\t{word}" for word, count in sorted(agreed.items())]
            lines += [f"?\t{count}\t{word}" for word, count in sorted(alone.items())]
            lines += [f"~\t{letters}" for letters in ligatures(path)]
            beside(out).write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(one, todo), 1):
            if done % 50 == 0:
                print(f"{done} of {len(todo)}", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["index"] and len(sys.argv) == 3:
        index(sys.argv[2])
    elif sys.argv[1:2] == ["add"] and len(sys.argv) == 3:
        add(sys.argv[2])
    elif sys.argv[1:2] == ["words"] and sys.argv[2:] in ([], ["--all"]):
        words(sys.argv[2:] == ["--all"])
    else:
        sys.exit(__doc__)
