//! The processes of a run as one group: places, sums, and training that is the same on all.

use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use cookc::model::{Gradients, Model, Training};
use cookc::train::group::{Group, Place, Refusal, Secret, Watch};
use cookc::train::optimizer::AdamW;
use cookc::train::schedule::learning_rate;
use cookc::train::{Example, Settings, Trainer, batch};

use super::{examples, grouped, quick};
use crate::run_group::free_port;

/// Runs a rank of a group on each of so many threads; what they give, by rank.
fn group<Done: Send>(
    size: usize,
    settings: impl Fn(usize) -> String + Sync,
    run: impl Fn(&Result<Group, Refusal>) -> Done + Sync,
) -> Vec<Done> {
    let port = free_port();
    thread::scope(|scope| {
        let rank = |rank: usize| {
            let (settings, run) = (settings(rank), &run);
            let meeting = Some(("127.0.0.1".to_string(), port));
            let patience = Duration::from_secs(20);
            let secret = secret();
            let place = Place { rank, size, local_rank: rank, meeting, patience, secret };
            scope.spawn(move || {
                let group = Group::join(place, &settings, watch());
                let done = run(&group);
                if let Ok(group) = group
                    && group.lost().is_none()
                {
                    group.close().expect("all are done");
                }
                done
            })
        };
        let ranks: Vec<_> = (0..size).map(rank).collect();
        ranks.into_iter().map(|rank| rank.join().expect("it does not panic")).collect()
    })
}

/// What the ranks of these tests know.
fn secret() -> Secret {
    Secret::new("a secret of all these tests").expect("it is long enough")
}

/// Each rank has a flag of its own, as processes do.
fn watch() -> Watch {
    let cancel = Box::leak(Box::new(AtomicBool::new(false)));
    Watch { cancel, stuck: |lost| panic!("{lost}") }
}

fn alike(_: usize) -> String {
    "steps = 1\n".to_string()
}

/// The place that an environment gives.
fn place(variables: &[(&str, &str)]) -> Result<Place, String> {
    Place::from_environment(&|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_string())
    })
}

#[test]
fn each_launcher_s_environment_gives_the_place() {
    let torchrun = [
        ("RANK", "1"),
        ("WORLD_SIZE", "4"),
        ("LOCAL_RANK", "1"),
        ("LOCAL_WORLD_SIZE", "2"),
        ("MASTER_ADDR", "node1"),
        ("MASTER_PORT", "29500"),
    ];
    let chosen = [&torchrun[..], &[("COOKC_PORT", "700")]].concat();
    let mpi = [
        ("OMPI_COMM_WORLD_RANK", "1"),
        ("OMPI_COMM_WORLD_SIZE", "2"),
        ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
        ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
    ];
    let slurm = [("SLURM_PROCID", "2"), ("SLURM_NTASKS", "4"), ("SLURM_LOCALID", "0")];
    let job = [&slurm[..], &[("SLURM_JOB_ID", "16385"), ("SLURM_NNODES", "2")]].concat();
    let of_list = |list| [&job[..], &[("SLURM_JOB_NODELIST", list)]].concat();
    let launching = [&job[..], &[("SLURM_LAUNCH_NODE_IPADDR", "10.0.0.9")]].concat();
    for (variables, rank, local_rank, host, port) in [
        (torchrun.to_vec(), 1, 1, "node1", 29_501),
        (chosen, 1, 1, "node1", 700),
        (mpi.to_vec(), 1, 1, "127.0.0.1", 29_501),
        // A process of mpirun in a Slurm job is mpirun's.
        ([&mpi[..], &of_list("other")].concat(), 1, 1, "127.0.0.1", 29_501),
        (of_list("gpu[03-05,9],x"), 2, 0, "gpu03", 16_385),
        (of_list("a-[1,3]-b[7-8]"), 2, 0, "a-1-b7", 16_385),
        (of_list("one,two[1-2]"), 2, 0, "one", 16_385),
        (launching, 2, 0, "10.0.0.9", 16_385),
    ] {
        let place = place(&variables).unwrap_or_else(|error| panic!("{variables:?}: {error}"));
        let meeting = Some((host.to_string(), port));
        assert_eq!((place.rank, place.local_rank), (rank, local_rank), "{variables:?}");
        assert_eq!(place.meeting, meeting, "{variables:?}");
    }
    // One process is alone, and so is one in a Slurm job that srun did not start.
    let one = [("RANK", "0"), ("WORLD_SIZE", "1")];
    for alone in [&[][..], &one, &[("SLURM_NTASKS", "8")], &[("MASTER_ADDR", "node1")]] {
        assert_eq!(place(alone), Ok(Place::alone()));
    }
}

#[test]
fn half_a_place_or_one_that_contradicts_itself_is_an_error_that_names_the_variable() {
    let two = [("RANK", "1"), ("WORLD_SIZE", "2")];
    let there = [&two[..], &[("MASTER_ADDR", "a"), ("MASTER_PORT", "5")]].concat();
    let with = |more: &[(&'static str, &'static str)]| [&there[..], more].concat();
    for (variables, wanted) in [
        (vec![("RANK", "1")], "WORLD_SIZE is not"),
        (vec![("WORLD_SIZE", "2")], "RANK is not"),
        (vec![("RANK", "2"), ("WORLD_SIZE", "2")], "RANK is 2, but WORLD_SIZE is 2"),
        (vec![("RANK", "one"), ("WORLD_SIZE", "2")], "RANK is an integer, and is `one`"),
        (two.to_vec(), "MASTER_ADDR is not"),
        (there[..3].to_vec(), "MASTER_PORT is not"),
        (with(&[("LOCAL_RANK", "1"), ("LOCAL_WORLD_SIZE", "1")]), "LOCAL_RANK is 1"),
        (with(&[("COOKC_PORT", "70000")]), "COOKC_PORT is a port"),
        ([&two[..], &[("MASTER_ADDR", "a"), ("MASTER_PORT", "65535")]].concat(), "at most 65534"),
        (with(&[("COOKC_TIMEOUT", "0")]), "COOKC_TIMEOUT"),
        (with(&[("COOKC_SECRET", "short")]), "COOKC_SECRET has fewer than 16 characters"),
        (vec![("SLURM_PROCID", "1")], "SLURM_NTASKS is not"),
        (vec![("SLURM_PROCID", "1"), ("SLURM_NTASKS", "2")], "MASTER_ADDR is not"),
        (
            vec![("SLURM_PROCID", "1"), ("SLURM_NTASKS", "2"), ("WORLD_SIZE", "4")],
            "WORLD_SIZE is 4, but srun says SLURM_NTASKS=2",
        ),
        (
            vec![
                ("OMPI_COMM_WORLD_RANK", "1"),
                ("OMPI_COMM_WORLD_SIZE", "4"),
                ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
            ],
            "MASTER_ADDR is not",
        ),
    ] {
        let error = place(&variables).expect_err(wanted);
        assert!(error.contains(wanted), "{variables:?}: {error}");
    }
}

#[test]
fn shares_are_stretches_in_the_order_of_the_ranks_that_make_up_the_whole() {
    let bounds = group(3, alike, |group| {
        let group = group.as_ref().expect("they meet");
        [group.share(10..18), group.share(0..2)]
    });
    assert_eq!(bounds.concat(), [10..12, 0..0, 12..15, 0..1, 15..18, 1..2]);
    assert_eq!(Group::alone().share(3..9), 3..9);
}

#[test]
fn a_sum_has_the_bits_of_adding_up_the_ranks_in_turn_on_every_rank() {
    let noise = |rank: usize, count: usize| super::reference::noise(&format!("{rank}"), count);
    // Several pieces, a broken last one, and none.
    for (size, count) in [(2, 600_001), (3, 7), (4, 1_400_000), (3, 0)] {
        let sums = group(size, alike, |group| -> Result<_> {
            let group = group.as_ref().expect("they meet");
            let mut numbers = noise(group.rank(), count);
            group.all_reduce(&mut numbers)?;
            let mut counts = [group.rank() as u64 + 1, 1 << 60];
            group.all_reduce(&mut counts)?;
            let mut losses = [0.1 * (group.rank() + 1) as f64];
            group.all_reduce(&mut losses)?;
            let word = group.broadcast(vec![group.rank() as u8; 3])?;
            group.barrier()?;
            Ok((numbers, counts, losses, word))
        });
        let mut expected = noise(0, count);
        for rank in 1..size {
            expected.iter_mut().zip(noise(rank, count)).for_each(|(sum, x)| *sum += x);
        }
        let loss = (2..=size).fold(0.1, |sum, rank| sum + 0.1 * rank as f64);
        for sum in sums {
            let (numbers, counts, losses, word) = sum.expect("nothing is lost");
            assert_eq!(numbers, expected, "{size} ranks");
            assert_eq!(counts, [(size * (size + 1) / 2) as u64, (size as u64) << 60]);
            assert_eq!((losses, word), ([loss], vec![0; 3]));
        }
    }
}

#[test]
fn a_step_of_a_group_has_the_bits_of_one_process_that_adds_up_the_shares() -> Result<()> {
    let settings = Settings { clip_norm: 0.0, ..quick(4) };
    let step = |done: u64| examples(9 + done as usize, 9);
    let shares = |size: usize, done: u64| -> Vec<Vec<Example>> {
        let all = step(done);
        let bound = |rank: usize| all.len() * rank / size;
        (0..size).map(|rank| all[bound(rank)..bound(rank + 1)].to_vec()).collect()
    };
    for size in [2, 4] {
        let trained = group(size, alike, |group| -> Result<(Vec<f64>, Vec<Vec<f32>>)> {
            let group = group.as_ref().expect("they meet");
            let mut model = grouped(true)?;
            let mut trainer = Trainer::new(&mut model, &settings)?.in_group(group)?;
            let mut losses = Vec::new();
            for done in 0..4 {
                let own = group.share(0..9 + done);
                let progress = trainer.step(&step(done)[own.start as usize..own.end as usize])?;
                assert_eq!((progress.samples, progress.tokens), (9 + done, 9 * (9 + done)));
                losses.push(progress.loss);
            }
            Ok((losses, numbers(&model)?))
        });
        let mut model = grouped(true)?;
        let mut optimizer = AdamW::new(&model.trainable())?;
        let mut losses = Vec::new();
        for done in 0..4 {
            let (mut loss, mut labels) = (0.0, 0);
            let mut sum = Gradients::new(true);
            for share in shares(size, done) {
                let mut of_share = (0.0, Gradients::new(true));
                for pass in batch::passes(&share, 1024, 128, false)? {
                    let (inputs, targets) = (&pass.inputs, &pass.labels);
                    of_share.0 +=
                        model.loss(inputs, targets, &Training::default(), &mut of_share.1)?;
                    labels += targets.len();
                }
                loss += of_share.0;
                sum.merge(of_share.1)?;
            }
            losses.push(loss / labels as f64);
            let rate = learning_rate(&settings, done);
            optimizer.step(model.trainable_mut(), &sum, 1.0 / labels as f64, rate, &settings)?;
        }
        let alone = (losses, numbers(&model)?);
        for trained in trained {
            assert_eq!(trained?, alone, "{size} ranks");
        }
    }
    Ok(())
}

#[test]
fn ranks_that_start_from_other_weights_are_told() -> Result<()> {
    let results = group(2, alike, |group| -> Result<String> {
        let group = group.as_ref().expect("they meet");
        let mut model = grouped(group.is_first())?;
        let started = Trainer::new(&mut model, &quick(1))?.in_group(group);
        Ok(started.err().map(|error| error.to_string()).unwrap_or_default())
    });
    let said: Vec<String> = results.into_iter().collect::<Result<_>>()?;
    assert_eq!(said[0], "");
    assert!(said[1].starts_with("rank 1 starts from other weights than rank 0"), "{said:?}");
    Ok(())
}

#[test]
fn a_rank_with_other_settings_is_refused_by_all_and_the_line_is_named() {
    let rate = |rank: usize| format!("steps = 1\nlearning_rate = 0.{}\n", 1 + rank / 2);
    let said = group(3, rate, |group| match group {
        Err(Refusal::Different(text)) => text.clone(),
        other => panic!("{other:?}"),
    });
    let wanted = "rank 2 has another recipe than rank 0: `learning_rate = 0.2`, not \
                  `learning_rate = 0.1`";
    assert_eq!(said, [wanted; 3]);
}

#[test]
fn those_who_came_are_told_who_did_not() {
    let port = free_port();
    let join = |rank: usize| {
        let meeting = Some(("localhost".to_string(), port));
        let patience = Duration::from_secs(1);
        let secret = secret();
        let place = Place { rank, size: 3, local_rank: rank, meeting, patience, secret };
        match Group::join(place, "", watch()) {
            Err(Refusal::Apart(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    thread::scope(|scope| {
        for rank in [0, 1].map(|rank| scope.spawn(move || join(rank))) {
            let said = rank.join().expect("it does not panic");
            assert!(said.starts_with("rank 2 of 3 did not come to port"), "{said}");
        }
    });
}

#[test]
fn a_rank_that_leaves_is_named_to_all_with_its_reason() {
    let said = group(4, alike, |group| {
        let group = group.as_ref().expect("they meet");
        if group.rank() == 2 {
            group.leave("ended with an error (the disk is full)", false);
        }
        let waited = group.barrier();
        let error = waited.expect_err("rank 2 is gone").to_string();
        assert_eq!(group.lost().map(|lost| lost.rank), Some(2));
        error
    });
    let wanted = "rank 2 is lost: it ended with an error (the disk is full)";
    assert_eq!(said, [wanted; 4]);
}

#[test]
fn a_rank_that_is_somewhere_else_in_the_run_is_no_silent_error() {
    let said = group(2, alike, |group| {
        let group = group.as_ref().expect("they meet");
        let done = match group.rank() {
            0 => group.all_reduce(&mut [1_u64]),
            _ => group.broadcast(Vec::new()).map(drop),
        };
        done.expect_err("they do not do the same").to_string()
    });
    for error in said {
        assert!(error.ends_with("is not where the others are in the run"), "{error}");
    }
}

/// All numbers that learn.
fn numbers(model: &Model) -> Result<Vec<Vec<f32>>> {
    let learning = model.trainable();
    let numbers = learning.iter().map(|it| Ok(it.value.flatten_all()?.to_vec1::<f32>()?));
    numbers.collect()
}
