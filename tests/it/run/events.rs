//! TensorBoard's event files, read back record by record.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{RECIPE, json_lines, kitchen, number, trained};

/// A value of a step under its name.
type Scalar = (String, u64, f32);

/// A field of a message: its number, and its bytes or its number as bytes.
type Field = (u64, Vec<u8>);

#[test]
fn every_record_has_its_check_sums_and_says_what_the_metrics_say() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml"]);
    let run = folder.path().join("runs/tiny");
    let scalars = scalars(&run.join("tensorboard"));
    let lines = json_lines(run.join("metrics.jsonl"));
    let mut expected: Vec<Scalar> = Vec::new();
    for line in &lines {
        let step = line["step"].as_u64().expect("a step");
        let mut say = |name: String, value: &Value| {
            expected.push((name, step, number(value) as f32));
        };
        if line["loss"].is_number() {
            for key in ["loss", "learning_rate", "gradient_norm", "tokens_per_second"] {
                say(format!("train/{key}"), &line[key]);
            }
        } else {
            for key in ["exact", "alignment"] {
                say(format!("eval/say/default/{key}"), &line[key]);
            }
            for (rule, mean) in line["rules"].as_object().expect("rules by name") {
                say(format!("eval/say/default/rule/{rule}"), mean);
            }
        }
    }
    assert_eq!(scalars, expected);
    // Before the first step, after ten, and at the end.
    let exact = scalars.iter().filter(|(name, ..)| name.ends_with("/exact"));
    assert_eq!(exact.map(|(_, step, _)| *step).collect::<Vec<_>>(), [0, 10, 20]);
}

#[test]
fn a_run_that_goes_on_says_no_step_twice() {
    let folder = kitchen(RECIPE);
    trained(folder.path(), &["--train", "tiny.toml", "--out", "run"]);
    let events = folder.path().join("run/tensorboard");
    let straight: Vec<(String, u64)> =
        scalars(&events).into_iter().map(|(name, step, _)| (name, step)).collect();
    // From the checkpoint after ten steps; and a file whose last record was cut off stays readable.
    let first =
        fs::read_dir(&events).expect("a folder").next().expect("a file").expect("it").path();
    let bytes = fs::read(&first).expect("bytes");
    fs::write(&first, &bytes[..bytes.len() - 5]).expect("a file");
    trained(folder.path(), &["--resume", "run"]);
    assert_eq!(fs::read_dir(&events).expect("a folder").count(), 2);
    let mut again: Vec<(String, u64)> =
        scalars(&events).into_iter().map(|(name, step, _)| (name, step)).collect();
    assert_eq!(again.len(), straight.len());
    again.sort();
    let mut straight = straight;
    straight.sort();
    assert_eq!(again, straight);
}

/// What the files of a folder say, in the order of their names; a session that starts at a step
/// takes back what was said of that step and later ones.
fn scalars(folder: &Path) -> Vec<Scalar> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|one| one.expect("a file").path()).collect();
    paths.sort();
    let mut scalars: Vec<Scalar> = Vec::new();
    for path in paths {
        assert!(path.display().to_string().contains(".out.tfevents."), "{}", path.display());
        let bytes = fs::read(&path).expect("bytes");
        for (at, data) in records(&bytes).into_iter().enumerate() {
            let event = fields(data);
            let of = |wanted: u64| event.iter().find(|(field, _)| *field == wanted);
            let step = of(2).map_or(0, |(_, value)| whole(value));
            assert!(f64::from_le_bytes(of(1).expect("a time").1[..].try_into().expect("8")) > 1e9);
            match (at, of(3), of(7), of(5)) {
                (0, Some((_, version)), ..) => assert_eq!(version, b"brain.Event:2"),
                (1, _, Some((_, session)), _) => {
                    assert_eq!(fields(session), [(1, 1u64.to_le_bytes().to_vec())]);
                    scalars.retain(|(_, said, _)| *said < step);
                }
                (_, _, _, Some((_, summary))) => {
                    scalars.extend(values(summary).map(|(name, value)| (name, step, value)));
                }
                _ => panic!("record {at} says nothing"),
            }
        }
    }
    scalars
}

fn values(summary: &[u8]) -> impl Iterator<Item = (String, f32)> {
    fields(summary).into_iter().map(|(field, value)| {
        assert_eq!(field, 1);
        let one = fields(&value);
        assert_eq!((one[0].0, one[1].0), (1, 2));
        let name = String::from_utf8(one[0].1.clone()).expect("a name");
        (name, f32::from_le_bytes(one[1].1[..].try_into().expect("four bytes")))
    })
}

/// The data of each record but one that was cut off.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<12>() {
        let length = u64::from_le_bytes(head[..8].try_into().expect("eight")) as usize;
        assert_eq!(head[8..], masked_sum(&head[..8]));
        let Some(data) = rest.get(..length + 4) else { break };
        assert_eq!(data[length..], masked_sum(&data[..length]));
        found.push(&data[..length]);
        bytes = &rest[length + 4..];
    }
    found
}

/// CRC-32C bit by bit (RFC 3720, appendix B.4), masked as TensorFlow does.
fn masked_sum(data: &[u8]) -> [u8; 4] {
    let mut sum = u32::MAX;
    for byte in data {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg());
        }
    }
    (!sum).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The fields of a message; numbers as eight bytes.
fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, varint(&mut bytes).to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            other => panic!("no wire type {other} is written"),
        };
        let (value, rest) = bytes.split_at(length);
        found.push((key >> 3, value.to_vec()));
        bytes = rest;
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for at in 0..10 {
        let (byte, rest) = bytes.split_first().expect("more bytes");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn whole(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}
