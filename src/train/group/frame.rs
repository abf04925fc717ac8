//! What goes over a connection between two ranks: a header of 16 bytes, and bytes.

use std::io::{Error, ErrorKind, Read, Result, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How each frame begins, so that no other program's bytes are taken for one.
const MAGIC: [u8; 3] = *b"ckr";

/// The most bytes of a frame: more is no frame of ours.
const LENGTH_MAX: usize = 16 << 20;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// To who answers: somebody comes, with a nonce.
    Knock,
    /// To who comes: a proof that the run's secret is known, and a nonce.
    Challenge,
    /// To rank 0: who comes, with a proof.
    Hello,
    /// From rank 0: what are your settings?
    Ask,
    /// To rank 0: those are.
    Settings,
    /// From rank 0: where all are.
    Welcome,
    /// From rank 0: why there will be no run.
    Refused,
    /// To the neighbour on the right: who is on its left.
    Neighbour,
    /// I live.
    Beat,
    /// The sum of some numbers over rank 0 to the sender.
    Partial,
    /// The sum of some numbers over all ranks.
    Total,
    /// Bytes of rank 0 for all.
    Word,
    /// A rank is lost.
    Lost,
    /// The sender has ended well.
    Bye,
}

const KINDS: [Kind; 14] = [
    Kind::Knock,
    Kind::Challenge,
    Kind::Hello,
    Kind::Ask,
    Kind::Settings,
    Kind::Welcome,
    Kind::Refused,
    Kind::Neighbour,
    Kind::Beat,
    Kind::Partial,
    Kind::Total,
    Kind::Word,
    Kind::Lost,
    Kind::Bye,
];

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// What it is for.
    pub kind: Kind,
    /// The how many-th operation of the group it belongs to.
    pub operation: u32,
    /// The how many-th piece of the operation's numbers it holds.
    pub piece: u32,
}

impl From<Kind> for Header {
    fn from(kind: Kind) -> Header {
        Header { kind, operation: 0, piece: 0 }
    }
}

/// Writes a frame.
pub(super) fn write(to: &mut impl Write, header: Header, bytes: &[u8]) -> Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length as usize <= LENGTH_MAX);
    let length = length.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it is too long"))?;
    let [a, b, c] = MAGIC;
    let mut head = vec![a, b, c, header.kind as u8];
    for number in [header.operation, header.piece, length] {
        head.extend(number.to_le_bytes());
    }
    to.write_all(&head)?;
    to.write_all(bytes)?;
    to.flush()
}

/// Reads a frame; what is none is an error of kind `InvalidData`.
pub(super) fn read(from: &mut impl Read) -> Result<(Header, Vec<u8>)> {
    read_at_most(from, LENGTH_MAX)
}

/// The same with another limit: room is taken for what is announced.
pub(super) fn read_at_most(from: &mut impl Read, most: usize) -> Result<(Header, Vec<u8>)> {
    let mut head = [0; 16];
    from.read_exact(&mut head)?;
    let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| head[at + byte]));
    let kind = KINDS.get(usize::from(head[3])).filter(|_| head[..3] == MAGIC);
    let length = number(12) as usize;
    let (Some(&kind), true) = (kind, length <= most) else { return Err(foreign()) };
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok((Header { kind, operation: number(4), piece: number(8) }, bytes))
}

/// Writes a frame that holds a value.
pub(super) fn write_value(to: &mut impl Write, kind: Kind, value: &impl Serialize) -> Result<()> {
    write(to, kind.into(), &serde_json::to_vec(value)?)
}

/// The value that a frame's bytes hold.
pub(super) fn value<Value: DeserializeOwned>(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|_| foreign())
}

fn foreign() -> Error {
    Error::new(ErrorKind::InvalidData, "what comes is not from cookc")
}
