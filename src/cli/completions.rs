//! `cookc completions` and `cookc man`: what a shell and `man` know of the commands.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap_complete::Shell;

use super::{Failure, console};

const COMPLETIONS_HELP: &str = r#"Examples:
  cookc completions bash > ~/.local/share/bash-completion/completions/cookc
  cookc completions fish > ~/.config/fish/completions/cookc.fish
  cookc completions zsh > _cookc     in a folder of $fpath"#;

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const MAN_HELP: &str = r#"Examples:
  cookc man | man -l -                            read the page of cookc
  cookc man --out ~/.local/share/man/man1         then: man cookc-sample"#;

/// Print the page for man, or write the pages of all commands
#[derive(Debug, Args)]
#[command(after_help = MAN_HELP)]
pub struct Man {
    /// A folder to write a page a command into
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Prints the completions.
pub fn completions(command: &Completions) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(command.shell, &mut super::command(), "cookc", &mut text);
    console::data(&String::from_utf8_lossy(&text))
}

/// Prints a page, or writes all of them.
pub fn man(command: &Man) -> Result<(), Failure> {
    // Without it, the pages of commands would not know the options that all commands share.
    let mut cookc = super::command().disable_help_subcommand(true);
    let Some(folder) = &command.out else {
        let mut text = Vec::new();
        clap_mangen::Man::new(cookc).render(&mut text).context("cannot make the page")?;
        return console::data(&String::from_utf8_lossy(&text));
    };
    let cannot = || format!("cannot write the pages into {}", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    cookc.build();
    let count = pages(&cookc);
    clap_mangen::generate_to(cookc, folder).with_context(cannot)?;
    console::print(&format!("wrote {count} pages into {}\n", folder.display()))
}

/// A page for a command, and for each below it.
fn pages(command: &clap::Command) -> usize {
    1 + command.get_subcommands().map(pages).sum::<usize>()
}
