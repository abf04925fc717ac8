//! What all ranks do together: numbers summed in the order of the ranks, and bytes of rank 0.

use std::ops::AddAssign;

use anyhow::Result;
use bytemuck::Pod;

use super::frame::{Header, Kind};
use super::links::{Inbox, Links};

/// Bytes of a piece. Pieces follow each other through the ranks, so that all connections carry
/// some at once; smaller ones would cost more calls than they save time.
const PIECE: usize = 1 << 20;

/// What can be summed: f32, f64, u64.
pub trait Number: Pod + AddAssign {}

impl Number for f32 {}
impl Number for f64 {}
impl Number for u64 {}

/// Sums over all ranks. A piece starts at rank 0, each rank adds its own, and the last rank sends
/// the total on round the ring; the next pieces follow close behind. A connection carries each
/// number at most twice. The usual reduce-scatter and all-gather (Patarasuk and Yuan 2009) carries
/// it 2 − 2/n times, but sums each piece in another order of the ranks, unlike one process alone.
pub(super) fn all_reduce<N: Number>(links: &Links, numbers: &mut [N]) -> Result<()> {
    let mut inbox = links.inbox.lock().expect("no thread panics while it holds the lock");
    inbox.operations = inbox.operations.wrapping_add(1);
    let (rank, size) = links.place();
    let (last, operation) = (size - 1, inbox.operations);
    let send = |kind: Kind, piece: usize, numbers: &[N]| {
        let header = Header { kind, operation, piece: piece as u32 };
        links.send(header, bytemuck::cast_slice(numbers))
    };
    let mut pieces: Vec<&mut [N]> = numbers.chunks_mut(PIECE / size_of::<N>()).collect();
    // Enough under way to keep all ranks busy, and no more: what is under way takes memory.
    let ahead = 2 * size + 2;
    let (mut begun, mut summed, mut done) = (0, 0, 0);
    while done < pieces.len() {
        if rank == 0 && begun < pieces.len().min(done + ahead) {
            send(Kind::Partial, begun, pieces[begun])?;
            begun += 1;
            continue;
        }
        let (header, bytes) = links.receive(&inbox)?;
        let (kind, at) = match header.kind {
            Kind::Partial => (Kind::Partial, summed),
            _ => (Kind::Total, done),
        };
        let expected = Header { kind, operation, piece: at as u32 };
        let length = pieces.get(at).map(|piece| size_of_val(&**piece));
        expect(links, header == expected && length == Some(bytes.len()))?;
        let values = bytes.chunks_exact(size_of::<N>()).map(bytemuck::pod_read_unaligned::<N>);
        if kind == Kind::Partial {
            pieces[at].iter_mut().zip(values).for_each(|(own, before)| {
                let mut sum = before;
                sum += *own;
                *own = sum;
            });
            summed += 1;
            send(if rank == last { Kind::Total } else { Kind::Partial }, at, pieces[at])?;
            done += usize::from(rank == last);
        } else {
            pieces[at].iter_mut().zip(values).for_each(|(own, total)| *own = total);
            done += 1;
            if rank + 1 != last {
                send(Kind::Total, at, pieces[at])?;
            }
        }
    }
    Ok(())
}

/// Passes bytes of rank 0 on from rank to rank.
pub(super) fn broadcast(links: &Links, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let mut inbox = links.inbox.lock().expect("no thread panics while it holds the lock");
    inbox.operations = inbox.operations.wrapping_add(1);
    let header = Header { kind: Kind::Word, operation: inbox.operations, piece: 0 };
    let (rank, size) = links.place();
    let word = if rank == 0 { bytes } else { received(links, &inbox, header)? };
    if rank + 1 < size {
        links.send(header, &word)?;
    }
    Ok(word)
}

fn received(links: &Links, inbox: &Inbox, expected: Header) -> Result<Vec<u8>> {
    let (header, bytes) = links.receive(inbox)?;
    expect(links, header == expected)?;
    Ok(bytes)
}

/// Ranks that are at different operations cannot go on together.
fn expect(links: &Links, in_step: bool) -> Result<()> {
    match in_step {
        true => Ok(()),
        false => Err(links.lose_left("is not where the others are in the run".into()).into()),
    }
}
