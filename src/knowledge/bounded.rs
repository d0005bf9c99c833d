//! Reading a file that anybody may have made: no more of it than it can sensibly hold.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The bytes of a file of at most so many megabytes.
///
/// # Errors
/// When it cannot be read, or is larger ([`io::ErrorKind::FileTooLarge`], in Chinese).
pub fn read_bounded(path: &Path, megabytes: u64) -> io::Result<Vec<u8>> {
    let most = megabytes << 20;
    let mut bytes = Vec::new();
    // A size that the system states may change while we read.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let words = format!("文件超过 {megabytes} MB，没有读：请拆成几个文件");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, words));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::read_bounded;
    use std::io::ErrorKind;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read_bounded(&path, 1).unwrap().len(), 1 << 20);
        // Nothing of so large a file is on the disk, and nothing of it comes into memory.
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let error = read_bounded(&path, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("1 MB"));
    }
}
