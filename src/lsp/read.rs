//! Messages as a client sends them: a head that says how long the body is, and JSON, both bounded.

use std::io::{self, BufRead, ErrorKind, Read};

use lsp_server::Message;

/// The most bytes of a message: a template of the largest size with every character escaped fits
/// in several times over.
const BODY_MAX: u64 = 64 << 20;
/// A longer one is passed over, up to this size; beyond it no client sends what was announced.
const PASSED_OVER_MAX: u64 = 4 << 30;
/// The most bytes of a line of the head.
const LINE_MAX: u64 = 4096;

/// The next message; none when the client has left.
///
/// # Errors
/// [`ErrorKind::InvalidData`] for what is no message, [`ErrorKind::FileTooLarge`] for one that is
/// too long: the next may be read. After any other error none can.
pub fn message(input: &mut impl BufRead) -> io::Result<Option<Message>> {
    let Some(length) = head(input)? else { return Ok(None) };
    if length > BODY_MAX {
        let told = format!("a message has {length} bytes; {BODY_MAX} is the most");
        if length > PASSED_OVER_MAX {
            return Err(io::Error::other(told));
        }
        io::copy(&mut input.take(length), &mut io::sink())?;
        return Err(io::Error::new(ErrorKind::FileTooLarge, told));
    }
    // Room is taken for what comes, not for what is announced.
    let mut body = Vec::new();
    if (input.take(length).read_to_end(&mut body)? as u64) < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&body).map(Some).map_err(|_| ErrorKind::InvalidData.into())
}

/// The length that a head announces.
fn head(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let Some(line) = line.strip_suffix("\r\n") else {
            return Err(ErrorKind::InvalidData.into());
        };
        if line.is_empty() {
            return length.map(Some).ok_or_else(|| ErrorKind::InvalidData.into());
        }
        let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
        if name.eq_ignore_ascii_case("Content-Length") {
            // More digits than a number of 64 bits has are a length that no client sends.
            let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let value = value.trim();
            length = match value.parse() {
                Ok(length) => Some(length),
                Err(_) if !value.is_empty() && is_number(value) => Some(u64::MAX),
                Err(_) => return Err(ErrorKind::InvalidData.into()),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXIT: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}";

    fn kinds(input: &str) -> Vec<Result<String, ErrorKind>> {
        let mut input = input.as_bytes();
        let mut found = Vec::new();
        loop {
            match message(&mut input) {
                Ok(Some(Message::Notification(note))) => found.push(Ok(note.method)),
                Ok(Some(_)) => found.push(Ok("another".to_string())),
                Ok(None) => return found,
                Err(error) => found.push(Err(error.kind())),
            }
        }
    }

    #[test]
    fn a_length_that_no_memory_holds_ends_the_conversation_without_taking_the_memory() {
        for length in ["99999999999999", "18446744073709551615", "99999999999999999999999"] {
            let mut input = format!("Content-Length: {length}\r\n\r\n{EXIT}");
            input.push_str("after");
            let told = message(&mut input.as_bytes()).expect_err("nobody sends so much");
            assert_eq!(told.kind(), ErrorKind::Other, "{told}");
        }
        let most = format!("Content-Length: {BODY_MAX}\r\n\r\n{EXIT}");
        assert_eq!(kinds(&most), [Err(ErrorKind::UnexpectedEof)]);
    }

    #[test]
    fn what_is_no_message_or_too_long_is_passed_over() {
        let exit = format!("content-length: {}\r\n\r\n{EXIT}", EXIT.len());
        let long = BODY_MAX + 1;
        for (before, kind) in [
            ("Content-Length: 2\r\n\r\n{]".to_string(), ErrorKind::InvalidData),
            ("Content-Length: -1\r\n".to_string(), ErrorKind::InvalidData),
            ("no head\n".to_string(), ErrorKind::InvalidData),
            (
                format!("Content-Length: {long}\r\n\r\n{}", " ".repeat(long as usize)),
                ErrorKind::FileTooLarge,
            ),
        ] {
            assert_eq!(kinds(&(before + &exit)), [Err(kind), Ok("exit".to_string())]);
        }
        let endless = "x".repeat(3 * LINE_MAX as usize) + "\r\n" + &exit;
        assert_eq!(kinds(&endless).pop(), Some(Ok("exit".to_string())));
    }
}
