//! A leaflet in Word as material for a draft.

use super::Material;
use crate::knowledge::docx::{self, DocxError};

const MAX_FILE_BYTES: usize = 20 << 20;

/// Why a leaflet could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LeafletError {
    /// The format before .docx, or one with a password.
    #[error("这是旧版 .doc 或加了密码的文件：请在 Word 里去掉密码，另存为 .docx")]
    OldFormat,
    /// Full of pictures.
    #[error("文件太大（超过 {} MB）：请先删掉图片", MAX_FILE_BYTES >> 20)]
    TooBig,
    /// Anything else.
    #[error(transparent)]
    Docx(#[from] DocxError),
}

/// Reads a leaflet; `name` is its file name, which is named as the source.
///
/// # Errors
/// When the file is no sound .docx.
pub fn leaflet(name: &str, bytes: &[u8]) -> Result<Material, LeafletError> {
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(LeafletError::OldFormat);
    }
    if bytes.len() > MAX_FILE_BYTES {
        return Err(LeafletError::TooBig);
    }
    let lines = docx::lines(bytes)?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Ok(Material {
        title: lines.first().map_or(stem, |l| l.trim()).to_owned(),
        source: name.to_owned(),
        lines,
    })
}
