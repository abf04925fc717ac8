//! The tree-sitter grammar of `.cook`, for editors and for tools that read templates.
//!
//! ```
//! let mut parser = tree_sitter::Parser::new();
//! parser.set_language(&tree_sitter_cook::LANGUAGE.into())?;
//! let tree = parser.parse("answer ~ pick(document)", None).expect("a language is set");
//! assert!(!tree.root_node().has_error());
//! # Ok::<(), tree_sitter::LanguageError>(())
//! ```

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_cook() -> *const ();
}

/// The grammar.
// SAFETY: the generated parser defines this function, and it gives a language that lives for ever.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_cook) };

/// What is coloured how.
pub const HIGHLIGHTS_QUERY: &str = include_str!("queries/highlights.scm");

/// Where names are bound and where they are used.
pub const LOCALS_QUERY: &str = include_str!("queries/locals.scm");
