//! Machine code for this processor: compiled from the steps, owned, called and freed here.

use std::sync::Arc;

use anyhow::Context as _;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, default_libcall_names};

use crate::engine::emit::Part;
use crate::engine::memory::fingerprint;
use crate::engine::{Emit, Engine, begin, emit, judge};
use crate::ir::Program;
use crate::runtime::random::Stream;
use crate::runtime::{Fault, Memory};

/// The machine code of a function that [`emit`] wrote: pointers to the memory, its cells, its
/// frame, its streams and their keys.
///
/// # Safety
/// The memory must be one of the program that was compiled, which [`Native::call`] checks.
type Code =
    unsafe extern "C" fn(*mut Memory, *mut i64, *mut i64, *mut Stream, *const [u64; 4]) -> i64;

/// A program as machine code.
pub(super) struct Native {
    program: Arc<Program>,
    fingerprint: u64,
    sample: Code,
    rules: Vec<Code>,
    /// Owns the code; `Some` until it is dropped.
    module: Option<JITModule>,
}

// SAFETY: after `compile` nothing changes the module or the code in it, and all that the code
// changes is in the memory that a call brings.
unsafe impl Send for Native {}
// SAFETY: as above.
unsafe impl Sync for Native {}

/// Compiles a program.
pub(super) fn compile(program: Arc<Program>) -> anyhow::Result<Native> {
    let builder = JITBuilder::with_isa(isa()?, default_libcall_names());
    let mut module = JITModule::new(builder);
    let mut context = FunctionBuilderContext::new();
    let mut ids = Vec::new();
    for part in parts(&program) {
        ids.push(define(&mut module, &program, part, &mut context)?);
    }
    module.finalize_definitions().context("cannot make the machine code ready to run")?;
    let mut codes = ids.into_iter().map(|id| {
        let address = module.get_finalized_function(id);
        // SAFETY: `define` gave the function the signature that `Code` describes.
        unsafe { std::mem::transmute::<*const u8, Code>(address) }
    });
    let sample = codes.next().expect("the first part makes the sample");
    let rules = codes.collect();
    let fingerprint = fingerprint(&program);
    Ok(Native { program, fingerprint, sample, rules, module: Some(module) })
}

/// Shows the code of a program, function by function.
pub(super) fn text(program: &Program, form: Emit) -> anyhow::Result<String> {
    let isa = isa()?;
    let mut context = FunctionBuilderContext::new();
    let mut text = String::new();
    for part in parts(program) {
        let function = emit::function(program, &part, &*isa, &mut context);
        text.push_str(&format!("; {}\n", part.name));
        match form {
            Emit::Clif => text.push_str(&function.display().to_string()),
            Emit::Asm => {
                let mut context = cranelift_codegen::Context::for_function(function);
                context.set_disasm(true);
                let code = context.compile(&*isa, &mut Default::default());
                let code = code.map_err(|error| anyhow::anyhow!("{:?}", error.inner))?;
                text.push_str(code.vcode.as_deref().expect("disassembly was asked for"));
            }
        }
        text.push('\n');
    }
    Ok(text)
}

/// The sample, then each rule. What bounds prove holds for samples; a rule judges replies too.
fn parts(program: &Program) -> impl Iterator<Item = Part<'_>> {
    let sample =
        Part { name: "sample", steps: program.sample.clone(), result: None, trusts_proofs: true };
    let rules = program.rules.iter().map(|rule| Part {
        name: &rule.name,
        steps: rule.steps.clone(),
        result: Some(rule.score),
        trusts_proofs: false,
    });
    std::iter::once(sample).chain(rules)
}

fn define(
    module: &mut JITModule,
    program: &Program,
    part: Part,
    builder: &mut FunctionBuilderContext,
) -> anyhow::Result<FuncId> {
    let mut context = module.make_context();
    context.func = emit::function(program, &part, module.isa(), builder);
    let id = module.declare_anonymous_function(&context.func.signature)?;
    let defined = module.define_function(id, &mut context);
    defined.with_context(|| format!("cannot compile `{}` of `{}`", part.name, program.name))?;
    Ok(id)
}

/// This processor, with the settings that measured best.
fn isa() -> anyhow::Result<OwnedTargetIsa> {
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verifier),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("enable_probestack", "false"),
        ("unwind_info", "false"),
    ] {
        flags.set(name, value).with_context(|| format!("cranelift has no setting `{name}`"))?;
    }
    let builder = cranelift_native::builder()
        .map_err(|why| anyhow::anyhow!("no machine code can be made for this processor: {why}"))?;
    Ok(builder.finish(settings::Flags::new(flags))?)
}

impl Engine for Native {
    fn program(&self) -> &Arc<Program> {
        &self.program
    }

    fn sample(&self, memory: &mut Memory, index: u64) -> Result<(), Fault> {
        begin(memory, self.fingerprint, index);
        self.call(self.sample, memory).map(|_| ())
    }

    fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>) {
        judge(&self.program, self.fingerprint, memory, scores, |memory, at| {
            self.call(self.rules[at], memory)
        });
    }
}

impl Native {
    fn call(&self, code: Code, memory: &mut Memory) -> Result<i64, Fault> {
        let memory: *mut Memory = memory;
        // What the code reads and writes lies in the memory's four vectors, none of which grows.
        // Handles are made by the runtime or looked at by `Memory::bind`, and an index is compared
        // with its list's size unless `ir` proved it. Where lists are worked on in steps, the last
        // step ends within the `SLACK_CELLS` that follow the last list's room.
        // SAFETY: `memory` comes from a reference that lives through the call, and belongs to this
        // program (`begin` and `judge` look), so the frame, the streams and their keys have the
        // places that the code names. What the code calls gets the memory back as the only
        // reference, and does not unwind. The code lives as long as `self`.
        let cell = unsafe {
            let cells = (*memory).arena.cells.as_mut_ptr();
            let frame = (*memory).frame.as_mut_ptr();
            let streams = (*memory).streams.as_mut_ptr();
            let keys = (*memory).keys.as_ptr();
            code(memory, cells, frame, streams, keys)
        };
        // SAFETY: the code has returned, so this is the only reference again.
        match unsafe { (*memory).take_fault() } {
            Some(fault) => Err(fault),
            None => Ok(cell),
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let module = self.module.take().expect("a module is dropped once");
        // SAFETY: the only pointers into the code are `sample` and `rules`, private to `self`,
        // and no thread calls them while `self` is dropped.
        unsafe { module.free_memory() }
    }
}
