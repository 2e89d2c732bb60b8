//! Modalities and the file formats that belong to each.

use crate::list::closed_list;

closed_list! {
    /// What a Datanet holds. A Datanet has one, for ever.
    "a modality", pub enum Modality {
        Text = 0, "text", "md, pdf, docx, txt; units are bytes of canonical text";
        Image = 1, "image", "png, jpg, jpeg, webp, tiff, bmp; units are pixels";
        Audio = 2, "audio", "wav, mp3, flac; units are milliseconds";
    }
}

closed_list! {
    /// A file format; its name is the file name extension without the dot. The codes are part of
    /// the stored shape: append, never reorder.
    "a format", pub enum MediaType {
        Md = 0, "md", "Markdown";
        Pdf = 1, "pdf", "PDF";
        Docx = 2, "docx", "Office Open XML text";
        Txt = 3, "txt", "plain text";
        Png = 4, "png", "PNG";
        Jpg = 5, "jpg", "JPEG, written .jpg";
        Jpeg = 6, "jpeg", "JPEG, written .jpeg";
        Webp = 7, "webp", "WebP";
        Tiff = 8, "tiff", "TIFF";
        Bmp = 9, "bmp", "Windows bitmap";
        Wav = 10, "wav", "RIFF wave";
        Mp3 = 11, "mp3", "MPEG layer III";
        Flac = 12, "flac", "FLAC";
    }
}

impl MediaType {
    /// The modality whose Datanets take this format.
    pub const fn modality(self) -> Modality {
        match self {
            Self::Md | Self::Pdf | Self::Docx | Self::Txt => Modality::Text,
            Self::Png | Self::Jpg | Self::Jpeg | Self::Webp | Self::Tiff | Self::Bmp => {
                Modality::Image
            }
            Self::Wav | Self::Mp3 | Self::Flac => Modality::Audio,
        }
    }

    /// Most units that a file of this format and `size` bytes can hold, in its modality's unit. What is
    /// above it was never measured: no verdict may claim it.
    ///
    /// The chain knows of a file how many bytes it has, and a day's quota counts them, so this ties
    /// what one acceptance can claim to what its contributor used up. Text formats that are stored plain
    /// hold a unit a byte; normalisation form C makes some scripts longer (Bengali and Hindi letters
    /// with a dot double), and nothing more than three times as long. Compressed text, pixels and
    /// milliseconds are bounded well above what real files have.
    pub const fn max_units(self, size: u32) -> u64 {
        let a_byte = match self {
            Self::Md | Self::Txt => 3,
            Self::Pdf | Self::Docx => 32,
            // A counted tile of 256 pixels differs from every other; scans of two colours take a
            // quarter of a byte for one at least.
            Self::Png | Self::Jpg | Self::Jpeg | Self::Webp | Self::Tiff | Self::Bmp => 1_024,
            // 8 kbit/s, the least rate of MP3, is a byte for each.
            Self::Wav | Self::Mp3 | Self::Flac => 4,
        };
        let held = (size as u64).saturating_mul(a_byte);
        let most = self.modality().max_units();
        if held < most {
            held
        } else {
            most
        }
    }

    /// The file name extension, without the dot.
    pub const fn extension(self) -> &'static str {
        self.name()
    }

    /// The format a file name extension stands for, in any case, without the dot.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.extension().eq_ignore_ascii_case(extension))
    }
}

impl Modality {
    /// The formats of this modality.
    pub fn formats(self) -> impl Iterator<Item = MediaType> {
        MediaType::ALL.into_iter().filter(move |media| media.modality() == self)
    }

    /// What a unit of this modality is, in words.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Text => "bytes of canonical text",
            Self::Image => "pixels",
            Self::Audio => "milliseconds",
        }
    }

    /// Most units that a file of this modality has: what no reader measures, no verdict may claim.
    /// `content/documents` reads by these bounds, so that chain and readers cannot differ.
    pub const fn max_units(self) -> u64 {
        match self {
            Self::Text => 12 << 20,
            Self::Image => 40_000_000,
            Self::Audio => 30 * 60 * 1_000,
        }
    }

    /// Whether files of this modality have canonical text, and so a text root.
    pub const fn has_text_root(self) -> bool {
        matches!(self, Self::Text)
    }
}
