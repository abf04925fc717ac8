//! Levels for a trainer that draws samples as it goes: the policy `online` for one template, fed
//! with the score of each reply.

use super::ladder::Ladder;
use crate::runtime::RunKey;
use crate::runtime::random;

/// Scores of a level that are looked at together, where nothing else is said.
pub const WINDOW: u64 = 128;

/// The levels of a template, and which of them comes next: after every `window` scores of a level
/// their mean is its pass rate; at `mastered` or above the next level follows, at `failed` or below
/// the one before. One sample in ten is of another level.
#[derive(Clone, Debug)]
pub struct Curriculum {
    levels: Vec<String>,
    ladder: Ladder,
    window: u64,
    progress: Vec<Progress>,
}

/// How a level is done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The pass rate of its last full window.
    pub rate: Option<f64>,
    /// Scores since then.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl Curriculum {
    /// On the first of these levels, the easiest first, with the shares of a recipe's `mastered`
    /// and `failed`.
    ///
    /// # Errors
    /// A text that says what is wrong with a value.
    pub fn new<S: Into<String>>(
        levels: impl IntoIterator<Item = S>,
        mastered: f64,
        failed: f64,
        window: u64,
    ) -> Result<Curriculum, String> {
        let levels: Vec<String> = levels.into_iter().map(Into::into).collect();
        if levels.is_empty() {
            return Err("a curriculum needs at least one level".to_string());
        }
        if let Some(twice) = levels.iter().enumerate().find(|(at, it)| levels[..*at].contains(it)) {
            return Err(format!("there are two levels `{}`", twice.1.escape_debug()));
        }
        if !(0.0..=1.0).contains(&failed) || !(failed..=1.0).contains(&mastered) {
            return Err(format!(
                "`failed` and `mastered` must be from 0 to 1, `failed` the lower: they are \
                 {failed} and {mastered}"
            ));
        }
        if window == 0 {
            return Err("`window` must be at least 1, and is 0".to_string());
        }
        let ladder = Ladder::new(levels.len(), mastered, failed);
        let progress = vec![Progress::default(); levels.len()];
        Ok(Curriculum { levels, ladder, window, progress })
    }

    /// The levels, the easiest first.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// The pass rates at which the next level follows, and the one before.
    pub fn bounds(&self) -> (f64, f64) {
        self.ladder.bounds()
    }

    /// Scores of a level that are looked at together.
    pub fn window(&self) -> u64 {
        self.window
    }

    /// The level that is trained on now.
    pub fn level(&self) -> &str {
        &self.levels[self.ladder.rung()]
    }

    /// How each level is done, in their order.
    pub fn progress(&self) -> &[Progress] {
        &self.progress
    }

    /// The level of the problem with this number: the present one, or, for one number in ten,
    /// another. It depends on the number and the present level alone.
    pub fn pick(&self, number: u64) -> &str {
        let key = RunKey::new("", "", "curriculum", 0).stream("level");
        let mut left = random::start(&key, number).below(1 << 30) as f64 / f64::from(1 << 30);
        for (at, level) in self.levels.iter().enumerate() {
            left -= self.ladder.part(1.0, at);
            if left < 0.0 {
                return level;
            }
        }
        self.level()
    }

    /// Takes in the score of a reply to a problem of a level, from 0 to 1.
    ///
    /// # Errors
    /// If there is no such level, or the score is none.
    pub fn record(&mut self, level: &str, score: f64) -> Result<(), String> {
        let Some(at) = self.levels.iter().position(|one| one == level) else {
            let (level, levels) = (level.escape_debug(), self.levels.join(", "));
            return Err(format!("the curriculum has no level `{level}`: there are {levels}"));
        };
        if !(0.0..=1.0).contains(&score) {
            return Err(format!("a score must be from 0 to 1, and is {score}"));
        }
        let progress = &mut self.progress[at];
        progress.count += 1;
        progress.sum += score;
        if progress.count < self.window {
            return Ok(());
        }
        let rate = progress.sum / progress.count as f64;
        *progress = Progress { rate: Some(rate), count: 0, sum: 0.0 };
        if at == self.ladder.rung() {
            self.ladder.step(rate);
            // What was rehearsed before says little about the level now.
            let now = &mut self.progress[self.ladder.rung()];
            (now.count, now.sum) = (0, 0.0);
        }
        Ok(())
    }

    /// Puts back the level and the progress of a curriculum with the same levels.
    ///
    /// # Errors
    /// If they are not those of this one.
    pub fn restore(&mut self, level: &str, progress: &[Progress]) -> Result<(), String> {
        let at = self.levels.iter().position(|one| one == level);
        let at = at.ok_or_else(|| format!("there is no level `{}`", level.escape_debug()))?;
        if progress.len() != self.levels.len() {
            let (there, wanted) = (progress.len(), self.levels.len());
            return Err(format!("there is the progress of {there} levels, not of {wanted}"));
        }
        let is_rate = |it: f64| (0.0..=1.0).contains(&it);
        let is_good = |it: &Progress| {
            it.count < self.window
                && (0.0..=it.count as f64).contains(&it.sum)
                && it.rate.is_none_or(is_rate)
        };
        if let Some(bad) = progress.iter().position(|it| !is_good(it)) {
            return Err(format!("the progress of the level `{}` is none", self.levels[bad]));
        }
        self.ladder.restore(at as f64)?;
        self.progress.copy_from_slice(progress);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curriculum(window: u64) -> Curriculum {
        Curriculum::new(["easy", "medium", "hard"], 0.7, 0.1, window).expect("it is good")
    }

    fn feed(curriculum: &mut Curriculum, scores: &[f64]) {
        for score in scores {
            let level = curriculum.level().to_string();
            curriculum.record(&level, *score).expect("a level and a score");
        }
    }

    #[test]
    fn a_level_follows_when_seven_in_ten_pass_and_the_one_before_when_one_in_ten_does() {
        let mut it = curriculum(10);
        feed(&mut it, &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(it.level(), "easy");
        feed(&mut it, &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!((it.level(), it.progress()[0].rate), ("medium", Some(0.7)));
        feed(&mut it, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(it.level(), "medium");
        feed(&mut it, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(it.level(), "easy");
    }

    #[test]
    fn other_levels_are_counted_and_move_nothing() {
        let mut it = curriculum(2);
        for _ in 0..4 {
            it.record("hard", 1.0).expect("a level");
        }
        assert_eq!((it.level(), it.progress()[2].rate), ("easy", Some(1.0)));
    }

    #[test]
    fn nine_problems_in_ten_are_of_the_level_and_the_rest_of_all_others() {
        let mut it = curriculum(1);
        it.record("easy", 1.0).expect("a level");
        let count = |level| (0..10_000).filter(|at| it.pick(*at) == level).count();
        assert!((8_850..9_150).contains(&count("medium")), "{}", count("medium"));
        assert!((400..600).contains(&count("easy")), "{}", count("easy"));
        let one = Curriculum::new(["only"], 0.7, 0.1, 1).expect("it is good");
        assert!((0..1000).all(|at| one.pick(at) == "only"));
    }

    #[test]
    fn what_is_no_curriculum_no_score_and_no_progress_is_refused() {
        let new = |levels: &[&str], mastered, failed, window| {
            Curriculum::new(levels.iter().copied(), mastered, failed, window).err()
        };
        for (error, said) in [
            (new(&[], 0.7, 0.1, 9), "at least one level"),
            (new(&["a", "a"], 0.7, 0.1, 9), "two levels `a`"),
            (new(&["a"], 0.1, 0.7, 9), "`failed` the lower"),
            (new(&["a"], 0.7, f64::NAN, 9), "from 0 to 1"),
            (new(&["a"], 0.7, 0.1, 0), "`window`"),
            (curriculum(9).record("none", 1.0).err(), "there are easy, medium, hard"),
            (curriculum(9).record("easy", f64::NAN).err(), "from 0 to 1"),
            (curriculum(9).restore("none", &[]).err(), "no level `none`"),
            (curriculum(9).restore("easy", &[]).err(), "0 levels, not of 3"),
        ] {
            let error = error.expect(said);
            assert!(error.contains(said), "{error}");
        }
        let mut it = curriculum(9);
        let bad = Progress { rate: None, count: 9, sum: 0.0 };
        assert!(it.restore("easy", &[Progress::default(), bad, bad]).is_err());
        feed(&mut it, &[1.0, 0.0]);
        let mut other = curriculum(9);
        other.restore(it.level(), it.progress()).expect("it is its own");
        assert_eq!(other.progress(), it.progress());
    }
}
