//! The sizes of functions, and where `unsafe` is.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, FnArg, Signature};

use super::source::sources;

const LINES_MAX: usize = 70;
const PARAMETERS_MAX: usize = 5;

/// The files that may hold `unsafe`: machine code, vectors, mapped memory, a GPU.
const UNSAFE: [&str; 11] = [
    "data/words.rs",
    "layout/tables.rs",
    "engine/jit.rs",
    "cpu/amx.rs",
    "cpu/heap.rs",
    "cpu/packing.rs",
    "cpu/pairs.rs",
    "cpu/product.rs",
    "samplers/positions.rs",
    "cuda/driver.rs",
    "ops/nccl.rs",
];

/// A function as it is written, whatever stands before its `fn`.
struct Function {
    name: String,
    first_line: usize,
    lines: usize,
    /// Its parameters beside `self`; none for a method of a trait, which is counted at the trait.
    parameters: Option<usize>,
}

#[derive(Default)]
struct Functions {
    found: Vec<Function>,
    /// Whether an `impl` of a trait is being read.
    of_trait: bool,
}

impl Functions {
    fn add(&mut self, signature: &Signature, body: Option<&Block>) {
        let first_line = signature.fn_token.span.start().line;
        let last =
            body.map_or(signature.paren_token.span.close(), |body| body.brace_token.span.close());
        let last = last.end().line;
        let parameters =
            signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        self.found.push(Function {
            name: signature.ident.to_string(),
            first_line,
            lines: last - first_line + 1,
            parameters: (!self.of_trait).then_some(parameters),
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let outer = std::mem::take(&mut self.of_trait);
        self.add(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
        self.of_trait = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = std::mem::replace(&mut self.of_trait, item.trait_.is_some());
        visit::visit_item_impl(self, item);
        self.of_trait = outer;
    }
}

#[test]
fn functions_have_at_most_70_lines_and_five_parameters() {
    for source in sources() {
        let mut functions = Functions::default();
        functions.visit_file(&source.tree);
        for function in functions.found {
            let at = format!("{}:{}: `{}`", source.name, function.first_line, function.name);
            assert!(function.lines <= LINES_MAX, "{at} has {} lines", function.lines);
            let parameters = function.parameters.unwrap_or_default();
            assert!(parameters <= PARAMETERS_MAX, "{at} has {parameters} parameters");
        }
    }
}

#[test]
fn unsafe_is_in_its_own_files_and_says_why_it_is_sound() {
    for source in sources() {
        let name = source.name;
        let lines: Vec<&str> = source.text.lines().collect();
        let tokens: TokenStream = source.text.parse().expect("the file was parsed before");
        let mut found = Vec::new();
        lines_of_unsafe(tokens, &mut found);
        for line in found {
            assert!(UNSAFE.iter().any(|file| name.ends_with(file)), "{name}:{line} is unsafe");
            let before = &lines[line.saturating_sub(7)..line];
            let said =
                before.iter().any(|line| line.contains("SAFETY") || line.contains("# Safety"));
            assert!(said, "{name}:{line}: `SAFETY:` says who guarantees what");
        }
    }
}

/// The lines, counted from 1, on which the word is code: a block, a function, an `impl`, a type.
fn lines_of_unsafe(tokens: TokenStream, found: &mut Vec<usize>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if ident == "unsafe" => found.push(ident.span().start().line),
            TokenTree::Group(group) => lines_of_unsafe(group.stream(), found),
            _ => {}
        }
    }
}
