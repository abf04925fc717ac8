//! Paths and the URIs that editors name files with.

use std::path::{Path, PathBuf};

use lsp_types::Uri;

/// The path of a `file:` URI.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    // What is before the path names a machine; only this one is ours.
    let path = decode(&rest[rest.find('/')?..])?;
    let is_drive = path.get(2..3) == Some(":");
    Some(PathBuf::from(if is_drive && cfg!(windows) { &path[1..] } else { &path }))
}

/// The `file:` URI of a path.
pub fn uri(path: &Path) -> Option<Uri> {
    let text = path.to_str()?;
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_string() };
    let slash = if text.starts_with('/') { "" } else { "/" };
    let mut encoded = String::from("file://") + slash;
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded.parse().ok()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_and_comes_back() {
        let there = Path::new("/tmp/a b/ñ%.cook");
        let uri = uri(there).expect("it is UTF-8");
        assert_eq!(uri.as_str(), "file:///tmp/a%20b/%C3%B1%25.cook");
        assert_eq!(path(&uri).as_deref(), Some(there));
    }

    #[test]
    fn what_is_no_file_has_no_path() {
        for other in ["untitled:Untitled-1", "file://%zz", "file:///%ff"] {
            assert_eq!(other.parse().ok().as_ref().and_then(path), None, "{other}");
        }
    }
}
