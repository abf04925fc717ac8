//! Bytes to the text of a template that has no error: every byte is a choice.

/// The types that names and expressions of a made template have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Bool,
    Words,
    Ints,
    Rows,
}

const KINDS: [Kind; 5] = [Kind::Int, Kind::Bool, Kind::Words, Kind::Ints, Kind::Rows];

/// The template's text, and the seed to sample it with.
pub fn template(data: &[u8]) -> (String, u64) {
    let mut writer = Writer { data, at: 0, names: Vec::new(), fresh: 0 };
    let seed = u64::from(writer.byte());
    let size = 2 + writer.below(24);
    let mut text = format!("param size in 1..40 = {size}\n\nstart ~ distinct(size, vocab)\n");
    writer.names = vec![("size".into(), Kind::Int), ("start".into(), Kind::Words)];
    for at in 0..2 + writer.below(6) {
        let kind = KINDS[writer.below(5)];
        let name = format!("name_{at}");
        let line = match writer.below(2) {
            0 => format!("{name} ~ {}\n", writer.sampler(kind)),
            _ => format!("{name} = {}\n", writer.expression(kind, 3)),
        };
        text += &line;
        writer.names.push((name, kind));
    }
    for at in 0..1 + writer.below(3) {
        text += &format!("rule rule_{at}: {}\n", writer.expression(Kind::Bool, 3));
    }
    // The prompt shows some names, the others are hidden; the reply shows one of each kind at most.
    let names: Vec<(String, Kind)> = writer.names.iter().skip(1).cloned().collect();
    let shown = names.iter().filter(|_| writer.below(3) > 0).map(|(name, _)| format!("{{{name}}}"));
    text += &format!("prompt \"{} .\"\n", shown.collect::<Vec<_>>().join(" | "));
    let outputs =
        names.iter().rev().take(1 + writer.below(3)).map(|(name, _)| format!("{{{name}}}"));
    text += &format!("reply \"{}\"\n", outputs.collect::<Vec<_>>().join(" | "));
    (text, seed)
}

struct Writer<'a> {
    data: &'a [u8],
    at: usize,
    /// What is in scope.
    names: Vec<(String, Kind)>,
    /// How many loop names there were.
    fresh: usize,
}

impl Writer<'_> {
    /// The next byte; 0 after the last, which chooses what is small.
    fn byte(&mut self) -> u8 {
        self.at += 1;
        self.data.get(self.at - 1).copied().unwrap_or(0)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// A name of this kind in scope, or the smallest expression of it.
    fn name(&mut self, kind: Kind) -> String {
        let known: Vec<String> = self
            .names
            .iter()
            .filter(|(_, known)| *known == kind)
            .map(|(name, _)| name.clone())
            .collect();
        if !known.is_empty() {
            let at = self.below(known.len());
            return known[at].clone();
        }
        match kind {
            Kind::Int => self.below(6).to_string(),
            Kind::Bool => "true".into(),
            Kind::Words => "start".into(),
            Kind::Ints => "[3, 1, 2]".into(),
            Kind::Rows => "[start, start]".into(),
        }
    }

    fn int(&mut self) -> String {
        ["0", "1", "2", "3", "size", "-7", "9223372036854775807"][self.below(7)].into()
    }

    /// What stands right of `~`.
    fn sampler(&mut self, kind: Kind) -> String {
        let choice = self.below(6);
        match kind {
            Kind::Bool => format!("coin({})", ["0.5", "0.125", "1", "size / 40"][choice % 4]),
            Kind::Int if choice < 4 => {
                let (low, high) = (self.small(), self.small());
                format!("uniform({low} - 3..{high} + 4)")
            }
            Kind::Int => format!("pick({})", self.expression(Kind::Ints, 1)),
            Kind::Words | Kind::Ints => self.list_sampler(kind, choice),
            Kind::Rows => match choice {
                0 | 1 => {
                    let inner = self.sampler(Kind::Words);
                    format!("repeat({}, {inner})", self.below(5))
                }
                2 | 3 => format!("split({}, start)", 1 + self.below(3)),
                _ => format!("shuffle({})", self.expression(Kind::Rows, 2)),
            },
        }
    }

    fn list_sampler(&mut self, kind: Kind, choice: usize) -> String {
        let xs = self.expression(kind, 2);
        let n = self.below(6);
        match choice {
            0 => format!("distinct({n}, {xs})"),
            1 if kind == Kind::Words => format!("distinct({n}, without({xs}, vocab))"),
            1 | 2 => format!("draw({n}, {xs})"),
            3 => format!("span({n}, {xs})"),
            4 => format!("shuffle({xs})"),
            _ => {
                let rows =
                    if kind == Kind::Words { self.name(Kind::Rows) } else { "[[1], [2]]".into() };
                format!("weighted({rows}, for row in {rows}: size(row))")
            }
        }
    }

    fn small(&mut self) -> String {
        match self.below(3) {
            0 => self.below(9).to_string(),
            1 => "size".into(),
            _ => format!("size({})", self.name(Kind::Words)),
        }
    }

    /// An expression of a kind, not deeper than this.
    fn expression(&mut self, kind: Kind, depth: usize) -> String {
        if depth == 0 || self.below(5) == 0 {
            return self.name(kind);
        }
        if self.below(6) == 0 {
            let condition = self.expression(Kind::Bool, depth - 1);
            let (yes, no) = (self.expression(kind, depth - 1), self.expression(kind, depth - 1));
            return format!("(if {condition} then {yes} else {no})");
        }
        match kind {
            Kind::Int => self.int_expression(depth - 1),
            Kind::Bool => self.truth(depth - 1),
            Kind::Words => self.list(Kind::Words, depth - 1),
            Kind::Ints => self.ints(depth - 1),
            Kind::Rows => self.rows(depth - 1),
        }
    }

    fn int_expression(&mut self, depth: usize) -> String {
        let choice = self.below(9);
        match choice {
            0 => self.int(),
            1..=3 => {
                let sign = ["+", "-", "*", "/", "%"][self.below(5)];
                let (a, b) = (self.expression(Kind::Int, depth), self.expression(Kind::Int, depth));
                format!("({a} {sign} {b})")
            }
            4 => format!("size({})", self.expression(Kind::Words, depth)),
            5 => {
                let function = ["sum", "max", "min"][self.below(3)];
                format!("{function}({})", self.expression(Kind::Ints, depth))
            }
            6 => {
                let xs = self.expression(Kind::Words, depth);
                format!("position(at({}, start), {xs})", self.below(2))
            }
            7 => self.each("count", depth),
            _ => {
                let (item, list) = (self.item(), self.expression(Kind::Ints, depth));
                self.names.push((item.clone(), Kind::Int));
                self.names.push(("total".to_string() + &item, Kind::Int));
                let body = self.expression(Kind::Int, depth);
                self.names.truncate(self.names.len() - 2);
                let filter = match self.fresh % 3 {
                    0 => format!(" where {item} != total{item}"),
                    _ => String::new(),
                };
                format!("(fold total{item} = 0 over {item} in {list}{filter}: {body})")
            }
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        let choice = self.below(8);
        let kind = KINDS[self.below(5)];
        match choice {
            0 => format!("(not {})", self.expression(Kind::Bool, depth)),
            1 => {
                let sign = ["and", "or"][self.below(2)];
                let (a, b) =
                    (self.expression(Kind::Bool, depth), self.expression(Kind::Bool, depth));
                format!("({a} {sign} {b})")
            }
            2 => {
                let sign = ["<", "<=", ">", ">="][self.below(4)];
                let (a, b) = (self.expression(Kind::Int, depth), self.expression(Kind::Int, depth));
                format!("({a} {sign} {b})")
            }
            3 => {
                let sign = ["==", "!="][self.below(2)];
                format!(
                    "({} {sign} {})",
                    self.expression(kind, depth),
                    self.expression(kind, depth)
                )
            }
            4 => {
                let (x, xs) =
                    (self.expression(Kind::Words, depth), self.expression(Kind::Rows, depth));
                format!("({x} in {xs})")
            }
            5 => {
                let (a, b) =
                    (self.expression(Kind::Words, depth), self.expression(Kind::Words, depth));
                format!("({a} within {b})")
            }
            6 => self.each("all", depth),
            _ => self.each("any", depth),
        }
    }

    fn each(&mut self, word: &str, depth: usize) -> String {
        let item = self.item();
        let over = self.over(&item, depth);
        self.names.push((item, Kind::Int));
        let body = self.expression(Kind::Bool, depth);
        self.names.pop();
        format!("({word} {over}: {body})")
    }

    /// A loop's name and the numbers that it runs over, all or some.
    fn over(&mut self, item: &str, depth: usize) -> String {
        let choice = self.byte();
        let list = match choice % 2 {
            0 => format!("{}..{}", self.below(4), self.small()),
            _ => self.expression(Kind::Ints, depth),
        };
        let filter = match choice / 2 % 8 {
            1 => format!(" where {item} % 2 == 0"),
            2 => format!(" where {item} > size / 2"),
            // It errors on 0.
            3 => format!(" where 7 / {item} > 1"),
            _ => String::new(),
        };
        format!("{item} in {list}{filter}")
    }

    fn list(&mut self, kind: Kind, depth: usize) -> String {
        let xs = self.expression(kind, depth);
        let choice = self.below(13);
        let mut other = || self.expression(kind, depth);
        match choice {
            0 => format!("({xs} + {})", other()),
            1 => format!("without({}, {xs})", other()),
            2 => format!("union({xs}, {})", other()),
            3 => format!("intersect({xs}, {})", other()),
            4 => format!("around({}, take(1, {xs}), {xs})", self.below(3)),
            5 => format!("reverse({xs})"),
            6 => format!("unique({xs})"),
            7 => format!("sort({xs})"),
            8 => format!("take({}, {xs})", self.small()),
            9 => format!("drop({}, {xs})", self.small()),
            10 => format!("replace(at(0, {xs}), at(1, {xs}), {xs})"),
            11 if kind == Kind::Words => format!("concat({})", self.expression(Kind::Rows, depth)),
            11 => format!("after(take(1, {xs}), {xs})"),
            _ => format!("before(drop(1, {xs}), {xs})"),
        }
    }

    fn ints(&mut self, depth: usize) -> String {
        match self.below(3) {
            0 => self.list(Kind::Ints, depth),
            1 => {
                let item = self.item();
                let over = self.over(&item, depth);
                self.names.push((item, Kind::Int));
                let body = self.expression(Kind::Int, depth);
                self.names.pop();
                format!("(for {over}: {body})")
            }
            _ => format!("[{}, {}]", self.expression(Kind::Int, depth), self.small()),
        }
    }

    fn rows(&mut self, depth: usize) -> String {
        match self.below(4) {
            0 => format!("chunks({}, {})", 1 + self.below(4), self.expression(Kind::Words, depth)),
            1 => {
                let item = self.item();
                let over = self.over(&item, depth);
                self.names.push((item, Kind::Int));
                let body = self.expression(Kind::Words, depth);
                self.names.pop();
                format!("(for {over}: {body})")
            }
            2 => format!("[{}]", self.expression(Kind::Words, depth)),
            _ => format!("unique({})", self.expression(Kind::Rows, depth)),
        }
    }

    fn item(&mut self) -> String {
        self.fresh += 1;
        format!("x{}", self.fresh)
    }
}
