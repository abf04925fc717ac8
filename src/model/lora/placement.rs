//! Beside which linears an adapter stands, and of what size: PEFT's rules for the names of modules.

use anyhow::{Context, Result, ensure};
use fancy_regex::Regex;

/// Modules, by their names such as `model.layers.0.self_attn.q_proj`.
#[derive(Debug)]
pub(crate) enum Names {
    /// Every linear but the head, as `all-linear` has it.
    AllLinear,
    /// Each is a whole name, or what a name ends with behind a dot.
    Ends(Vec<String>),
    /// A Python regular expression of whole names.
    Pattern(Regex),
}

/// Which modules have an adapter; of those that differ from the rest, its rank and alpha.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) targets: Names,
    pub(crate) excluded: Option<Names>,
    /// The layers, where only some have adapters.
    pub(crate) layers: Option<Vec<u64>>,
    /// What finds a layer's number in a name, as `idx`; the first that matches counts.
    pub(crate) stacks: Vec<Regex>,
    /// The first that matches counts.
    pub(crate) ranks: Vec<(Regex, usize)>,
    pub(crate) alphas: Vec<(Regex, f64)>,
}

impl Placement {
    /// Whether that module has an adapter.
    pub(crate) fn covers(&self, module: &str) -> Result<bool> {
        if let Some(excluded) = &self.excluded
            && excluded.has(module)?
        {
            return Ok(false);
        }
        let Some(layers) = &self.layers else { return self.targets.has(module) };
        // A whole name has been chosen with its layer.
        if let Names::Ends(ends) = &self.targets
            && ends.iter().any(|end| end == module)
        {
            return Ok(true);
        }
        let layer = self.layer(module)?;
        Ok(self.targets.has(module)? && layer.is_some_and(|layer| layers.contains(&layer)))
    }

    /// The rank of that module's adapter, where it has one of its own.
    pub(crate) fn rank(&self, module: &str) -> Result<Option<usize>> {
        first(&self.ranks, module)
    }

    /// The same of its alpha.
    pub(crate) fn alpha(&self, module: &str) -> Result<Option<f64>> {
        first(&self.alphas, module)
    }

    fn layer(&self, module: &str) -> Result<Option<u64>> {
        for stack in &self.stacks {
            if let Some(found) = stack.captures(module).with_context(|| odd(stack.as_str()))? {
                return Ok(found.name("idx").and_then(|digits| digits.as_str().parse().ok()));
            }
        }
        Ok(None)
    }
}

impl Names {
    fn has(&self, module: &str) -> Result<bool> {
        Ok(match self {
            Names::AllLinear => module != "lm_head",
            Names::Ends(ends) => ends.iter().any(|end| {
                let before = module.strip_suffix(end.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }),
            Names::Pattern(pattern) => {
                pattern.is_match(module).with_context(|| odd(pattern.as_str()))?
            }
        })
    }
}

/// A pattern that has to match a whole name, as Python's `re.fullmatch`.
pub(crate) fn whole(pattern: &str) -> Result<Regex> {
    compiled(pattern, format!(r"\A(?:{pattern})\z"))
}

/// A key of `rank_pattern` or `alpha_pattern`: it has to match the end of a name, behind a dot.
pub(crate) fn ending(pattern: &str) -> Result<Regex> {
    compiled(pattern, format!(r"\A(.*\.)?({pattern})\z"))
}

/// What finds a layer's number behind the name of its list, such as `layers`; any list without one.
pub(crate) fn stack(list: Option<&str>) -> Result<Regex> {
    match list {
        Some(list) => compiled(list, format!(r"\A(?:(?:^|.*?\.){list}\.(?P<idx>\d+)\.)")),
        None => compiled("", r"\A.*?\.[^.]*\.(?P<idx>\d+)\.".to_string()),
    }
}

fn compiled(pattern: &str, whole: String) -> Result<Regex> {
    /// Longer than any trainer writes, short enough to be compiled at once.
    const LENGTH_MAX: usize = 100_000;
    ensure!(pattern.len() <= LENGTH_MAX, "a pattern of {} bytes is too long", pattern.len());
    Regex::new(&whole).with_context(|| odd(pattern))
}

fn odd(pattern: &str) -> String {
    format!("`{pattern}` is no pattern that cookc can match: list the modules by name instead")
}

fn first<T: Copy>(patterns: &[(Regex, T)], module: &str) -> Result<Option<T>> {
    for (pattern, value) in patterns {
        if pattern.is_match(module).with_context(|| odd(pattern.as_str()))? {
            return Ok(Some(*value));
        }
    }
    Ok(None)
}
