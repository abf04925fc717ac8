//! What a template computes with: values that behave as Python's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::error::{Budget, Outcome, error};
use super::python;
use super::syntax;

/// A value.
#[derive(Clone)]
pub enum Value {
    /// What is not there, with the sentence that tells so.
    Undefined(Rc<str>),
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    List(Rc<Items>),
    Tuple(Rc<Items>),
    Dict(Rc<Dict>),
    /// `keys()`, `values()` or `items()` of a dict, under Python's name for it.
    View(&'static str, Rc<Items>),
    /// Start, end and step.
    Range(i64, i64, i64),
    /// What can be gone through once, as `map` and `select` give it.
    Iterator(Rc<RefCell<VecDeque<Value>>>),
    Namespace(Rc<Names>),
    Macro(Rc<Macro>),
    /// A method of a value, not called yet.
    Method(Rc<Value>, &'static str),
    /// A function that every template has.
    Function(&'static str),
    Loop(Rc<Loop>),
    /// Values, and which of them is next.
    Cycler(Rc<(Vec<Value>, Cell<usize>)>),
    /// What it joins with, and whether it was asked before.
    Joiner(Rc<(Rc<str>, Cell<bool>)>),
}

/// Names with their values, which may change.
pub type Names = RefCell<Vec<(Rc<str>, Value)>>;

/// The elements of a list or a tuple.
pub struct Items {
    pub all: Vec<Value>,
    /// How deep lists lie in each other.
    pub depth: usize,
    /// Whether it is a group, which has its parts under names too.
    pub group: bool,
}

/// Keys and values, in order.
pub struct Dict {
    pub entries: Vec<(Value, Value)>,
    /// As of a list.
    pub depth: usize,
}

/// The deepest that lists lie in each other.
const NESTED_MAX: usize = 100;

/// What a value costs, in bytes.
const SIZE: u64 = 24;

impl Value {
    /// A text.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(text.as_ref().into())
    }

    /// A list.
    pub fn list(all: Vec<Value>, budget: &Budget) -> Outcome<Value> {
        Ok(Value::List(items(all, budget)?))
    }

    /// A tuple.
    pub fn tuple(all: Vec<Value>, budget: &Budget) -> Outcome<Value> {
        Ok(Value::Tuple(items(all, budget)?))
    }

    /// What can be gone through once.
    pub fn iterator(all: Vec<Value>, budget: &Budget) -> Outcome<Value> {
        budget.spend(SIZE * all.len() as u64)?;
        Ok(Value::Iterator(Rc::new(RefCell::new(all.into()))))
    }

    /// A name that is not there.
    pub fn missing(name: &str) -> Value {
        Value::Undefined(format!("{} is undefined", python::repr_text(name)).into())
    }

    /// Python's name of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Text(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::View(name, _) => name,
            Value::Range(..) => "range",
            Value::Iterator(_) => "generator",
            Value::Namespace(_) => "Namespace",
            Value::Macro(_) => "Macro",
            Value::Method(..) => "builtin_function_or_method",
            Value::Function(_) => "function",
            Value::Loop(_) => "LoopContext",
            Value::Cycler(_) => "Cycler",
            Value::Joiner(_) => "Joiner",
        }
    }

    /// Whether it counts as true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(truth) => *truth,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::List(items) | Value::Tuple(items) | Value::View(_, items) => {
                !items.all.is_empty()
            }
            Value::Dict(dict) => !dict.entries.is_empty(),
            Value::Range(start, end, step) => range_length(*start, *end, *step) > 0,
            _ => true,
        }
    }

    /// How many elements it has; None where it has no length.
    pub fn length(&self) -> Option<usize> {
        Some(match self {
            Value::Undefined(_) => 0,
            Value::Text(text) => text.chars().count(),
            Value::List(items) | Value::Tuple(items) | Value::View(_, items) => items.all.len(),
            Value::Dict(dict) => dict.entries.len(),
            Value::Range(start, end, step) => range_length(*start, *end, *step),
            _ => return None,
        })
    }

    /// Its elements; an iterator has none afterwards.
    pub fn elements(&self, budget: &Budget) -> Outcome<Vec<Value>> {
        budget.spend(SIZE * self.length().unwrap_or(0) as u64)?;
        Ok(match self {
            Value::Undefined(text) if budget.is_strict => return error(&**text),
            Value::Undefined(_) => Vec::new(),
            Value::Text(text) => {
                text.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect()
            }
            Value::List(items) | Value::Tuple(items) | Value::View(_, items) => items.all.clone(),
            Value::Dict(dict) => dict.entries.iter().map(|(key, _)| key.clone()).collect(),
            Value::Range(start, end, step) => {
                let length = range_length(*start, *end, *step) as i64;
                (0..length).map(|at| Value::Int(start + at * step)).collect()
            }
            Value::Iterator(rest) => rest.take().into(),
            other => return error(format!("'{}' object is not iterable", other.kind())),
        })
    }

    /// `str(…)`.
    pub fn shown(&self, budget: &Budget) -> Outcome<Rc<str>> {
        match self {
            Value::Text(text) => Ok(text.clone()),
            Value::Undefined(text) if budget.is_strict => error(&**text),
            Value::Undefined(_) => Ok("".into()),
            other => Ok(other.repr(budget)?.into()),
        }
    }

    /// `repr(…)`.
    pub fn repr(&self, budget: &Budget) -> Outcome<String> {
        budget.spend(SIZE)?;
        let all = |items: &Items| -> Outcome<String> {
            let parts: Outcome<Vec<String>> =
                items.all.iter().map(|one| one.repr(budget)).collect();
            Ok(parts?.join(", "))
        };
        Ok(match self {
            Value::Undefined(_) => "Undefined".into(),
            Value::None => "None".into(),
            Value::Bool(true) => "True".into(),
            Value::Bool(false) => "False".into(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => python::repr_float(*value),
            Value::Text(text) => {
                budget.spend(2 * text.len() as u64)?;
                python::repr_text(text)
            }
            Value::List(items) => format!("[{}]", all(items)?),
            Value::Tuple(items) if items.all.len() == 1 => format!("({},)", all(items)?),
            Value::Tuple(items) => format!("({})", all(items)?),
            Value::View(name, items) => format!("{name}([{}])", all(items)?),
            Value::Dict(dict) => {
                let mut parts = Vec::new();
                for (key, value) in &dict.entries {
                    parts.push(format!("{}: {}", key.repr(budget)?, value.repr(budget)?));
                }
                format!("{{{}}}", parts.join(", "))
            }
            Value::Range(start, end, 1) => format!("range({start}, {end})"),
            Value::Range(start, end, step) => format!("range({start}, {end}, {step})"),
            other => {
                let kind = other.kind();
                return error(format!(
                    "it writes a '{kind}' as text, which is an address in memory"
                ));
            }
        })
    }

    fn depth(&self) -> usize {
        match self {
            Value::List(items) | Value::Tuple(items) | Value::View(_, items) => items.depth,
            Value::Dict(dict) => dict.depth,
            Value::Method(value, _) => value.depth(),
            _ => 0,
        }
    }
}

impl Dict {
    /// The value of a text.
    pub fn named(&self, name: &str) -> Option<&Value> {
        let named = |key: &Value| matches!(key, Value::Text(text) if **text == *name);
        self.entries.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
    }
}

/// Elements, measured.
pub fn items(all: Vec<Value>, budget: &Budget) -> Outcome<Rc<Items>> {
    let depth = measure(all.iter(), budget)?;
    Ok(Rc::new(Items { all, depth, group: false }))
}

/// How deep values lie in each other; their number is paid for.
pub fn measure<'a>(parts: impl Iterator<Item = &'a Value>, budget: &Budget) -> Outcome<usize> {
    let (mut depth, mut count) = (0, 0);
    for part in parts {
        depth = depth.max(part.depth());
        count += 1;
    }
    budget.spend(SIZE * count)?;
    if depth >= NESTED_MAX {
        return error(format!("lists lie in each other more than {NESTED_MAX} deep"));
    }
    Ok(depth + 1)
}

/// How many numbers a range has.
pub fn range_length(start: i64, end: i64, step: i64) -> usize {
    let span = if step > 0 {
        i128::from(end) - i128::from(start)
    } else {
        i128::from(start) - i128::from(end)
    };
    let step = i128::from(step).abs().max(1);
    usize::try_from((span + step - 1).div_euclid(step).max(0)).unwrap_or(usize::MAX)
}

/// A number as a float, with booleans as 0 and 1.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// An integer, with booleans as 0 and 1.
pub fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(truth) => Some(i64::from(*truth)),
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

/// Names of one frame: a template, one turn of a loop, one call of a macro.
pub struct Scope {
    names: RefCell<Vec<(Rc<str>, Value)>>,
    outer: Option<Rc<Scope>>,
}

impl Scope {
    /// One inside of another.
    pub fn inside(outer: Option<&Rc<Scope>>) -> Rc<Scope> {
        Rc::new(Scope { names: RefCell::default(), outer: outer.cloned() })
    }

    /// What a name stands for, here or further out.
    pub fn get(&self, name: &str) -> Option<Value> {
        let names = self.names.borrow();
        let own = names.iter().find(|(known, _)| **known == *name);
        match own {
            Some((_, value)) => Some(value.clone()),
            None => self.outer.as_ref()?.get(name),
        }
    }

    /// Gives a name a value, here.
    pub fn set(&self, name: &str, value: Value) {
        let mut names = self.names.borrow_mut();
        match names.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, old)) => *old = value,
            None => names.push((name.into(), value)),
        }
    }

    /// Forgets all names: macros hold the scope that holds them.
    pub fn clear(&self) {
        self.names.take();
    }
}

/// The state of a loop, which a template sees as `loop`.
pub struct Loop {
    /// What is still to come.
    pub rest: RefCell<VecDeque<Value>>,
    /// The next one, if it was looked at; None in it behind the last one.
    pub next: RefCell<Option<Option<Value>>>,
    /// The one before this one, and this one.
    pub seen: RefCell<(Option<Value>, Option<Value>)>,
    /// Counted from 0.
    pub index: Cell<usize>,
    /// All turns, once they are counted.
    pub length: Cell<Option<usize>>,
    /// Loops of the same kind around it.
    pub depth: usize,
    /// What `changed` was last asked about.
    pub changed: RefCell<Option<Vec<Value>>>,
    /// Whether the condition was asked about all that is still to come.
    pub filtered: Cell<bool>,
    /// The loop in the template, and where its names are looked up.
    pub code: Arc<syntax::For>,
    /// The scope around the loop.
    pub scope: Rc<Scope>,
}

/// A macro, or the body of a `call` block.
pub struct Macro {
    /// None for a body.
    pub name: Option<Rc<str>>,
    /// Its parameters, and what it writes.
    pub code: Arc<syntax::Macro>,
    /// Where it was defined.
    pub scope: Rc<Scope>,
}
