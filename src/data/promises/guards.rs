//! The conditions around a step: what is true or false whenever it runs.

use crate::ir::{Op, Program, Register, StepId};

/// Where each step of a program is.
pub struct Guards {
    /// The innermost `If` around each step, and true in its first branch.
    around: Vec<Option<(StepId, bool)>>,
    /// The steps that compute a register; no more than two.
    makers: Vec<Vec<StepId>>,
}

impl Guards {
    /// Of all steps.
    pub fn new(program: &Program) -> Guards {
        let mut around = Vec::with_capacity(program.steps.len());
        let mut makers = vec![Vec::new(); program.registers.len()];
        let mut open: Vec<(StepId, bool)> = Vec::new();
        for (step, at) in program.steps.iter().zip(0..) {
            match step.op {
                Op::Else(_) => {
                    if let Some((_, is_first)) = open.last_mut() {
                        *is_first = false;
                    }
                }
                Op::EndIf => drop(open.pop()),
                _ => {}
            }
            around.push(open.last().copied());
            if let Op::If(..) = step.op {
                open.push((at, true));
            }
            if let Some(makers) = makers.get_mut(step.into as usize)
                && makers.len() < 3
            {
                makers.push(at);
            }
        }
        Guards { around, makers }
    }

    /// The registers that hold conditions, and what each is, whenever a step runs.
    pub fn around(&self, program: &Program, at: StepId) -> Vec<(Register, bool)> {
        let (mut found, mut next) = (Vec::new(), self.around[at as usize]);
        while let Some((at, is_first)) = next {
            if let Op::If(condition, _) = program.steps[at as usize].op {
                self.implied(program, condition, is_first, &mut found);
            }
            next = self.around[at as usize];
        }
        found
    }

    /// A condition, and those that it combines by `not`, `and` and `or`, as far as they are
    /// known with it.
    fn implied(
        &self,
        program: &Program,
        condition: Register,
        is_true: bool,
        found: &mut Vec<(Register, bool)>,
    ) {
        found.push((condition, is_true));
        let op = |at: StepId| &program.steps[at as usize].op;
        match self.makers[condition as usize][..] {
            [at] => match *op(at) {
                Op::Not(of) => self.implied(program, of, !is_true, found),
                Op::Copy(of) => self.implied(program, of, is_true, found),
                _ => {}
            },
            [yes, no] => {
                let (Op::Copy(yes_value), Op::Copy(no_value)) = (op(yes), op(no)) else { return };
                let Some((branch, _)) = self.around[yes as usize] else { return };
                let Op::If(asked, _) = *op(branch) else { return };
                if self.around[no as usize] != Some((branch, false)) {
                    return;
                }
                let is_never = |value: Register| match self.makers[value as usize][..] {
                    [at] => matches!(*op(at), Op::Constant(cell) if (cell != 0) != is_true),
                    _ => false,
                };
                // One branch has the other boolean: it was not taken.
                if is_never(*no_value) {
                    self.implied(program, asked, true, found);
                    self.implied(program, *yes_value, is_true, found);
                } else if is_never(*yes_value) {
                    self.implied(program, asked, false, found);
                    self.implied(program, *no_value, is_true, found);
                }
            }
            _ => {}
        }
    }
}
