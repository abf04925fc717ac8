//! Where a name is bound and where it stands.

use std::rc::Rc;

use lsp_types::{DocumentHighlight, DocumentHighlightKind, Location, TextEdit, Uri};

use super::analysis::Analysis;
use super::server::{Answer, Server, refused};
use super::text::Text;
use super::{place, rename};
use crate::check::index::{Definition, Named};
use crate::source::{Source, Span};

impl Server {
    /// Where the name at a byte is bound, also in another file.
    pub(super) fn definition(&self, analysis: &Analysis, byte: usize) -> Option<Location> {
        let (_, id) = analysis.name_at(byte)?;
        let definition = analysis.definition(id);
        match &definition.home {
            Some(home) => {
                let uri = self.home(analysis, home)?;
                let text = Text::new(home.clone(), analysis.text.encoding());
                Some(Location::new(uri, text.range(definition.span)))
            }
            // The pool of the run is bound nowhere.
            None if definition.span == Span::default() => None,
            None => Some(Location::new(analysis.uri.clone(), analysis.text.range(definition.span))),
        }
    }

    /// Every place of the name at a byte, in this document and in the files beside it.
    pub(super) fn references(
        &self,
        analysis: &Rc<Analysis>,
        byte: usize,
        declaration: bool,
    ) -> Vec<Location> {
        let Some((_, id)) = analysis.name_at(byte) else { return Vec::new() };
        let mut found = Vec::new();
        for (analysis, id) in self.holders(analysis, id) {
            let is_bound = |place: &Span| bound_here(&analysis, id) == Some(*place);
            let places = analysis.survey.index.places(id);
            let wanted = places.filter(|place| declaration || !is_bound(place));
            found.extend(
                wanted.map(|place| Location::new(analysis.uri.clone(), analysis.text.range(place))),
            );
        }
        found
    }

    /// The edits that rename what is at a byte, by the documents that they change. All renamed
    /// texts are checked together: a name that is taken is refused with the checker's own words.
    pub(super) fn rename(
        &self,
        analysis: &Rc<Analysis>,
        byte: usize,
        new: &str,
    ) -> Answer<Vec<(Uri, Vec<TextEdit>)>> {
        let (_, id) = rename::renamable(analysis, byte).map_err(refused)?;
        rename::refuse_no_name(new).map_err(refused)?;
        let holders = self.holders(analysis, id).into_iter().map(|(holder, id)| {
            let places: Vec<Span> = holder.survey.index.places(id).collect();
            let text = rename::renamed(holder.source(), &places, new);
            (place::path(&holder.uri), holder, places, text)
        });
        let holders: Vec<_> = holders.collect();
        let mut edits = Vec::new();
        for (_, holder, places, text) in &holders {
            let read = |path: &str| {
                let full = self.folder(&holder.uri).map(|folder| folder.join(path));
                let renamed = holders.iter().find(|(other, ..)| full.is_some() && *other == full);
                match renamed {
                    Some((.., text)) => Ok(text.text.to_string()),
                    None => self.read(&holder.uri, path),
                }
            };
            rename::refuse_new_errors(holder, text, &read).map_err(refused)?;
            let edit = |span: &Span| TextEdit::new(holder.text.range(*span), new.to_string());
            edits.push((holder.uri.clone(), places.iter().map(edit).collect()));
        }
        Ok(edits)
    }

    /// The documents in which the definition has a name, each with its id there: this one, the one
    /// it is at home in, and the files beside it that take it with `use`.
    fn holders(&self, analysis: &Rc<Analysis>, id: usize) -> Vec<(Rc<Analysis>, usize)> {
        let mut found = vec![(analysis.clone(), id)];
        let definition = analysis.definition(id);
        let is_own = matches!(definition.kind, Named::Inner | Named::Argument | Named::Rule);
        let (Some(folder), Some(own)) = (self.folder(&analysis.uri), place::path(&analysis.uri))
        else {
            return found;
        };
        let home = match &definition.home {
            Some(home) if home.name.starts_with("std:") => return found,
            _ if is_own || definition.span == Span::default() => return found,
            Some(home) => folder.join(&*home.name),
            None => own.clone(),
        };
        let stem = home.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        for path in (self.outside.list)(&folder).into_iter().filter(|path| *path != own) {
            let Some(uri) = place::uri(&path) else { continue };
            // Most files beside a template have nothing to do with it.
            let Some(other) = self.look(&uri, &path, if path == home { "" } else { stem }) else {
                continue;
            };
            let is_it = |other: &Definition| {
                let its_home = match &other.home {
                    Some(source) => folder.join(&*source.name),
                    None => path.clone(),
                };
                other.span == definition.span && other.name == definition.name && its_home == home
            };
            let known = other.survey.index.definitions.iter().position(is_it);
            found.extend(known.map(|id| (other, id)));
        }
        found
    }

    /// The document that holds a source: a file beside this one, or a built-in text on disk.
    fn home(&self, analysis: &Analysis, home: &Source) -> Option<Uri> {
        if let Some(name) = home.name.strip_prefix("std:") {
            return place::uri(&(self.outside.library)()?.join(format!("{name}.cook")));
        }
        place::uri(&self.folder(&analysis.uri)?.join(&*home.name))
    }
}

/// The places of the name at a byte in this document: where it is bound, and where it is read.
pub fn highlights(analysis: &Analysis, byte: usize) -> Vec<DocumentHighlight> {
    let Some((_, id)) = analysis.name_at(byte) else { return Vec::new() };
    let bound = bound_here(analysis, id);
    let highlight = |place: Span| DocumentHighlight {
        range: analysis.text.range(place),
        kind: Some(match bound == Some(place) {
            true => DocumentHighlightKind::WRITE,
            false => DocumentHighlightKind::READ,
        }),
    };
    analysis.survey.index.places(id).map(highlight).collect()
}

/// Where a name is bound, if that is in this document.
fn bound_here(analysis: &Analysis, id: usize) -> Option<Span> {
    let definition = analysis.definition(id);
    definition.home.is_none().then_some(definition.span)
}
