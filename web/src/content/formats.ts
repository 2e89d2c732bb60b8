// The file formats of the chain: primitives/src/media.rs.

export const mediaTypes = {
  md: "Md",
  pdf: "Pdf",
  docx: "Docx",
  txt: "Txt",
  png: "Png",
  jpg: "Jpg",
  jpeg: "Jpeg",
  webp: "Webp",
  tiff: "Tiff",
  bmp: "Bmp",
  wav: "Wav",
  mp3: "Mp3",
  flac: "Flac",
} as const;

export type Media = keyof typeof mediaTypes;

/** The format that a file's name says. */
export function mediaOf(name: string): Media | null {
  const extension = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase();
  return extension !== undefined && Object.hasOwn(mediaTypes, extension) ? (extension as Media) : null;
}

function begins(bytes: Uint8Array, ...prefixes: readonly (readonly number[])[]): boolean {
  return prefixes.some((prefix) => prefix.every((byte, at) => bytes[at] === byte));
}

const letters = (text: string) => [...text].map((letter) => letter.charCodeAt(0));

/** Whether the first bytes can be those of a format. Curators look closer; this saves an upload. */
export function looksLike(media: Media, head: Uint8Array): boolean {
  switch (media) {
    case "pdf":
      // Readers take a header within the first kilobyte.
      return new TextDecoder("latin1").decode(head.slice(0, 1024)).includes("%PDF-");
    case "docx":
      return begins(head, letters("PK\x03\x04"));
    case "png":
      return begins(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    case "jpg":
    case "jpeg":
      return begins(head, [0xff, 0xd8, 0xff]);
    case "webp":
      return begins(head, letters("RIFF")) && begins(head.slice(8), letters("WEBP"));
    case "tiff":
      return begins(head, letters("II*\0"), letters("MM\0*"));
    case "bmp":
      return begins(head, letters("BM"));
    case "wav":
      return begins(head, letters("RIFF")) && begins(head.slice(8), letters("WAVE"));
    case "mp3":
      return begins(head, letters("ID3")) || (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0);
    case "flac":
      return begins(head, letters("fLaC"), letters("ID3"));
    case "md":
    case "txt":
      // Text has no zero bytes, unless it is UTF-16 with its mark.
      return begins(head, [0xff, 0xfe], [0xfe, 0xff]) || !head.includes(0);
  }
}
