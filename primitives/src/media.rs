//! Modalities and the file formats that belong to each.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a Datanet holds. A Datanet has one, for ever.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "std", serde(rename_all = "lowercase"))]
pub enum Modality {
    /// md, pdf, docx, txt; units are bytes of canonical text.
    Text,
    /// png, jpg, jpeg, webp, tiff, bmp; units are pixels.
    Image,
    /// wav, mp3, flac; units are milliseconds.
    Audio,
}

/// A file format. The SCALE indices are part of the stored shape: append, never reorder.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "std", serde(rename_all = "lowercase"))]
pub enum MediaType {
    /// Markdown.
    Md,
    /// PDF.
    Pdf,
    /// Office Open XML text.
    Docx,
    /// Plain text.
    Txt,
    /// PNG.
    Png,
    /// JPEG, written `.jpg`.
    Jpg,
    /// JPEG, written `.jpeg`.
    Jpeg,
    /// WebP.
    Webp,
    /// TIFF.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// RIFF wave.
    Wav,
    /// MPEG layer III.
    Mp3,
    /// FLAC.
    Flac,
}

impl MediaType {
    /// Every format, in SCALE order.
    pub const ALL: [Self; 13] = [
        Self::Md,
        Self::Pdf,
        Self::Docx,
        Self::Txt,
        Self::Png,
        Self::Jpg,
        Self::Jpeg,
        Self::Webp,
        Self::Tiff,
        Self::Bmp,
        Self::Wav,
        Self::Mp3,
        Self::Flac,
    ];

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

    /// The file name extension, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Md => "md",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Txt => "txt",
            Self::Png => "png",
            Self::Jpg => "jpg",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Tiff => "tiff",
            Self::Bmp => "bmp",
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
        }
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
}
