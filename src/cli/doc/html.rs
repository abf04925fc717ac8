//! Text and documentation as HTML.

/// A text whose letters mean nothing to HTML.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            letter => out.push(letter),
        }
    }
    out
}

/// What a link names a thing by.
pub fn id(name: &str) -> String {
    let may = |letter: char| letter.is_alphanumeric() || letter == '_';
    name.chars().map(|letter| if may(letter) { letter } else { '-' }).collect()
}

/// A line in which `` `code` `` is code.
pub fn inline(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        match at % 2 {
            0 => out += &escaped(part),
            _ => out += &format!("<code>{}</code>", escaped(part)),
        }
    }
    out
}

/// The paragraphs of a documentation; lines that are set in by four spaces are code.
pub fn docs(lines: &[String], first_class: &str) -> String {
    let mut out = String::new();
    let mut class = first_class;
    for block in lines.split(|line| line.trim().is_empty()).filter(|block| !block.is_empty()) {
        if block.iter().all(|line| line.starts_with("    ")) {
            let code: Vec<&str> = block.iter().map(|line| line.trim()).collect();
            out += &format!("<pre>{}</pre>\n", escaped(&code.join("\n")));
            continue;
        }
        let text: Vec<&str> = block.iter().map(|line| line.trim()).collect();
        let text = inline(&text.join(" "));
        out += &match class {
            "" => format!("<p>{text}</p>\n"),
            class => format!("<p class=\"{class}\">{text}</p>\n"),
        };
        class = "";
    }
    out
}

/// A `.cook` text; comments and documentation are dimmed.
pub fn code(text: &str) -> String {
    let line = |line: &str| match line.find("//").filter(|&at| !in_text(&line[..at])) {
        Some(at) => format!("{}<i>{}</i>", escaped(&line[..at]), escaped(&line[at..])),
        None => escaped(line),
    };
    text.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Is a text open after this beginning of a line?
fn in_text(beginning: &str) -> bool {
    beginning.replace("\\\"", "").matches('"').count() % 2 == 1
}
