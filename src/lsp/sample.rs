//! The command of a lens: another sample of an open document at each call.

use serde_json::Value;

use super::hints::SAMPLE;
use super::server::{Answer, Server, refused};
use crate::data::preview;

impl Server {
    /// Runs a command; `cookc.sample` returns its text.
    pub(super) fn execute(&mut self, command: &str, arguments: &[Value]) -> Answer<Value> {
        if command != SAMPLE {
            return Err(refused(format!("there is no command `{command}`: {SAMPLE} is the one")));
        }
        let text = |at: usize| arguments.get(at).and_then(Value::as_str);
        let uri = text(0).and_then(|uri| uri.parse().ok());
        let uri = uri.ok_or_else(|| refused("the first argument is the URI of a document"))?;
        let level = text(1).unwrap_or("");
        let analysis = self.analysis(&uri)?;
        let diagnostics = analysis.diagnostics();
        if !(analysis.is_whole && analysis.survey.is_sound) {
            let first = diagnostics.first().map_or("it is no template", |one| &one.title);
            return Err(refused(format!("no sample can be made: {first}")));
        }
        let key = (uri.as_str().to_string(), level.to_string());
        let index = *self.shown.get(&key).unwrap_or(&0);
        let words = (**self.words()).clone();
        let sample = preview::sample(&analysis.survey.template, level, words, index);
        let sample =
            sample.map_err(|reason| refused(format!("no sample can be made: {reason}")))?;
        self.shown.insert(key, index + 1);
        Ok(Value::String(sample))
    }
}
