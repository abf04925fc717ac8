//! The level of a template that comes next: up where it is mastered, down where it fails.

/// The share that a template's other levels get, so that nothing is forgotten.
pub const REHEARSED: f64 = 0.1;

/// The levels of a template, the easiest first, and which of them is trained on now.
#[derive(Clone, Debug)]
pub struct Ladder {
    levels: usize,
    rung: usize,
    mastered: f64,
    failed: f64,
}

impl Ladder {
    /// On the first of these levels, of which there is at least one.
    pub fn new(levels: usize, mastered: f64, failed: f64) -> Ladder {
        Ladder { levels, rung: 0, mastered, failed }
    }

    /// The place of the level that is trained on now.
    pub fn rung(&self) -> usize {
        self.rung
    }

    /// What is mastered, and what fails.
    pub fn bounds(&self) -> (f64, f64) {
        (self.mastered, self.failed)
    }

    /// Takes in how well that level is done, from 0 to 1.
    pub fn step(&mut self, rate: f64) {
        if rate >= self.mastered {
            self.rung = (self.rung + 1).min(self.levels - 1);
        } else if rate <= self.failed {
            self.rung = self.rung.saturating_sub(1);
        }
    }

    /// What one of the levels gets of a template's share.
    pub fn part(&self, share: f64, at: usize) -> f64 {
        let others = (self.levels - 1) as f64;
        match (at == self.rung, others > 0.0) {
            (true, true) => share * (1.0 - REHEARSED),
            (true, false) => share,
            (false, _) => share * REHEARSED / others,
        }
    }

    /// Puts a rung back that was saved.
    ///
    /// # Errors
    /// If there is no such level.
    pub fn restore(&mut self, rung: f64) -> Result<(), String> {
        if rung.fract() != 0.0 || !(0.0..self.levels as f64).contains(&rung) {
            return Err(format!("a template has no level number {rung}"));
        }
        self.rung = rung as usize;
        Ok(())
    }
}
