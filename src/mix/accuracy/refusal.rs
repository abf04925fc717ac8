//! Why no accuracy is estimated: each reason as data, and as a line.

use std::fmt;

/// Fewer voters have no solution without labels.
pub const VOTERS_MIN: usize = 3;
/// With fewer items, intervals from resampled items mean little.
pub const ITEMS_MIN: usize = 30;

/// Why votes do not determine accuracies.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// So few voters have votes that vary.
    FewVoters {
        /// How many there are.
        found: usize,
    },
    /// On so few items do three voters vote.
    FewItems {
        /// How many there are.
        found: usize,
    },
    /// Three voters: any agreement of two fits independent errors, so nothing tests that.
    Untestable,
    /// So few sources of error are independent of each other.
    FewSources {
        /// How many there are.
        found: usize,
    },
    /// One source is shared by more than half of the voters: whether what they agree on is
    /// right or their error looks the same.
    Majority {
        /// Voters of the largest group.
        shared: usize,
        /// All voters.
        voters: usize,
    },
    /// Another structure of shared errors explains the votes about as well, and says other
    /// accuracies.
    Ambiguous {
        /// The probability of such structures.
        probability: f64,
        /// By how much their accuracies differ from the likeliest ones in the mean.
        apart: f64,
    },
    /// Voters agree no more than by chance.
    Chance,
    /// With two options, half of the voters or more would be right less often than chance, and the
    /// votes fit as well with all labels exchanged.
    Mirrored,
    /// This voter has the same label for every item.
    Constant {
        /// The label.
        label: String,
    },
    /// This voter has no vote on an item with two others.
    NoVotes,
}

impl Refusal {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Refusal::FewVoters { .. } => "few_voters",
            Refusal::FewItems { .. } => "few_items",
            Refusal::Untestable => "untestable",
            Refusal::FewSources { .. } => "few_sources",
            Refusal::Majority { .. } => "majority",
            Refusal::Ambiguous { .. } => "ambiguous",
            Refusal::Chance => "chance",
            Refusal::Mirrored => "mirrored",
            Refusal::Constant { .. } => "constant",
            Refusal::NoVotes => "no_votes",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refusal::FewVoters { found } => write!(
                to,
                "{found} of the voters can be used, and accuracies without labels need \
                 {VOTERS_MIN}: add voters that err independently"
            ),
            Refusal::FewItems { found } => write!(
                to,
                "three voters or more vote on {found} items, and an estimate needs {ITEMS_MIN}: \
                 add items"
            ),
            Refusal::Untestable => write!(
                to,
                "with three voters, errors that two of them share look like skill: add a fourth \
                 voter, or write `--assume-independent`"
            ),
            Refusal::FewSources { found } => write!(
                to,
                "the voters share their errors: {found} of their sources of error are \
                 independent, and an estimate needs {VOTERS_MIN}: add voters of another origin; \
                 or, if the others copy one voter and else err by themselves, name it with \
                 `--source`"
            ),
            Refusal::Majority { shared, voters } => write!(
                to,
                "{shared} of the {voters} voters share errors, and votes cannot tell errors of a \
                 majority from right answers: add voters of another origin; or, if the others \
                 copy one voter and else err by themselves, name it with `--source`"
            ),
            Refusal::Ambiguous { probability, apart } => write!(
                to,
                "it is not clear which voters share errors: with a probability of {:.0} %, \
                 accuracies differ from the likeliest ones by {:.0} points or so: add items, or \
                 voters of another origin",
                100.0 * probability,
                100.0 * apart
            ),
            Refusal::Chance => write!(
                to,
                "the voters agree no more than by chance, so nothing tells what is right"
            ),
            Refusal::Mirrored => write!(
                to,
                "half of the voters or more would be worse than chance, and the votes fit as well \
                 with the two labels exchanged: add voters that are better than chance"
            ),
            Refusal::Constant { label } => write!(
                to,
                "it has the label `{label}` for every item, which fits any accuracy: leave it out"
            ),
            Refusal::NoVotes => write!(to, "it votes on no item on which two others vote"),
        }
    }
}
