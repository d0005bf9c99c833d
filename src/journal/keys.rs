//! The local key: pseudonyms for askers and a seal for what must be kept a moment.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::JournalError;

/// A person as the journal knows them: 128 bits of a keyed hash, in hex.
///
/// Without the local key nobody can tell whose it is, nor try ids one by one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asker(pub(super) String);

impl Asker {
    /// The hash as text, for tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys derived from the local key file. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    pseudonym: [u8; 32],
    seal: [u8; 32],
    form: [u8; 32],
    webhook: [u8; 32],
    fingerprint: [u8; 32],
}

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length: this cannot fail.
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
        .expect("HMAC accepts keys of any length");
    for part in parts {
        // The length keeps ("ab","c") and ("a","bc") apart.
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok())
        .collect()
}

fn random<const N: usize>() -> Result<[u8; N], std::io::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// 256 random bits in hex, for sessions and browsers that must be told apart.
///
/// # Errors
/// When the system has no randomness to give.
pub fn generate_secret() -> Result<String, JournalError> {
    Ok(hex(&random::<32>()?))
}

impl Keys {
    /// Reads the local key, or makes one (mode 0600) on first start.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds something else: it is never overwritten.
    pub fn open_or_create(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::KeyFile {
            path: path.to_owned(),
            source,
        };
        match fs::read_to_string(path) {
            Ok(text) => {
                warn_if_readable_by_others(path);
                let key = unhex(text.trim()).filter(|key| key.len() == KEY_BYTES);
                let key = key.ok_or_else(|| JournalError::KeyDamaged(path.to_owned()))?;
                Ok(Self::derive(&key))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let key: [u8; KEY_BYTES] = random().map_err(io)?;
                create(path, &hex(&key)).map_err(io)?;
                // Another process may have been first: what stands in the file counts.
                let text = fs::read_to_string(path).map_err(io)?;
                let key = unhex(text.trim()).filter(|key| key.len() == KEY_BYTES);
                let key = key.ok_or_else(|| JournalError::KeyDamaged(path.to_owned()))?;
                Ok(Self::derive(&key))
            }
            Err(e) => Err(io(e)),
        }
    }

    fn derive(key: &[u8]) -> Self {
        Self {
            pseudonym: hmac(key, &[b"qijin pseudonym v1"]),
            seal: hmac(key, &[b"qijin seal v1"]),
            form: hmac(key, &[b"qijin form v1"]),
            webhook: hmac(key, &[b"qijin webhook v1"]),
            fingerprint: hmac(key, &[b"qijin fingerprint v1"]),
        }
    }

    /// The pseudonym of a platform's user. The same person on two channels is two askers.
    pub fn asker(&self, channel: &str, platform_id: &str) -> Asker {
        let hash = hmac(
            &self.pseudonym,
            &[channel.as_bytes(), platform_id.as_bytes()],
        );
        Asker(hex(&hash[..16]))
    }

    /// A token that proves that a form came from a page of ours, for the browser that holds `secret`.
    pub fn form_token(&self, secret: &str) -> String {
        hex(&hmac(&self.form, &[secret.as_bytes()])[..16])
    }

    /// What the platform says to our webhook, when nothing else was agreed: the same for all programs
    /// that share the key.
    pub fn webhook_secret(&self) -> String {
        hex(&self.webhook)
    }

    /// What tells two keys apart and nothing else: it lies in the database (see `key_match`).
    pub(super) fn fingerprint(&self) -> String {
        hex(&self.fingerprint[..16])
    }

    /// Seals `plain`; only the same key and the same `context` open it again.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn seal(&self, plain: &[u8], context: &[u8]) -> Result<String, JournalError> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let payload = Payload {
            msg: plain,
            aad: context,
        };
        let sealed = XChaCha20Poly1305::new((&self.seal).into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| JournalError::Sealed)?;
        Ok(hex(&nonce) + &hex(&sealed))
    }

    /// Opens what [`Keys::seal`] sealed.
    ///
    /// # Errors
    /// [`JournalError::Sealed`] for another key, another context or any change.
    pub fn unseal(&self, sealed: &str, context: &[u8]) -> Result<Vec<u8>, JournalError> {
        let bytes = unhex(sealed).filter(|b| b.len() >= NONCE_BYTES);
        let bytes = bytes.ok_or(JournalError::Sealed)?;
        let (nonce, msg) = bytes.split_at(NONCE_BYTES);
        XChaCha20Poly1305::new((&self.seal).into())
            .decrypt(XNonce::from_slice(nonce), Payload { msg, aad: context })
            .map_err(|_| JournalError::Sealed)
    }
}

/// Writes the key aside and links it in place, so that a crash leaves no half key and the first
/// of two processes wins.
fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let open = fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0);
    if open {
        tracing::warn!(key.path = %path.display(), "the local key is readable by others: chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn the_key_survives_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/local.key");
        let first = Keys::open_or_create(&path).unwrap();
        let second = Keys::open_or_create(&path).unwrap();
        assert_eq!(first.asker("telegram", "1"), second.asker("telegram", "1"));
        assert_ne!(first.asker("telegram", "1"), first.asker("web", "1"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.key");
        std::fs::write(&path, "not a key").unwrap();
        assert!(Keys::open_or_create(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
    }

    #[test]
    fn seals_open_only_in_their_context() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open_or_create(&folder.path().join("k")).unwrap();
        let sealed = keys.seal("电话13800138000".as_bytes(), b"7").unwrap();
        assert!(!sealed.contains("13800138000"));
        assert_eq!(
            keys.unseal(&sealed, b"7").unwrap(),
            "电话13800138000".as_bytes()
        );
        assert!(keys.unseal(&sealed, b"8").is_err());
        assert!(keys.unseal("zz", b"7").is_err());
    }
}
