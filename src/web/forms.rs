//! Forms with fields that come several times, with files, and with their choices.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};

use super::error::WebError;
use super::offices::Offices;

/// A form with more fields is none of ours.
const MOST_FIELDS: usize = 50;

/// The fields of a form in the order sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The field of this name, "" when it was not sent. Line ends as everywhere else.
    pub fn text(&self, name: &str) -> String {
        let mut all = self.0.iter();
        let found = all.find(|(field, _)| field == name);
        found.map_or_else(String::new, |(_, text)| text.replace("\r\n", "\n"))
    }

    /// Everything sent under this name that is not empty.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(field, _)| field == name);
        own.map(|(_, text)| text.trim())
            .filter(|text| !text.is_empty())
    }
}

/// A form with one file. The gate has seen its token and its size.
pub(super) struct Upload {
    pub file: Bytes,
    pub fields: Fields,
}

impl FromRequest<Offices> for Upload {
    type Rejection = WebError;

    async fn from_request(request: Request, offices: &Offices) -> Result<Self, WebError> {
        let broken =
            || WebError::Bad("没有收到完整的文件，什么都没有改。请重新选一次文件。".to_owned());
        let form = Multipart::from_request(request, offices).await;
        let mut form = form.map_err(|_| broken())?;
        let (mut file, mut fields) = (Bytes::new(), Fields::default());
        while let Some(field) = form.next_field().await.map_err(|_| broken())? {
            let name = field.name().unwrap_or_default().to_owned();
            let is_file = field.file_name().is_some();
            let bytes = field.bytes().await.map_err(|_| broken())?;
            if is_file {
                file = bytes;
            } else if fields.0.len() == MOST_FIELDS {
                return Err(broken());
            } else {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                fields.0.push((name, text));
            }
        }
        Ok(Self { file, fields })
    }
}
