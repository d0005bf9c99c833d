//! A public web page as material for a draft: fetched with care, read as text.
//!
//! The address comes from a person, and the answer from anybody. So only public addresses are
//! spoken to ([`is_public`]), and size, time and redirects are bounded ([`fetch`]).

mod address;
mod charset;
mod extract;
mod fetch;

pub use address::{AddressPolicy, is_public};
pub use fetch::{FetchError, Page, fetch};

use super::Material;

/// What a fetched page says.
///
/// # Errors
/// When no parser should read it.
pub fn material(page: &Page) -> Result<Material, FetchError> {
    let (title, lines) = if page.is_html {
        extract::article(&page.text).ok_or(FetchError::TooDeep)?
    } else {
        let lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
        let title = lines.iter().map(|l| l.trim()).find(|l| !l.is_empty());
        (title.unwrap_or_default().to_owned(), lines)
    };
    Ok(Material {
        title,
        source: page.url.clone(),
        lines,
    })
}
