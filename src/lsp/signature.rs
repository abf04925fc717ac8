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
    let index = &analysis.survey.index;
    let (label, places, docs) = match (index.functions.get(name), index.templates.get(name)) {
        (Some(function), _) => {
            let (label, places) = describe::signature(function);
            (label, places, function.docs.join("\n"))
        }
        (None, Some(taken)) => {
            let (label, places) = describe::template(name, &taken.template);
            (label, places, taken.template.docs.join("\n"))
        }
        (None, None) if name == "repeat" => {
            (REPEAT.0.into(), vec![[10, 16], [18, 25]], REPEAT.1.into())
        }
        (None, None) => return None,
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
