//! Which request is answered by what.

use lsp_server::{ErrorCode, ResponseError};
use lsp_types::notification::{self as told, Notification};
use lsp_types::request::{self as asked, Request};
use lsp_types::{
    CompletionResponse, GotoDefinitionResponse, SemanticTokens, SemanticTokensResult,
    TextDocumentPositionParams, WorkspaceEdit,
};
use serde_json::Value;

use super::server::{Answer, Server};
use super::{
    capabilities, complete, diagnostics, format, hints, hover, navigate, rename, signature,
    symbols, tokens,
};

impl Server {
    /// Answers a request.
    ///
    /// # Errors
    /// The protocol's error where the method is unknown or its parameters do not fit.
    pub fn request(&mut self, method: &str, params: Value) -> Answer<Value> {
        match method {
            asked::Initialize::METHOD => answer::<asked::Initialize>(params, |it| {
                self.meet(&it.capabilities);
                Ok(capabilities::initialized(self.client.encoding))
            }),
            asked::HoverRequest::METHOD => answer::<asked::HoverRequest>(params, |it| {
                self.at(&it.text_document_position_params, hover::hover)
            }),
            asked::GotoDefinition::METHOD => answer::<asked::GotoDefinition>(params, |it| {
                let place = it.text_document_position_params;
                let found = self.at(&place, |analysis, byte| self.definition(analysis, byte))?;
                Ok(found.map(GotoDefinitionResponse::Scalar))
            }),
            asked::DocumentHighlightRequest::METHOD => {
                answer::<asked::DocumentHighlightRequest>(params, |it| {
                    self.at(&it.text_document_position_params, navigate::highlights).map(Some)
                })
            }
            asked::SignatureHelpRequest::METHOD => {
                answer::<asked::SignatureHelpRequest>(params, |it| {
                    self.at(&it.text_document_position_params, signature::help)
                })
            }
            asked::Completion::METHOD => answer::<asked::Completion>(params, |it| {
                let items = self.at(&it.text_document_position, |analysis, byte| {
                    complete::complete(self, analysis, byte)
                })?;
                Ok(Some(CompletionResponse::Array(items)))
            }),
            _ => self.names(method, params),
        }
    }

    fn names(&mut self, method: &str, params: Value) -> Answer<Value> {
        match method {
            asked::References::METHOD => answer::<asked::References>(params, |it| {
                let place = it.text_document_position;
                let analysis = self.analysis(&place.text_document.uri)?;
                let byte = analysis.text.byte(place.position);
                Ok(Some(self.references(&analysis, byte, it.context.include_declaration)))
            }),
            asked::PrepareRenameRequest::METHOD => {
                answer::<asked::PrepareRenameRequest>(params, |it| {
                    let analysis = self.analysis(&it.text_document.uri)?;
                    // No message: editors ask this before they know whether a name is there.
                    Ok(rename::prepare(&analysis, it.position).ok())
                })
            }
            asked::Rename::METHOD => answer::<asked::Rename>(params, |it| {
                let place = it.text_document_position;
                let analysis = self.analysis(&place.text_document.uri)?;
                let byte = analysis.text.byte(place.position);
                let edits = self.rename(&analysis, byte, &it.new_name)?;
                // A `Uri` caches nothing that its hash depends on.
                #[allow(clippy::mutable_key_type)]
                let changes = edits.into_iter().collect();
                Ok(Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }))
            }),
            _ => self.whole(method, params),
        }
    }

    /// What is asked of a whole document.
    fn whole(&mut self, method: &str, params: Value) -> Answer<Value> {
        match method {
            asked::DocumentSymbolRequest::METHOD => {
                answer::<asked::DocumentSymbolRequest>(params, |it| {
                    let analysis = self.analysis(&it.text_document.uri)?;
                    Ok(Some(symbols::symbols(&analysis, self.client.nested_symbols)))
                })
            }
            asked::SemanticTokensFullRequest::METHOD => {
                answer::<asked::SemanticTokensFullRequest>(params, |it| {
                    let data = tokens::tokens(&*self.analysis(&it.text_document.uri)?);
                    let tokens = SemanticTokens { result_id: None, data };
                    Ok(Some(SemanticTokensResult::Tokens(tokens)))
                })
            }
            asked::Formatting::METHOD => answer::<asked::Formatting>(params, |it| {
                Ok(Some(format::edits(&*self.analysis(&it.text_document.uri)?)))
            }),
            asked::InlayHintRequest::METHOD => answer::<asked::InlayHintRequest>(params, |it| {
                let analysis = self.analysis(&it.text_document.uri)?;
                Ok(Some(hints::hints(&analysis, analysis.text.span(it.range))))
            }),
            asked::CodeActionRequest::METHOD => answer::<asked::CodeActionRequest>(params, |it| {
                let analysis = self.analysis(&it.text_document.uri)?;
                Ok(Some(diagnostics::actions(&analysis, analysis.text.span(it.range))))
            }),
            asked::CodeLensRequest::METHOD => answer::<asked::CodeLensRequest>(params, |it| {
                Ok(Some(hints::lenses(&*self.analysis(&it.text_document.uri)?)))
            }),
            asked::ExecuteCommand::METHOD => answer::<asked::ExecuteCommand>(params, |it| {
                self.execute(&it.command, &it.arguments).map(Some)
            }),
            _ => Err(unknown(method)),
        }
    }

    /// Takes a notification; an unknown one is ignored.
    ///
    /// # Errors
    /// The protocol's error where the parameters do not fit.
    pub fn notify(&mut self, method: &str, params: Value) -> Answer<()> {
        match method {
            told::DidOpenTextDocument::METHOD => {
                let it = read::<told::DidOpenTextDocument>(params)?.text_document;
                self.open(it.uri, it.version, &it.text);
            }
            told::DidChangeTextDocument::METHOD => {
                let it = read::<told::DidChangeTextDocument>(params)?;
                let document = it.text_document;
                self.change(&document.uri, document.version, &it.content_changes);
            }
            told::DidCloseTextDocument::METHOD => {
                self.close(&read::<told::DidCloseTextDocument>(params)?.text_document.uri);
            }
            told::DidSaveTextDocument::METHOD | told::DidChangeWatchedFiles::METHOD => {
                self.files_changed();
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks something of a place.
    fn at<T>(
        &self,
        place: &TextDocumentPositionParams,
        ask: impl FnOnce(&super::analysis::Analysis, usize) -> T,
    ) -> Answer<T> {
        let analysis = self.analysis(&place.text_document.uri)?;
        let byte = analysis.text.byte(place.position);
        Ok(ask(&analysis, byte))
    }
}

fn answer<R: Request>(
    params: Value,
    act: impl FnOnce(R::Params) -> Answer<R::Result>,
) -> Answer<Value> {
    let result = act(serde_json::from_value(params).map_err(misread)?)?;
    Ok(serde_json::to_value(result).expect("answers are plain data"))
}

fn read<N: Notification>(params: Value) -> Answer<N::Params> {
    serde_json::from_value(params).map_err(misread)
}

fn misread(error: serde_json::Error) -> ResponseError {
    let code = ErrorCode::InvalidParams as i32;
    ResponseError { code, message: error.to_string(), data: None }
}

fn unknown(method: &str) -> ResponseError {
    let code = ErrorCode::MethodNotFound as i32;
    ResponseError { code, message: format!("there is no request `{method}`"), data: None }
}
