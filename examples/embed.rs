//! Samples and scores inside another program: `cargo run --example embed [TEMPLATE]`.

use cookc::{Error, Sampler, Split, Template};

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "std:retrieval".to_string());
    let sampler = Template::named(&name)?.compile()?;
    for sample in sampler.samples(Split::Train, 42, 0..3) {
        let sample = sample?;
        println!("{}\n{}\n→ {}\n", sample.key, sample.prompt, sample.reply);
    }
    println!("mean score of a reply for another sample: {:.3}", mean(&sampler, 1000)?);
    Ok(())
}

/// The mean score of replies that belong to other samples, on all cores: a sampler is shared by
/// threads as it is.
fn mean(sampler: &Sampler, count: u64) -> Result<f64, Error> {
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let sum = |first: u64| -> Result<f64, Error> {
        let mut sum = 0.0;
        for index in (first..count).step_by(threads as usize) {
            let other = sampler.sample(Split::Eval, 1, index + 1)?;
            sum += sampler.score(Split::Eval, 1, index, &other.reply)?.mean();
        }
        Ok(sum)
    };
    let sums: Result<Vec<f64>, Error> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(move || sum(first))).collect();
        running.into_iter().map(|one| one.join().expect("no thread panics")).collect()
    });
    Ok(sums?.iter().sum::<f64>() / count as f64)
}
