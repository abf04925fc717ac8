//! Rules to steps. What no reply changes is loaded: a sample has it, of a record it is made first.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::of_type;
use super::lower::{CELLS_MAX, Lower, Value};
use super::{Given, Op, Role, Rule, Slot, SlotId, StepId};
use crate::check::roles::needs;
use crate::check::typed::{self, Binding, Expr, LocalId};
use crate::diagnostic::Diagnostic;

/// Cells that a rule may take without any being set aside for it: half of what a memory has beside
/// a sample's.
const JUDGED_CELLS: u64 = 1 << 15;

impl Lower<'_> {
    /// Stores what rules compare with, where a reply or a record sets the same name.
    pub fn keep(&mut self) {
        for (name, of) in self.relations.kept.clone() {
            let value = self.frames[0][&of].clone();
            let local = &self.template.locals[of];
            let slot = Slot {
                name: String::new(),
                kind: local.kind.clone(),
                role: Role::Kept,
                shown: false,
                drawn: false,
                bound: value.bound.clone(),
            };
            let slot = self.slot(slot, &value, local.span);
            self.given.insert(name, (slot, value.bound));
        }
    }

    /// The steps of all rules, and before them those of what they are given.
    pub fn rules(&mut self) {
        let mut wanted = BTreeSet::new();
        let all = std::mem::take(&mut self.relations.all);
        for (_, names) in &all {
            self.needed(names, &mut BTreeSet::new(), &mut wanted);
        }
        // Of what is given for a record, all that it is computed from is too.
        let mut open: Vec<LocalId> = wanted.iter().copied().collect();
        while let Some(name) = open.pop() {
            let of = self.relations.kept.get(&name).copied().unwrap_or(name);
            let Some((_, binding)) = self.template.binding_of(of) else { continue };
            if of != name || self.is_given(binding) {
                open.extend(binding.uses.iter().filter(|used| wanted.insert(**used)));
            }
        }
        for name in wanted {
            self.given(name);
        }
        for (rule, (relation, names)) in self.template.rules.iter().zip(all) {
            let start = self.begin();
            // What a reply holds is not known: nothing about it is sure.
            let (mut again, mut loaded) = (BTreeSet::new(), BTreeSet::new());
            self.needed(&names, &mut again, &mut loaded);
            let score = self.relation(&relation, &again, &loaded);
            self.make_room(rule, &relation, &again, &loaded);
            let needs = needs(self.template, rule).into_iter();
            let slot_of = |name| Some(self.template.binding_of(name)?.0 as SlotId);
            self.program.rules.push(Rule {
                name: rule.name.clone(),
                span: rule.span,
                steps: start..self.program.steps.len() as StepId,
                score: score.register,
                needs: needs.filter_map(slot_of).collect(),
                given: self.given_among(&loaded),
            });
        }
    }

    /// A relation, between the names that are computed again and those that are loaded.
    fn relation(
        &mut self,
        relation: &Expr,
        again: &BTreeSet<LocalId>,
        loaded: &BTreeSet<LocalId>,
    ) -> Value {
        for &name in loaded.union(again) {
            let value = match again.contains(&name) {
                true => {
                    let (_, binding) = self.template.binding_of(name).expect("it is bound");
                    self.expr(&binding.value)
                }
                false => self.load(name),
            };
            self.frames[0].insert(name, value);
        }
        self.expr(relation)
    }

    /// Counts the memory in which the template's own replies are judged, where a rule takes more of
    /// it than is set aside for any: of its own values the sizes are known.
    fn make_room(
        &mut self,
        rule: &typed::Rule,
        relation: &Expr,
        again: &BTreeSet<LocalId>,
        loaded: &BTreeSet<LocalId>,
    ) {
        let set_aside = self.program.bounds.cells.saturating_add(JUDGED_CELLS);
        if self.own || self.cells <= set_aside {
            return;
        }
        let (work, followed) = (self.work, self.followed);
        let (cells, errors) = self.dropped(|lower| {
            (lower.own, lower.in_rule) = (true, false);
            (lower.cells, lower.runs, lower.frames) = (0, 1, vec![BTreeMap::new()]);
            let errors = lower.errors.len();
            lower.relation(relation, again, loaded);
            (lower.own, lower.in_rule) = (false, true);
            (lower.cells, lower.errors.split_off(errors))
        });
        (self.work, self.followed) = (work, followed);
        if let Some(error) = errors.iter().find(|error| error.code == "E505") {
            self.errors.push(error.clone());
        } else if errors.is_empty() && cells > CELLS_MAX {
            self.errors.push(too_large(rule, cells));
        } else if errors.is_empty() && cells > set_aside {
            self.program.bounds.cells = cells;
        }
    }

    /// Steps of their own begin here, in which no name has a value yet.
    fn begin(&mut self) -> StepId {
        self.frames = vec![BTreeMap::new()];
        (self.cells, self.runs) = (0, 1);
        self.certain = false;
        self.program.steps.len() as StepId
    }

    /// True for what is computed, and depends on nothing that a reply sets.
    fn is_given(&self, binding: &Binding) -> bool {
        !binding.shown && !binding.drawn && !self.relations.changed.contains(&binding.local)
    }

    /// From the names in a relation: those to compute again, and those to load.
    fn needed(
        &self,
        names: &BTreeSet<LocalId>,
        again: &mut BTreeSet<LocalId>,
        loaded: &mut BTreeSet<LocalId>,
    ) {
        let mut open: Vec<LocalId> = names.iter().copied().collect();
        while let Some(name) = open.pop() {
            match self.template.binding_of(name) {
                Some((_, it)) if !it.shown && !it.drawn && !self.is_given(it) => {
                    if again.insert(name) {
                        open.extend(&it.uses);
                    }
                }
                None if !self.relations.kept.contains_key(&name) => {}
                _ => _ = loaded.insert(name),
            }
        }
    }

    /// The steps that make a given value of a record, and what is known of it then.
    fn given(&mut self, name: LocalId) {
        let template = self.template;
        let kept = self.relations.kept.get(&name).copied();
        let Some((at, binding)) = template.binding_of(kept.unwrap_or(name)) else { return };
        if kept.is_none() && !self.is_given(binding) {
            return;
        }
        let slot = self.given.get(&name).map_or(at as SlotId, |(slot, _)| *slot);
        if self.own {
            let bound = self.program.slots[slot as usize].bound.clone();
            self.given.insert(name, (slot, bound));
            return;
        }
        let start = self.begin();
        for &used in &binding.uses {
            if template.binding_of(used).is_some() {
                let value = self.load(used);
                self.frames[0].insert(used, value);
            }
        }
        let value = self.expr(&binding.value);
        let span = template.locals[binding.local].span;
        self.push(Op::Store(slot, value.register), super::NOWHERE, span, true);
        self.given.insert(name, (slot, value.bound));
        let steps = start..self.program.steps.len() as StepId;
        let given = self.given_among(&binding.uses);
        self.program.given.push(Given { slot, steps, given });
    }

    /// A value in its slot.
    fn load(&mut self, name: LocalId) -> Value {
        let given = self.given.get(&name).cloned();
        let bound_by = self.relations.kept.get(&name).copied().unwrap_or(name);
        let (at, binding) = self.template.binding_of(bound_by).expect("a binding has a slot");
        let (ty, span) = (&binding.value.ty, self.template.locals[bound_by].span);
        let (slot, bound) = given.unwrap_or_else(|| {
            let slot = &self.program.slots[at];
            let is_read = binding.shown && !self.own;
            (at as SlotId, if is_read { of_type(&slot.kind) } else { slot.bound.clone() })
        });
        let bound = if self.own { self.program.slots[slot as usize].bound.clone() } else { bound };
        match bound.known() {
            Some(known) => self.make(Op::Constant(known), ty, bound, span),
            None => self.make(Op::Load(slot), ty, bound, span),
        }
    }

    fn given_among(&self, names: &BTreeSet<LocalId>) -> Vec<SlotId> {
        names.iter().filter_map(|name| Some(self.given.get(name)?.0)).collect()
    }
}

fn too_large(rule: &typed::Rule, cells: u64) -> Diagnostic {
    let title = format!("rule `{}` may take {} MiB of memory", rule.name, cells >> 17);
    Diagnostic::error("E505", title, rule.span, "the lists that it makes").help(format!(
        "compare numbers in place of long lists, or write smaller parameters: at most {} MiB",
        CELLS_MAX >> 17
    ))
}
