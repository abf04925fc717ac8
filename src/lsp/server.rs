//! The open documents, and what is known of them.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lsp_server::{ErrorCode, ResponseError};
use lsp_types::{
    ClientCapabilities, PublishDiagnosticsParams, TextDocumentContentChangeEvent, Uri,
};

use super::analysis::Analysis;
use super::text::{Encoding, Text};
use super::{diagnostics, place};
use crate::data::vocab::Vocabulary;
use crate::source::Source;
use crate::stdlib;

/// What the server asks of the machine that it runs on.
#[derive(Clone, Copy)]
pub struct Outside {
    /// The text of a file beside a template: the template's folder, and the path as written.
    pub read: fn(Option<&Path>, &str) -> Result<String, String>,
    /// The `.cook` files of a folder.
    pub list: fn(&Path) -> Vec<PathBuf>,
    /// The folder with the built-in files as files that an editor can open; made where it is not.
    pub library: fn() -> Option<PathBuf>,
    /// Takes a line for the log, which an editor shows where it is asked to.
    pub log: fn(&str),
}

impl Outside {
    /// A machine without files.
    pub fn nothing() -> Outside {
        Outside {
            read: |_, _| Err("there are no files here".into()),
            list: |_| Vec::new(),
            library: || None,
            log: |_| (),
        }
    }
}

/// An answer, or why there is none.
pub type Answer<T> = Result<T, ResponseError>;

/// What cannot be done, with the reason for the user.
pub fn refused(reason: impl Into<String>) -> ResponseError {
    let code = ErrorCode::RequestFailed as i32;
    ResponseError { code, message: reason.into(), data: None }
}

/// A text of more bytes than this is not checked as it is typed.
const BYTES_MAX: usize = 4 << 20;

/// The state of a server: takes requests and notifications, and never waits.
pub struct Server {
    pub(super) outside: Outside,
    pub(super) client: Client,
    documents: BTreeMap<String, Document>,
    words: OnceCell<Rc<Vocabulary>>,
    /// Documents that were closed since diagnostics were reported last.
    closed: Vec<Uri>,
    /// How many samples of a document and level were shown.
    pub(super) shown: BTreeMap<(String, String), u64>,
}

/// What the client can do.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub encoding: Encoding,
    pub nested_symbols: bool,
    pub snippets: bool,
}

/// An open document.
struct Document {
    uri: Uri,
    version: i32,
    text: Text,
    analysis: OnceCell<Rc<Analysis>>,
    /// True once its diagnostics were reported.
    is_told: bool,
}

impl Server {
    /// A server that has no documents open.
    pub fn new(outside: Outside) -> Server {
        let (client, documents) = (Client::default(), BTreeMap::new());
        let (words, closed, shown) = (OnceCell::new(), Vec::new(), BTreeMap::new());
        Server { outside, client, documents, words, closed, shown }
    }

    /// Notes what the client can do.
    pub(super) fn meet(&mut self, client: &ClientCapabilities) {
        let general = client.general.as_ref();
        let offered = general.and_then(|general| general.position_encodings.as_deref());
        let documents = client.text_document.as_ref();
        let symbols = documents.and_then(|all| all.document_symbol.as_ref());
        let item = documents.and_then(|all| all.completion.as_ref()?.completion_item.as_ref());
        self.client = Client {
            encoding: Encoding::negotiate(offered),
            nested_symbols: symbols
                .is_some_and(|it| it.hierarchical_document_symbol_support == Some(true)),
            snippets: item.is_some_and(|it| it.snippet_support == Some(true)),
        };
    }

    /// Opens a document, or sets the text of one that is open.
    pub fn open(&mut self, uri: Uri, version: i32, text: &str) {
        let text = Text::new(self.name(&uri, text), self.client.encoding);
        let key = uri.as_str().to_string();
        let document = Document { uri, version, text, analysis: OnceCell::new(), is_told: false };
        self.documents.insert(key.clone(), document);
        self.touched(&key);
    }

    /// Makes changes one after the other. A document that is not open stays so.
    pub fn change(&mut self, uri: &Uri, version: i32, changes: &[TextDocumentContentChangeEvent]) {
        let Some(document) = self.documents.get_mut(uri.as_str()) else { return };
        document.version = version;
        for change in changes {
            document.text = match change.range {
                Some(range) => document.text.edited(range, &change.text),
                None => {
                    let name = document.text.source.name.clone();
                    let source = Source { name, text: change.text.as_str().into() };
                    Text::new(source, document.text.encoding())
                }
            };
        }
        self.touched(uri.as_str());
    }

    /// Closes a document: the file on disk counts again, and nothing is reported about it any more.
    pub fn close(&mut self, uri: &Uri) {
        if self.documents.remove(uri.as_str()).is_some() {
            self.closed.push(uri.clone());
            self.touched(uri.as_str());
        }
    }

    /// Forgets what was learnt from files: some of them changed.
    pub fn files_changed(&mut self) {
        for document in self.documents.values_mut() {
            document.analysis = OnceCell::new();
            document.is_told = false;
        }
    }

    /// The diagnostics of the documents that changed since they were reported last; none of one
    /// that was closed.
    pub fn news(&mut self) -> Vec<PublishDiagnosticsParams> {
        let keys: Vec<String> = self.documents.keys().cloned().collect();
        let mut news: Vec<PublishDiagnosticsParams> = Vec::new();
        for uri in std::mem::take(&mut self.closed) {
            if !self.documents.contains_key(uri.as_str()) {
                news.push(PublishDiagnosticsParams { uri, diagnostics: Vec::new(), version: None });
            }
        }
        for key in keys {
            let document = &self.documents[&key];
            if document.is_told {
                continue;
            }
            let analysis = self.analysis_of(document);
            // The signatures of the natives are right where they stand, and nowhere else.
            let diagnostics = match document.text.str() == stdlib::BUILTIN {
                true => Vec::new(),
                false => diagnostics::diagnostics(&analysis),
            };
            let (uri, version) = (document.uri.clone(), Some(document.version));
            news.push(PublishDiagnosticsParams { uri, diagnostics, version });
            if let Some(document) = self.documents.get_mut(&key) {
                document.is_told = true;
            }
        }
        news
    }

    /// The text of an open document.
    pub fn text(&self, uri: &Uri) -> Option<&str> {
        self.documents.get(uri.as_str()).map(|document| document.text.str())
    }

    /// What is known of an open document.
    pub(super) fn analysis(&self, uri: &Uri) -> Answer<Rc<Analysis>> {
        match self.documents.get(uri.as_str()) {
            Some(document) => Ok(self.analysis_of(document)),
            None => {
                let code = ErrorCode::InvalidParams as i32;
                let message = format!("{} is not open", uri.as_str());
                Err(ResponseError { code, message, data: None })
            }
        }
    }

    /// What is known of a document, open or not, whose text holds these words.
    pub(super) fn look(&self, uri: &Uri, path: &Path, words: &str) -> Option<Rc<Analysis>> {
        let is_it = |document: &&Document| place::path(&document.uri).as_deref() == Some(path);
        if let Some(document) = self.documents.values().find(is_it) {
            return document.text.str().contains(words).then(|| self.analysis_of(document));
        }
        let text = self.read(uri, path.file_name()?.to_str()?).ok()?;
        if !text.contains(words) {
            return None;
        }
        let text = Text::new(self.name(uri, &text), self.client.encoding);
        Some(Rc::new(self.analyse(uri, text)))
    }

    /// The text of a file beside a document: as it is in the editor if it is open there.
    pub(super) fn read(&self, uri: &Uri, path: &str) -> Result<String, String> {
        let folder = self.folder(uri);
        if let Some(full) = folder.as_ref().map(|folder| folder.join(path)) {
            let is_it = |document: &&Document| place::path(&document.uri).as_ref() == Some(&full);
            if let Some(document) = self.documents.values().find(is_it) {
                return Ok(document.text.str().to_string());
            }
        }
        (self.outside.read)(folder.as_deref(), path)
    }

    /// The folder of a document that is a file.
    pub(super) fn folder(&self, uri: &Uri) -> Option<PathBuf> {
        place::path(uri)?.parent().map(Path::to_path_buf)
    }

    /// The words that templates are checked with.
    pub(super) fn words(&self) -> &Rc<Vocabulary> {
        self.words.get_or_init(|| Rc::new(Vocabulary::embedded()))
    }

    fn analysis_of(&self, document: &Document) -> Rc<Analysis> {
        let analyse = || Rc::new(self.analyse(&document.uri, document.text.clone()));
        document.analysis.get_or_init(analyse).clone()
    }

    fn analyse(&self, uri: &Uri, text: Text) -> Analysis {
        let text = match text.str().len() > BYTES_MAX {
            true => Text::new(Source { text: "".into(), ..text.source.clone() }, text.encoding()),
            false => text,
        };
        let read = |path: &str| self.read(uri, path);
        let folder = self.folder(uri);
        Analysis::new(uri.clone(), text, folder.as_deref(), self.words().clone(), &read)
    }

    /// What a document's text is called.
    fn name(&self, uri: &Uri, text: &str) -> Source {
        let path = place::path(uri);
        let name = path.as_deref().and_then(Path::to_str).unwrap_or(uri.as_str());
        Source::new(name, text)
    }

    /// Forgets what is known of a document, and of those that read its file.
    fn touched(&mut self, key: &str) {
        let path = key.parse().ok().and_then(|uri| place::path(&uri));
        for (other, document) in &mut self.documents {
            let read = |analysis: &Rc<Analysis>| {
                path.as_ref().is_some_and(|path| analysis.reads.contains(path))
            };
            if other == key || document.analysis.get().is_some_and(read) {
                document.analysis = OnceCell::new();
                document.is_told = false;
            }
        }
    }
}
