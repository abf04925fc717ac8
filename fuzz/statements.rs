//! Bytes to statements without an error of the syntax: every byte is a choice. They need not mean
//! anything, so that all of the grammar can come together.

/// The text of one to three statements.
pub fn statements(data: &[u8]) -> String {
    let mut writer = Writer { data: data.iter() };
    (0..1 + writer.below(3)).map(|_| writer.statement() + "\n").collect()
}

/// The text with other white space, comments and documentation between its words, chosen by the
/// bytes from the last to the first; its meaning stays, but for the documentation.
pub fn spaced(text: &str, data: &[u8]) -> String {
    let mut spaced = String::new();
    let mut choices = data.iter().rev();
    let mut in_text = false;
    // The last line stays as it is: documentation of nothing would be an error.
    for sign in text.trim_end().chars() {
        in_text ^= sign == '"';
        let choice = choices.next().copied().unwrap_or(0) % 16;
        // What stands in a text counts.
        match (sign, if in_text { 0 } else { choice }) {
            (' ', 1) => spaced += "  \t",
            (' ', 2) => spaced += "\n",
            (' ', 3) => spaced += "\r\n   ",
            (' ', 4) => spaced += " // a comment\n",
            ('\n', 5) => spaced += "\n\n\n",
            ('\n', 6) => spaced += " // of the line\n// alone\n",
            ('\n', 7) => spaced += "\n\n// a block\n// of comments\n\n",
            ('\n', 8) => spaced += "\n/// documentation  \n///\n///     indented\n",
            ('\n', 9) => spaced += "\r\n",
            _ => spaced.push(sign),
        }
    }
    spaced
}

/// Expressions are not deeper than this.
const DEPTH: usize = 3;

struct Writer<'a> {
    data: std::slice::Iter<'a, u8>,
}

impl Writer<'_> {
    /// The next byte in this range; 0 after the last, which chooses what is small.
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.data.next().copied().unwrap_or(0)) % count
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    fn name(&mut self) -> &'static str {
        self.one(&["x", "ys", "a_long_name", "inner", "words", "template", "n0"])
    }

    fn statement(&mut self) -> String {
        let name = self.name();
        match self.below(11) {
            0..=2 => self.binding(),
            3 => format!("rule {name}: {}", self.expression(DEPTH)),
            4 => format!("{} {}", self.one(&["prompt", "reply", "system"]), self.layout()),
            5 => {
                // After a level, a binding with a parameter's name would look like one value more.
                let (low, high) = (self.expression(1), self.expression(1));
                format!("param size in {low}..{high} = {}", self.expression(1))
            }
            6 => format!("level {name}: {}", self.several(Self::setting)),
            7 => format!("use {name}: {}", self.several(|writer| writer.name().to_string())),
            8 => format!("use template {name}"),
            9 => format!("words {name} = \"{}.txt\"", self.name()),
            _ => self.function(name),
        }
    }

    fn binding(&mut self) -> String {
        let (name, sign) = (self.name(), self.one(&["=", "~"]));
        format!("{name} {sign} {}", self.expression(DEPTH))
    }

    fn inner(&mut self) -> String {
        self.one(&["", "\n///told\n"]).to_string() + &self.binding() + " "
    }

    fn setting(&mut self) -> String {
        format!("{} = {}", self.name(), self.expression(1))
    }

    fn function(&mut self, name: &str) -> String {
        let parameters = match self.below(3) {
            0 => String::new(),
            _ => self.several(|writer| format!("{}: {}", writer.name(), writer.kind())),
        };
        let (arrow, kind) = (self.one(&["->", "~>"]), self.kind());
        let head = format!("fn {name}({parameters}) {arrow} {kind}");
        match self.below(3) {
            0 => head,
            1 => format!("{head} = {}", self.expression(DEPTH)),
            _ => {
                // Without line ends before `return` and `}`, where documentation would be an error.
                let inner: String = (0..self.below(3)).map(|_| self.inner()).collect();
                format!("{head} {{ {inner}return {} }}", self.expression(2))
            }
        }
    }

    fn kind(&mut self) -> &'static str {
        self.one(&["Int", "[Token]", "[[T]]"])
    }

    fn layout(&mut self) -> String {
        match self.below(4) {
            0 => format!("\"\"\"\n  {{{}}}\n   and\n  \"\"\"", self.expression(1)),
            _ => format!("\"a  {{{}}} }}}}\\n\"", self.expression(2)),
        }
    }

    /// One to three, with commas between.
    fn several(&mut self, one: impl Fn(&mut Self) -> String) -> String {
        (0..1 + self.below(3)).map(|_| one(self)).collect::<Vec<_>>().join(", ")
    }

    fn expression(&mut self, depth: usize) -> String {
        let choice = if depth == 0 { self.below(4) } else { self.below(18) };
        let deeper = depth.saturating_sub(1);
        let mut inner = || self.expression(deeper);
        match choice {
            0 => "x".into(),
            1 => self.one(&["0", "12", "0.5", "true"]).into(),
            2 => self.name().into(),
            3 => self.one(&["[]", "\"\"", "part.inner.prompt", "f()"]).into(),
            4 => format!("-{}", inner()),
            5 => format!("(not {})", inner()),
            6 | 7 => {
                let (left, right) = (inner(), inner());
                let sign = self.one(&["+", "-", "*", "/", "%"]);
                format!("({left} {sign} {right})")
            }
            8 => {
                let (left, right) = (inner(), inner());
                let sign = self.one(&["==", "!=", "<", "<=", ">", ">=", "in", "within", ".."]);
                format!("({left} {sign} {right})")
            }
            9 => {
                let (left, right) = (inner(), inner());
                format!("({left} {} {right})", self.one(&["and", "or"]))
            }
            10 => format!("x + y * {}", inner()),
            11 => format!("(if {} then {} else {})", inner(), inner(), inner()),
            12 => format!("[{}]", self.several(|writer| writer.expression(deeper))),
            13 => format!("call({})", self.several(|writer| writer.expression(deeper))),
            14 => format!("part(level hard, {})", self.several(Self::setting)),
            15 => r#""a{{\\\t""#.into(),
            16 => {
                let word = self.one(&["all", "any", "count", "for"]);
                let over = self.over(deeper);
                format!("({word} {over}: {})", self.expression(deeper))
            }
            _ => {
                let over = self.over(deeper);
                match self.below(2) {
                    0 => format!("(fold a = 0 over {over}: {})", self.expression(deeper)),
                    _ => {
                        let bodies = (self.expression(deeper), self.expression(deeper));
                        format!("(fold a = 0, b = [] over {over}: {}, {})", bodies.0, bodies.1)
                    }
                }
            }
        }
    }

    /// A loop's name and what it runs over, all or some.
    fn over(&mut self, depth: usize) -> String {
        let (name, list) = (self.name(), self.expression(depth));
        match self.below(3) {
            0 => format!("{name} in {list}"),
            _ => format!("{name} in {list} where {}", self.expression(depth)),
        }
    }
}
