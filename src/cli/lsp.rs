//! `cookc lsp`: the language server on standard input and output.

use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;
use clap::Args;

use super::{Failure, console};
use crate::disk::Pending;
use crate::lsp::{Ending, Outside, serve};
use crate::stdlib;
use crate::template;

const HELP: &str = r#"Examples:
  cookc lsp                 what an editor starts, and talks to over standard input and output

VS Code: install the extension of editors/vscode; it finds cookc in PATH.

Neovim 0.11 and later, in init.lua (older ones: editors/nvim has a plugin):
  vim.filetype.add({ extension = { cook = "cook" } })
  vim.lsp.config("cookc", { cmd = { "cookc", "lsp" }, filetypes = { "cook" } })
  vim.lsp.enable("cookc")

Helix, in languages.toml:
  [language-server.cookc]
  command = "cookc"
  args = ["lsp"]
  [[language]]
  name = "cook"
  scope = "source.cook"
  file-types = ["cook"]
  comment-token = "//"
  language-servers = ["cookc"]

Emacs 29 and later, in init.el:
  (define-derived-mode cook-mode prog-mode "Cook" (setq-local comment-start "// "))
  (add-to-list 'auto-mode-alist '("\\.cook\\'" . cook-mode))
  (with-eval-after-load 'eglot
    (add-to-list 'eglot-server-programs '(cook-mode "cookc" "lsp")))

Zed wants an extension for a new language. In it, extension.toml names the server:
  [language_servers.cookc]
  name = "cookc"
  languages = ["Cook"]
and its language_server_command returns the command cookc with the argument lsp."#;

/// Serve an editor: diagnostics, hover, completion and more while a template is written
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Lsp {
    /// What some editors add; there is no other way
    #[arg(long, hide = true)]
    stdio: bool,
}

/// Serves until the editor leaves. One that leaves without `shutdown` is a failure.
pub fn run(_: &Lsp) -> Result<(), Failure> {
    let outside = Outside { read: template::beside, list, library, log: console::note };
    let mut output = io::stdout().lock();
    let ending = serve(BufReader::new(io::stdin()), &mut output, outside);
    match ending.context("cannot talk to the editor")? {
        Ending::Orderly => Ok(()),
        Ending::Abrupt => Err(Failure::Shown),
    }
}

/// The `.cook` files of a folder, in order, up to a limit.
fn list(folder: &Path) -> Vec<PathBuf> {
    const FILES_MAX: usize = 1000;
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let is_cook = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "cook");
    let mut paths: Vec<PathBuf> = paths.filter(is_cook).take(FILES_MAX).collect();
    paths.sort();
    paths
}

/// The folder with the built-in files, for an editor to open; written once a run.
fn library() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| written(cache()?).ok()).clone()
}

fn written(folder: PathBuf) -> io::Result<PathBuf> {
    std::fs::create_dir_all(&folder)?;
    let builtin = ("builtin", stdlib::BUILTIN);
    let files = [builtin].into_iter().chain(stdlib::MODULES.iter().copied());
    let cook = files.chain(stdlib::TEMPLATES.iter().copied());
    let cook = cook.map(|(name, text)| (format!("{name}.cook"), text));
    let others = stdlib::NEIGHBOURS.iter().map(|(name, text)| (name.to_string(), *text));
    for (name, text) in cook.chain(others) {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        let mut pending = Pending::create(&path)?;
        pending.write_all(text.as_bytes())?;
        let mut permissions = pending.file().metadata()?.permissions();
        permissions.set_readonly(true);
        pending.file().set_permissions(permissions)?;
        pending.finish()?;
    }
    Ok(folder)
}

/// The user's cache, a folder a version: `~/.cache/cookc/0.1.0`.
fn cache() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let absolute = |path: &PathBuf| path.is_absolute();
    let base = variable("XDG_CACHE_HOME")
        .filter(absolute)
        .or_else(|| variable("LOCALAPPDATA").filter(absolute))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")).filter(absolute))?;
    Some(base.join("cookc").join(env!("CARGO_PKG_VERSION")))
}
