//! Cascades: texts rewritten by one replacement after the other, each everywhere in the text.
//!
//! A beam search from the inputs. A state is the texts after some steps; it is worth the more, the
//! fewer letters its texts and the outputs differ in (the edit distance, by the bits of words:
//! Myers, "A fast bit-vector algorithm for approximate string matching", 1999). The last step is
//! never searched: what it must be is read off the first place where a text differs.

use hashbrown::HashSet;

use super::limits::Limits;

/// The letters of a text, at most.
const LETTERS_MAX: usize = 47;
/// The letters that a step replaces, and those that it writes, at most.
const OLD_MAX: usize = 3;
const NEW_MAX: usize = 3;
/// The texts of a state, at most.
const TEXTS_MAX: usize = 16;
/// The steps of a cascade, at most.
pub const STEPS_MAX: usize = 5;

/// Replaces a text everywhere, from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is replaced.
    pub old: String,
    /// By what.
    pub new: String,
}

/// The shortest cascade that was found from each input to its output; none if there are too many
/// texts, or letters, or nothing was found until the limits were reached.
pub fn cascade(inputs: &[&str], outputs: &[&str], limits: &Limits) -> Option<Vec<Step>> {
    let alphabet = Alphabet::of(inputs.iter().chain(outputs))?;
    let texts = |of: &[&str]| of.iter().map(|text| alphabet.text(text)).collect::<Option<Vec<_>>>();
    let (from, to) = (texts(inputs)?, texts(outputs)?);
    if from.len() > TEXTS_MAX {
        return None;
    }
    let targets: Vec<Target> = to.into_iter().map(Target::new).collect();
    let steps = Beam { alphabet: &alphabet, targets, limits }.run(from)?;
    let shown =
        |letters: &[u8]| letters.iter().map(|&one| alphabet.letters[one as usize]).collect();
    Some(steps.iter().map(|(old, new)| Step { old: shown(old), new: shown(new) }).collect())
}

/// All letters; that of the last number is in no text, and stands for all such.
struct Alphabet {
    letters: Vec<char>,
}

impl Alphabet {
    fn of<'a>(texts: impl Iterator<Item = &'a &'a str>) -> Option<Alphabet> {
        let mut letters: Vec<char> = texts.flat_map(|text| text.chars()).collect();
        letters.sort_unstable();
        letters.dedup();
        let unseen = ('a'..='z').find(|one| !letters.contains(one));
        letters.extend(unseen);
        (letters.len() <= usize::from(u8::MAX)).then_some(Alphabet { letters })
    }

    fn text(&self, text: &str) -> Option<Text> {
        let mut made = Text::default();
        for letter in text.chars() {
            let number = self.letters.iter().position(|&one| one == letter)?;
            made.push(&[number as u8])?;
        }
        Some(made)
    }

    /// All texts of up to so many letters, the shortest first.
    fn texts(&self, most: usize) -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut at = 0;
        while all[at].len() < most {
            for letter in 0..self.letters.len() as u8 {
                all.push([&all[at][..], &[letter]].concat());
            }
            at += 1;
        }
        all
    }
}

/// A text by the numbers of its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Text {
    size: u8,
    letters: [u8; LETTERS_MAX],
}

impl Default for Text {
    fn default() -> Text {
        Text { size: 0, letters: [0; LETTERS_MAX] }
    }
}

impl Text {
    fn letters(&self) -> &[u8] {
        &self.letters[..self.size.into()]
    }

    fn push(&mut self, letters: &[u8]) -> Option<()> {
        let start = usize::from(self.size);
        self.letters.get_mut(start..start + letters.len())?.copy_from_slice(letters);
        self.size += letters.len() as u8;
        Some(())
    }

    fn has(&self, part: &[u8]) -> bool {
        self.letters().windows(part.len()).any(|window| window == part)
    }

    /// With `new` for each `old`; none if it gets too long.
    fn replaced(&self, old: &[u8], new: &[u8]) -> Option<Text> {
        let (letters, mut made, mut at) = (self.letters(), Text::default(), 0);
        while at < letters.len() {
            if letters[at] == old[0] && letters[at..].starts_with(old) {
                made.push(new)?;
                at += old.len();
            } else {
                made.push(&letters[at..=at])?;
                at += 1;
            }
        }
        Some(made)
    }
}

/// An output, and where each letter stands in it.
struct Target {
    text: Text,
    places: [u64; 256],
}

impl Target {
    fn new(text: Text) -> Target {
        let mut places = [0; 256];
        for (at, &letter) in text.letters().iter().enumerate() {
            places[usize::from(letter)] |= 1 << at;
        }
        Target { text, places }
    }

    /// The edit distance of a text to it.
    fn distance(&self, text: &Text) -> u32 {
        let size = u32::from(self.text.size);
        if size == 0 {
            return text.size.into();
        }
        let (mut more, mut less, mut distance) = (!0_u64, 0_u64, size);
        let last = 1 << (size - 1);
        for &letter in text.letters() {
            let equal = self.places[usize::from(letter)];
            let diagonal = (((equal & more).wrapping_add(more)) ^ more) | equal | less;
            let up = less | !(diagonal | more);
            let down = more & diagonal;
            distance += u32::from(up & last != 0);
            distance -= u32::from(down & last != 0);
            let (up, down) = (up << 1 | 1, down << 1);
            more = down | !(diagonal | up);
            less = up & diagonal;
        }
        distance
    }
}

type Letters = Vec<u8>;
/// What is replaced by what, one after the other.
type Steps = Vec<(Letters, Letters)>;

/// The texts after some steps.
#[derive(Clone)]
struct State {
    texts: Vec<Text>,
    steps: Steps,
    distance: u32,
}

struct Beam<'a> {
    alphabet: &'a Alphabet,
    targets: Vec<Target>,
    limits: &'a Limits<'a>,
}

impl Beam<'_> {
    fn run(&self, from: Vec<Text>) -> Option<Steps> {
        let distance = self.targets.iter().zip(&from).map(|(to, text)| to.distance(text)).sum();
        if distance == 0 {
            return Some(Vec::new());
        }
        if let Some(last) = self.last(&from) {
            return Some(vec![last]);
        }
        let start = State { texts: from, steps: Vec::new(), distance };
        let news = [self.visible(), self.alphabet.texts(NEW_MAX)];
        // The first states of a beam are followed by all steps, the others by those that write what
        // an output shows.
        let (mut width, mut all) = (4, 1);
        loop {
            let mut beam = vec![start.clone()];
            let mut seen = HashSet::new();
            for count in 1..STEPS_MAX {
                let mut next = Next { width, states: Vec::new(), distance_max: u32::MAX };
                for (at, state) in beam.iter().enumerate() {
                    let news = &news[usize::from(at < all)];
                    let is_last = count + 1 == STEPS_MAX;
                    if let Some(steps) = self.follow(state, news, is_last, &mut seen, &mut next)? {
                        return Some(steps);
                    }
                }
                beam = next.best();
            }
            (width, all) = (4 * width, 3 * all);
        }
    }

    /// What an output shows, of up to so many letters, and nothing.
    fn visible(&self) -> Vec<Letters> {
        let mut parts = vec![Vec::new()];
        for to in &self.targets {
            for size in 1..=NEW_MAX {
                parts.extend(to.text.letters().windows(size).map(<[u8]>::to_vec));
            }
        }
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    /// Looks at all steps from a state: whether one leads to the outputs, with one step more, and
    /// where else they lead. None if the limits are reached.
    fn follow(
        &self,
        state: &State,
        news: &[Letters],
        is_last: bool,
        seen: &mut HashSet<Vec<Text>>,
        next: &mut Next,
    ) -> Option<Option<Steps>> {
        for old in olds(&state.texts) {
            let changed: Vec<usize> =
                (0..state.texts.len()).filter(|&at| state.texts[at].has(&old)).collect();
            let distance = |at: usize, text: &Text| self.targets[at].distance(text);
            let unchanged = (0..state.texts.len()).filter(|at| !changed.contains(at));
            let rest: u32 = unchanged.map(|at| distance(at, &state.texts[at])).sum();
            let mut texts = state.texts.clone();
            for new in news.iter().filter(|new| **new != old) {
                self.limits.look()?;
                let mut sum = rest;
                let is_near = changed.iter().all(|&at| {
                    let Some(text) = state.texts[at].replaced(&old, new) else { return false };
                    sum += distance(at, &text);
                    texts[at] = text;
                    sum <= next.distance_max
                });
                if !is_near || seen.contains(&texts) {
                    continue;
                }
                seen.insert(texts.clone());
                let mut steps = state.steps.clone();
                steps.push((old.clone(), new.clone()));
                if let Some(last) = self.last(&texts) {
                    steps.push(last);
                    return Some(Some(steps));
                }
                if !is_last {
                    next.push(State { texts: texts.clone(), steps, distance: sum });
                }
            }
        }
        Some(None)
    }

    /// The one step that leads from these texts to the outputs.
    fn last(&self, texts: &[Text]) -> Option<(Letters, Letters)> {
        let both = || texts.iter().zip(&self.targets);
        let (from, to) = both()
            .filter(|(text, to)| text.letters() != to.text.letters())
            .min_by_key(|(text, _)| text.size)?;
        let (from, to) = (from.letters(), to.text.letters());
        let equal = from.iter().zip(to).take_while(|(one, other)| one == other).count();
        // The shortest first, which say the most of other texts.
        for size in 1..=OLD_MAX {
            for start in (equal.saturating_sub(OLD_MAX)..=equal).rev() {
                let Some(old) = from.get(start..start + size) else { continue };
                // The first place where it stands is where the texts begin to differ.
                if from.windows(size).position(|window| window == old) != Some(start) {
                    continue;
                }
                for new in (0..=NEW_MAX).filter_map(|size| to.get(start..start + size)) {
                    let leads = |(text, to): (&Text, &Target)| {
                        let made = text.replaced(old, new);
                        made.is_some_and(|made| made.letters() == to.text.letters())
                    };
                    if old != new && both().all(leads) {
                        return Some((old.to_vec(), new.to_vec()));
                    }
                }
            }
        }
        None
    }
}

/// The states of the next beam.
struct Next {
    width: usize,
    states: Vec<State>,
    /// What is farther is not among the best.
    distance_max: u32,
}

impl Next {
    fn push(&mut self, state: State) {
        self.states.push(state);
        if self.states.len() > 8 * self.width + 2000 {
            self.keep();
            self.distance_max = self.states.last().map_or(u32::MAX, |last| last.distance);
        }
    }

    fn keep(&mut self) {
        self.states.sort_by_key(|state| state.distance);
        self.states.truncate(self.width);
    }

    fn best(mut self) -> Vec<State> {
        self.keep();
        self.states
    }
}

/// What the texts have that a step may replace, the shortest first.
fn olds(texts: &[Text]) -> Vec<Letters> {
    let mut parts = Vec::new();
    for text in texts {
        for size in 1..=OLD_MAX {
            parts.extend(text.letters().windows(size).map(<[u8]>::to_vec));
        }
    }
    parts.sort_unstable_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    parts.dedup();
    parts
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;

    fn found(inputs: &[&str], outputs: &[&str]) -> Option<Vec<Step>> {
        let stop = AtomicBool::new(false);
        cascade(inputs, outputs, &Limits::new(Duration::from_secs(60), &stop))
    }

    fn run(steps: &[Step], text: &str) -> String {
        steps.iter().fold(text.to_string(), |text, step| text.replace(&step.old, &step.new))
    }

    #[test]
    fn a_cascade_gives_each_output() {
        let inputs = ["xbu", "uxwkkg", "kib", "fjze", "cv"];
        let outputs = ["xhu", "uxwkkvzw", "kih", "fjxwye", "cv"];
        let steps = found(&inputs, &outputs).expect("three steps");
        assert_eq!(steps.len(), 3);
        assert_eq!(inputs.map(|text| run(&steps, text)), outputs);
    }

    #[test]
    fn what_is_equal_takes_no_step() {
        assert_eq!(found(&["ab", ""], &["ab", ""]), Some(Vec::new()));
    }

    #[test]
    fn the_distance_is_that_of_edits() {
        let alphabet = Alphabet::of(["kitten", "sitting"].iter()).expect("few letters");
        let text = |text| alphabet.text(text).expect("short");
        assert_eq!(Target::new(text("sitting")).distance(&text("kitten")), 3);
        assert_eq!(Target::new(text("")).distance(&text("kitten")), 6);
        assert_eq!(Target::new(text("kitten")).distance(&text("kitten")), 0);
    }
}
