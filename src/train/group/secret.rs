//! The secret of the ranks of a run, and how two of them prove to each other that they know it.

use std::fmt;
use std::io::{Error, ErrorKind, Read, Result, Write};

use blake3::Hash;
use serde::{Deserialize, Serialize};

use super::frame::{self, Kind};

/// Fewer characters can be guessed by who has seen one proof.
const LENGTH_MIN: usize = 16;

/// The most bytes of a frame from who has proved nothing yet: the ports of a thousand ranks fit in.
const UNPROVED_MAX: usize = 1 << 16;

/// The secret of a run. Without one, every caller knows it: then the network is trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    key: [u8; 32],
    is_given: bool,
}

/// Chosen by chance for one connection, so that no proof is of use on another.
#[derive(Clone, Copy, Debug)]
struct Nonces {
    caller: [u8; 32],
    answering: [u8; 32],
}

/// From the caller: its nonce.
#[derive(Serialize, Deserialize)]
struct Knock {
    nonce: [u8; 32],
}

/// From who answers: its nonce, and a proof that it knows the secret.
#[derive(Serialize, Deserialize)]
struct Challenge {
    nonce: [u8; 32],
    proof: [u8; 32],
}

/// From the caller: what it says, and a proof that it knows the secret.
#[derive(Serialize, Deserialize)]
struct Signed {
    said: String,
    proof: [u8; 32],
}

impl Secret {
    /// Of a text that all ranks have.
    ///
    /// # Errors
    /// If the text is too short.
    pub fn new(text: &str) -> std::result::Result<Secret, String> {
        if text.chars().count() < LENGTH_MIN {
            return Err(format!(
                "COOKC_SECRET has fewer than {LENGTH_MIN} characters: `openssl rand -hex 16` makes \
                 one"
            ));
        }
        Ok(Secret { key: key(text), is_given: true })
    }

    /// None: whoever calls is believed.
    pub fn none() -> Secret {
        Secret { key: key(""), is_given: false }
    }

    /// A new random one, as text for the environment.
    ///
    /// # Errors
    /// If the system has no source of randomness.
    pub fn fresh() -> Result<String> {
        Ok(Hash::from_bytes(chance()?).to_hex().to_string())
    }

    /// Whether who proves to know it is a rank for sure.
    pub fn is_given(&self) -> bool {
        self.is_given
    }

    /// Calls: whoever answers has to prove that it knows the secret before anything is said to it.
    ///
    /// # Errors
    /// [`ErrorKind::PermissionDenied`] if it does not.
    pub(super) fn call(
        &self,
        with: &mut (impl Read + Write),
        kind: Kind,
        said: &impl Serialize,
    ) -> Result<()> {
        let caller = chance()?;
        frame::write_value(with, Kind::Knock, &Knock { nonce: caller })?;
        let challenge: Challenge = unproved(with, Kind::Challenge)?;
        let nonces = Nonces { caller, answering: challenge.nonce };
        self.expect(self.proof("answers", &nonces, b""), challenge.proof)?;
        let said = serde_json::to_string(said)?;
        let proof = *self.proof("calls", &nonces, said.as_bytes()).as_bytes();
        frame::write_value(with, kind, &Signed { said, proof })
    }

    /// Answers a call, and returns what the caller says once it has proved that it knows the
    /// secret.
    ///
    /// # Errors
    /// [`ErrorKind::PermissionDenied`] if it does not.
    pub(super) fn answer<Said: serde::de::DeserializeOwned>(
        &self,
        with: &mut (impl Read + Write),
        kind: Kind,
    ) -> Result<Said> {
        let knock: Knock = unproved(with, Kind::Knock)?;
        let nonces = Nonces { caller: knock.nonce, answering: chance()? };
        let proof = *self.proof("answers", &nonces, b"").as_bytes();
        let challenge = Challenge { nonce: nonces.answering, proof };
        frame::write_value(with, Kind::Challenge, &challenge)?;
        let signed: Signed = unproved(with, kind)?;
        self.expect(self.proof("calls", &nonces, signed.said.as_bytes()), signed.proof)?;
        frame::value(signed.said.as_bytes())
    }

    fn proof(&self, role: &str, nonces: &Nonces, said: &[u8]) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in [role.as_bytes(), &nonces.caller, &nonces.answering, said] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        hasher.finalize()
    }

    /// Compares in the same time wherever the two differ, as `Hash` does.
    fn expect(&self, wanted: Hash, found: [u8; 32]) -> Result<()> {
        match wanted == Hash::from_bytes(found) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::PermissionDenied, "it has another secret")),
        }
    }
}

/// The secret itself is never shown.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Secret").field("is_given", &self.is_given).finish_non_exhaustive()
    }
}

fn key(text: &str) -> [u8; 32] {
    blake3::derive_key("cookc 2026-11-28 the secret of a group of processes", text.as_bytes())
}

fn chance() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Error::other)?;
    Ok(bytes)
}

/// A small frame of a kind.
fn unproved<Value: serde::de::DeserializeOwned>(from: &mut impl Read, kind: Kind) -> Result<Value> {
    let (header, bytes) = frame::read_at_most(from, UNPROVED_MAX)?;
    if header.kind != kind {
        return Err(ErrorKind::InvalidData.into());
    }
    frame::value(&bytes)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    /// What the two ends of a call say.
    fn called(caller: Secret, answering: Secret) -> (Result<()>, Result<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let at = listener.local_addr().expect("it has one");
        let call = thread::spawn(move || {
            let mut stream = TcpStream::connect(at)?;
            caller.call(&mut stream, Kind::Hello, &"it is me")
        });
        let (mut stream, _) = listener.accept().expect("it calls");
        let said = answering.answer(&mut stream, Kind::Hello);
        drop(stream);
        (call.join().expect("it does not panic"), said)
    }

    fn of(text: &str) -> Secret {
        Secret::new(text).expect("it is long enough")
    }

    #[test]
    fn only_who_knows_the_secret_is_told_anything_and_is_believed() {
        let one = "one secret of sixteen letters";
        let (call, said) = called(of(one), of(one));
        assert!(call.is_ok());
        assert_eq!(said.expect("both know it"), "it is me");
        for (caller, answering) in [
            (of(one), of("another secret of these")),
            (of(one), Secret::none()),
            (Secret::none(), of(one)),
        ] {
            let (call, said) = called(caller, answering);
            let refused = call.expect_err("the other end has proved nothing");
            assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
            assert!(said.is_err(), "nothing was said to it");
        }
    }

    #[test]
    fn what_a_caller_said_once_is_of_no_use_to_who_has_seen_it() {
        let secret = of("one secret of sixteen letters");
        let (caller, said) = ([7; 32], "it is me".to_string());
        let seen = Nonces { caller, answering: [1; 32] };
        let proof = *secret.proof("calls", &seen, said.as_bytes()).as_bytes();
        let mut replayed = Vec::new();
        frame::write_value(&mut replayed, Kind::Knock, &Knock { nonce: caller }).expect("memory");
        let signed = Signed { said, proof };
        frame::write_value(&mut replayed, Kind::Hello, &signed).expect("memory");
        let mut with = Replay(std::io::Cursor::new(replayed));
        let refused = secret.answer::<String>(&mut with, Kind::Hello).expect_err("it is no proof");
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_secret_is_long_and_shown_nowhere() {
        assert!(Secret::new("fifteen letters").is_err());
        let fresh = Secret::fresh().expect("the system has chance");
        assert_ne!(fresh, Secret::fresh().expect("the system has chance"));
        assert_eq!(format!("{:?}", of(&fresh)), "Secret { is_given: true, .. }");
    }

    /// What was written before is read; what is written goes nowhere.
    struct Replay(std::io::Cursor<Vec<u8>>);

    impl Read for Replay {
        fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
            self.0.read(bytes)
        }
    }

    impl Write for Replay {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }
}
