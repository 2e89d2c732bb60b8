#!/usr/bin/env python3
"""Draws the pictures and plays the melodies of the measuring tests, and counts them independently.

    python3 -m venv /tmp/media && /tmp/media/bin/pip install pillow==13.0.0 numpy soundfile==0.14.0
    /tmp/media/bin/python scripts/golden/media.py make  content/documents/tests/content_documents/media/samples
    /tmp/media/bin/python scripts/golden/media.py check content/documents/tests/content_documents/media/samples
    /tmp/media/bin/python scripts/golden/media.py story tests/data

`make` writes small files of every variant that is read, and `golden.txt` with a line for each: name,
units, then what is left out as flat, silent and heard or seen before. The counts come from Pillow's and
libsndfile's decoders and from the rules of docs/datasets.md written down a second time, without hashes
and without rolling anything. `check` counts the committed files again. `story` makes the picture and
the melody that the system story submits. Everything is our own work, made from numbers (Apache-2.0,
like the rest).
"""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

RATE = 8000


# ---- pictures ------------------------------------------------------------------------------------


def landscape(width, height, seed=1):
    """A sky of one colour, a sun, hills with grain: RGB, 8 bits."""
    noise = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    picture = np.zeros((height, width, 3))
    picture[:] = (150, 190, 235)
    sun = (x - width * 0.75) ** 2 + (y - height * 0.22) ** 2 < (height * 0.12) ** 2
    picture[sun] = (250, 220, 90)
    for base, tall, wave, colour in [
        (0.55, 0.10, 2.1, (90, 120, 110)),
        (0.68, 0.08, 3.7, (70, 130, 70)),
        (0.82, 0.05, 5.3, (110, 95, 50)),
    ]:
        edge = height * (base + tall * np.sin(wave * np.pi * x / width + wave))
        grain = noise.normal(0, 14, (height, width, 1))
        ground = y >= edge
        picture[ground] = (np.array(colour) + grain + 20 * np.sin(x / 5)[..., None])[ground]
    return np.clip(picture, 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_interlaced(pixels):
    """Adam7, which Pillow reads but does not write."""
    height, width, _ = pixels.shape
    rows = b""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for left, top, across, down in passes:
        part = pixels[top::down, left::across]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def pictures():
    """Name and bytes of each picture."""
    rgb = landscape(50, 41)
    image = Image.fromarray(rgb)
    other = Image.fromarray(landscape(50, 41, 2))
    alpha = np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)])
    alpha[:, 18:, 3] = 255
    alpha[:20, :, :3] = np.random.default_rng(3).integers(0, 255, (20, 50, 3))
    alpha = Image.fromarray(alpha)
    gray16 = (np.array(image.convert("L")).astype(np.uint16) << 8) | 0x37

    def saved(picture, form, **options):
        out = io.BytesIO()
        picture.save(out, form, **options)
        return out.getvalue()

    # A period of 13 × 11 does not fit the grid of tiles.
    wallpaper = Image.fromarray(np.tile(landscape(13, 11, 5), (7, 8, 1))[:70, :90])
    exif = Image.Exif()
    exif[0x010E] = "landscape"
    return {
        "rgb.png": saved(image, "PNG"),
        "wallpaper.png": saved(wallpaper, "PNG"),
        "interlaced.png": png_interlaced(rgb),
        "palette.png": saved(image.quantize(16), "PNG"),
        "one-bit.png": saved(image.convert("1"), "PNG"),
        "gray-16.png": saved(Image.fromarray(gray16), "PNG"),
        "alpha.png": saved(alpha, "PNG"),
        "animated.png": saved(image, "PNG", save_all=True, append_images=[other, image]),
        "baseline.jpg": saved(image, "JPEG", quality=85, exif=exif),
        "progressive.jpg": saved(image, "JPEG", quality=85, progressive=True),
        "gray.jpeg": saved(image.convert("L"), "JPEG", quality=85, restart_marker_blocks=3),
        "cmyk.jpeg": saved(image.convert("CMYK"), "JPEG", quality=90),
        "lossless.webp": saved(image, "WEBP", lossless=True, exact=True),
        "lossy.webp": saved(image, "WEBP", quality=80),
        "alpha.webp": saved(alpha, "WEBP", lossless=True),
        "animated.webp": saved(image, "WEBP", save_all=True, append_images=[other], lossless=True),
        "plain.tiff": saved(image, "TIFF"),
        "lzw.tiff": saved(image, "TIFF", compression="tiff_lzw"),
        "deflate.tiff": saved(image.convert("L"), "TIFF", compression="tiff_adobe_deflate"),
        "pages.tiff": saved(image, "TIFF", save_all=True, append_images=[other, other]),
        "rgb.bmp": saved(image, "BMP"),
        "palette.bmp": saved(image.quantize(16), "BMP"),
    }


def count_picture(data):
    """Units, flat, seen before."""
    image = Image.open(io.BytesIO(data))
    image.seek(0)
    if image.mode.startswith("I;16"):
        gray = (np.array(image) >> 8).astype(np.uint16)
        pixels = np.dstack([gray, gray, gray, np.full_like(gray, 255)])
    else:
        pixels = np.array(image.convert("RGBA")).astype(np.uint16)
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    pixels = np.concatenate([(colour * alpha + 127) // 255, alpha], 2).astype(np.uint8)
    height, width, _ = pixels.shape
    tall, wide = min(16, height), min(16, width)
    first = {}
    for y in range(height - tall + 1):
        for x in range(width - wide + 1):
            first.setdefault(pixels[y : y + tall, x : x + wide].tobytes(), (y, x))
    units = flat = again = 0
    for top in range(0, height, 16):
        for left in range(0, width, 16):
            tile = pixels[top : top + 16, left : left + 16]
            levels = tile.reshape(-1, 4).astype(int)
            size = levels.shape[0]
            place = (min(top, height - tall), min(left, width - wide))
            window = pixels[place[0] : place[0] + tall, place[1] : place[1] + wide].tobytes()
            # A standard deviation of at most 3, in whole numbers.
            if (size * (levels**2).sum(0) - levels.sum(0) ** 2 <= 9 * size**2).all():
                flat += size
            elif first[window] < place:
                again += size
            else:
                units += size
    return units, flat, 0, again


# ---- sounds --------------------------------------------------------------------------------------


def melody(rate=RATE, channels=1):
    """Notes, half a second of almost nothing, the same notes again, and a last one: floats."""
    dice = np.random.default_rng(4)

    def note(hertz, seconds):
        t = np.arange(int(rate * seconds)) / rate
        tone = np.sin(2 * np.pi * hertz * t) + 0.4 * np.sin(4 * np.pi * hertz * t + 0.3)
        return 0.3 * tone * np.exp(-2 * t) + dice.normal(0, 0.004, t.size)

    notes = np.concatenate([note(220 * 2 ** (step / 12), 0.22) for step in (0, 4, 7, 12)])
    hush = 0.02 + dice.normal(0, 0.0002, rate // 2)
    sound = np.concatenate([notes, hush, notes, note(330, 0.31)])
    sound = np.round(sound * 32767) / 32768
    if channels == 1:
        return sound
    return np.stack([sound, np.roll(sound, 37)], 1)


def without_hush(sound, rate):
    """Encoders of MP3 shift a sound by some milliseconds, which moves the edges of a silence."""
    quiet = int(rate * 0.22) * 4
    return np.concatenate([sound[:quiet], sound[quiet + rate // 2 :]])


def sounds():
    """Name and bytes of each sound."""
    mono, stereo = melody(), melody(channels=2)

    def saved(sound, form, subtype, rate=RATE, **options):
        out = io.BytesIO()
        soundfile.write(out, sound, rate, format=form, subtype=subtype, **options)
        return out.getvalue()

    id3 = b"ID3\x04\0\0\0\0\x02\x00" + b"\0" * 256
    vbr = saved(without_hush(melody(22050), 22050), "MP3", "MPEG_LAYER_III", 22050, bitrate_mode="VARIABLE")
    return {
        "pcm-8.wav": saved(mono, "WAV", "PCM_U8"),
        "pcm-16.wav": saved(stereo, "WAV", "PCM_16"),
        "pcm-24.wav": saved(mono, "WAV", "PCM_24"),
        "pcm-32.wav": saved(mono, "WAV", "PCM_32"),
        "float.wav": saved(mono, "WAV", "FLOAT"),
        "a-law.wav": saved(mono, "WAV", "ALAW"),
        "mu-law.wav": saved(mono, "WAV", "ULAW"),
        "mono.flac": saved(mono, "FLAC", "PCM_16"),
        "stereo.flac": saved(stereo, "FLAC", "PCM_24", 16000),
        "constant.mp3": saved(stereo, "MP3", "MPEG_LAYER_III", 32000, bitrate_mode="CONSTANT"),
        "variable.mp3": id3 + vbr,
    }


def audible(x, rate):
    """Louder than −60 dBFS, and not only under 20 Hz or above 16 kHz by docs/media.md."""
    power = x.var()
    if power < 1e-6 or len(x) < 2:
        return False
    x = x - x.mean()
    if (np.diff(x) ** 2).mean() < power * (40 * np.pi / rate) ** 2:
        return False
    if rate <= 32000 or ((x[1:] + x[:-1]) ** 2).mean() > power * 4 * np.cos(np.pi * 16000 / rate) ** 2 + 4e-6:
        return True
    step = 1
    while True:
        for _ in range(8):
            x = (x[step:] + x[:-step]) / 2
        if rate / 2 / step <= 24000:
            return len(x) > 0 and (x**2).mean() >= 1e-6
        step *= 2


def count_sound(data, name):
    """Units, silent, heard before."""
    sound, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    if name.endswith(".mp3"):
        # libsndfile trims what the encoder added; the count is of what the frames hold. It is not
        # silent: the echo of the last note.
        added = mp3_frames(data) - len(sound)
        echo = np.random.default_rng(6).normal(0, 0.1, (added, sound.shape[1]))
        sound = np.concatenate([sound, echo.astype("float32")])
    total, length = len(sound), rate // 10
    edges = [-(-k * rate // 10) for k in range(total * 10 // rate + 2)]
    windows = [(a, min(b, total)) for a, b in zip(edges, edges[1:]) if a < total]
    silent = [not any(audible(channel, rate) for channel in sound[a:b].astype(float).T) for a, b in windows]
    again = np.zeros(total, bool)
    heard = {}
    pending = [(b, sound[a : a + length].tobytes()) for (a, b), s in zip(windows, silent) if not s and b - a >= length]
    at = 0
    while at + length <= total:
        while pending and pending[0][0] <= at:
            heard.setdefault(pending[0][1], True)
            pending.pop(0)
        if sound[at : at + length].tobytes() in heard:
            again[at : at + length] = True
            at += length
        else:
            at += 1
    counted = quiet = repeated = 0
    for (a, b), s in zip(windows, silent):
        if s:
            quiet += b - a
        else:
            repeated += int(again[a:b].sum())
            counted += b - a - int(again[a:b].sum())
    return tuple(n * 1000 // rate for n in (counted, quiet, repeated))


def mp3_frames(data):
    """Samples a channel in all frames, but the one that informs."""
    at = 0
    if data[:3] == b"ID3":
        at = 10 + sum((byte & 127) << 7 * (3 - i) for i, byte in enumerate(data[6:10]))
    total = 0
    while data[at : at + 1] == b"\xff":
        new = data[at + 1] >> 3 & 1
        index, pad = data[at + 2] >> 4, data[at + 2] >> 1 & 1
        slow = not data[at + 1] & 0x10
        rate = [44100, 48000, 32000][data[at + 2] >> 2 & 3] >> (0 if new else 2 if slow else 1)
        table = (
            [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
            if new
            else [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
        )
        size = (144000 if new else 72000) * table[index] // rate + pad
        frame = data[at : at + size]
        if b"Xing" not in frame[:48] and b"Info" not in frame[:48]:
            total += 1152 if new else 576
        at += size
    return total


# ---- commands ------------------------------------------------------------------------------------


def count(name, data):
    if name.rsplit(".", 1)[1] in ("wav", "mp3", "flac"):
        units, silent, again = count_sound(data, name)
        return units, 0, silent, again
    return count_picture(data)


def story(folder):
    Image.fromarray(landscape(160, 120)).save(folder / "hills.png", optimize=True)
    soundfile.write(folder / "melody.flac", melody(16000), 16000, subtype="PCM_16")


def main():
    command, folder = sys.argv[1], Path(sys.argv[2])
    if command == "story":
        return story(folder)
    if command == "make":
        for name, data in {**pictures(), **sounds()}.items():
            (folder / name).write_bytes(data)
    lines = ["# name units flat silent again; scripts/golden/media.py"]
    for path in sorted(folder.iterdir()):
        if path.name != "golden.txt":
            lines.append(" ".join(map(str, (path.name, *count(path.name, path.read_bytes())))))
    text = "\n".join(lines) + "\n"
    golden = folder / "golden.txt"
    if command == "make":
        golden.write_text(text)
    elif golden.read_text() != text:
        sys.exit(f"{golden} differs:\n{text}")


main()
