//! Which office (司法所) a row belongs to: one deployment may serve several.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

use super::Database;

/// The longest id, in characters.
const MAX_LENGTH: usize = 24;

/// An office's id: lower-case letters, digits and hyphens, at most 24. Cheap to clone.
///
/// The default is `main`, the one office of a deployment that names none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct OfficeId(Arc<str>);

impl OfficeId {
    /// The id as it stands in tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id as a row holds it: what is there is taken as it is.
    pub(super) fn of_row(stored: &str) -> Self {
        Self(stored.into())
    }
}

impl Default for OfficeId {
    fn default() -> Self {
        Self("main".into())
    }
}

impl fmt::Display for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OfficeId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(format!(
                "“{text}”不能作机构代号：只用小写字母、数字和中间的短横线，最多 {MAX_LENGTH} 个字符"
            ))
        }
    }
}

impl TryFrom<String> for OfficeId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Database {
    /// The same database as another office sees it: whatever is made from it reads and writes that
    /// office's rows only. Shares the connections.
    pub fn of(&self, office: &OfficeId) -> Self {
        Self {
            office: office.clone(),
            ..self.clone()
        }
    }

    /// Whose rows are read and written through this handle.
    pub fn office(&self) -> &OfficeId {
        &self.office
    }
}
