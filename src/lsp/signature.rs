//! The call that the cursor is in, and which of its values is being written.

use lsp_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp,
    SignatureInformation,
};

use super::analysis::Analysis;
use super::context::Context;
use super::describe::{self, REPEAT};

/// Help with the innermost call around a byte.
pub fn help(analysis: &Analysis, byte: usize) -> Option<SignatureHelp> {
    let context = Context::at(analysis, byte)?;
    let (name, commas) = context.call()?;
    let name = analysis.token(name);
    let (label, places, docs) = match analysis.survey.index.functions.get(name) {
        Some(function) => {
            let (label, places) = describe::signature(function);
            (label, places, function.docs.join("\n"))
        }
        None if name == "repeat" => (REPEAT.0.into(), vec![[10, 16], [18, 25]], REPEAT.1.into()),
        None => return None,
    };
    let parameters = places.iter().map(|place| ParameterInformation {
        label: ParameterLabel::LabelOffsets(*place),
        documentation: None,
    });
    let markup = MarkupContent { kind: MarkupKind::Markdown, value: docs };
    Some(SignatureHelp {
        signatures: vec![SignatureInformation {
            label,
            documentation: Some(Documentation::MarkupContent(markup)),
            parameters: Some(parameters.collect()),
            active_parameter: None,
        }],
        active_signature: Some(0),
        active_parameter: Some(commas as u32),
    })
}
