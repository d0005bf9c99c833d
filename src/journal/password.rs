//! Passwords of dashboard accounts: argon2id, never kept in clear.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::JournalError;

/// The shortest password taken, in characters.
pub const MIN_PASSWORD: usize = 10;
/// Longer ones are refused, so that nobody makes us hash a book.
const MAX_PASSWORD: usize = 200;
/// Without letters and digits that are mistaken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too few characters.
    #[error("密码至少要 {MIN_PASSWORD} 个字符")]
    Short,
    /// Far too many.
    #[error("密码太长，最多 {MAX_PASSWORD} 个字符")]
    Long,
    /// It is the account's own name, or one character again and again.
    #[error("密码太好猜：不要用用户名，也不要只重复一个字符")]
    Guessable,
}

/// Whether `password` may be used for the account `name`.
///
/// # Errors
/// With the reason, to be shown as it is.
pub fn judge_password(name: &str, password: &str) -> Result<(), WeakPassword> {
    let length = password.chars().count();
    let first = password.chars().next();
    if length < MIN_PASSWORD {
        Err(WeakPassword::Short)
    } else if length > MAX_PASSWORD {
        Err(WeakPassword::Long)
    } else if password.contains(name) || password.chars().all(|c| Some(c) == first) {
        Err(WeakPassword::Guessable)
    } else {
        Ok(())
    }
}

/// Hashes a password with a new salt. Slow on purpose: call it where blocking is allowed.
///
/// # Errors
/// When the system has no randomness or memory to give.
pub fn hash_password(password: &str) -> Result<String, JournalError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| JournalError::Password(e.to_string()))
}

/// Whether `password` is the one behind `hash`. As slow as hashing.
pub fn is_password(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// A random password of 80 bits that can be read out on the telephone: `k7f3-…`.
///
/// # Errors
/// When the system has no randomness to give.
pub fn generate_password() -> Result<String, JournalError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    let letters: Vec<char> = bytes
        .iter()
        .map(|b| char::from(ALPHABET[usize::from(b % 32)]))
        .collect();
    let groups: Vec<String> = letters.chunks(4).map(|g| g.iter().collect()).collect();
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_tells_nothing() {
        let hash = hash_password("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains("horse"));
        assert!(is_password(&hash, "correct horse battery"));
        assert!(!is_password(&hash, "correct horse batterz"));
        assert!(!is_password("nonsense", "correct horse battery"));
        assert_ne!(hash, hash_password("correct horse battery").unwrap());
    }

    #[test]
    fn weak_passwords_are_refused_and_generated_ones_are_not() {
        assert_eq!(
            judge_password("王芳", "123456789"),
            Err(WeakPassword::Short)
        );
        assert_eq!(
            judge_password("王芳", "王芳12345678"),
            Err(WeakPassword::Guessable)
        );
        assert_eq!(
            judge_password("王芳", "aaaaaaaaaaaa"),
            Err(WeakPassword::Guessable)
        );
        let (one, two) = (generate_password().unwrap(), generate_password().unwrap());
        assert_ne!(one, two);
        assert_eq!(judge_password("王芳", &one), Ok(()));
    }
}
