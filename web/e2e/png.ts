// Pictures that tests give: a PNG of what is drawn here, without a library.

import { crc32, deflateSync } from "node:zlib";

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}

/** Two hills under a sun, so wide; `light` is added to every colour. What is drawn is the same at every width. */
export function hills(width: number, light = 0): Buffer {
  const height = Math.round((width * 2) / 3);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const [x, y] = [column / width, (1.5 * row) / width];
      // Clouds and furrows: what is as bright as all around it is as bright as that in no other size.
      const clouds = 26 * Math.sin(11 * x + 4 * y) * Math.sin(3 + 5 * x - 7 * y);
      const furrows = 22 * Math.sin(14 * x + 9 * y);
      const sun = Math.hypot(x - 0.74, y / 1.5 - 0.2) < 0.09;
      const colour =
        y > 0.72 - 0.16 * Math.sin(4.2 * x + 0.4)
          ? [58 + furrows, 102 + furrows, 64 + furrows]
          : y > 0.58 + 0.12 * Math.sin(6.5 * x + 2)
            ? [96 - furrows, 142 - furrows, 104 - furrows]
            : sun
              ? [246, 206, 92]
              : [124 + 60 * x + clouds, 166 + 50 * x + clouds, 206 + clouds];
      rows.set(
        colour.map((value) => Math.min(255, value + light)),
        row * (1 + 3 * width) + 1 + 3 * column,
      );
    }
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
