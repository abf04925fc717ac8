//! Machine code for this processor: compiled from the steps, owned, called and freed here.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, default_libcall_names};

use crate::engine::emit::Part;
use crate::engine::interpret::Interpreter;
use crate::engine::memory::fingerprint;
use crate::engine::{Emit, Engine, begin, emit, give, judge};
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
    isa: OwnedTargetIsa,
    sample: Codes,
    /// Compiled when they are first needed: most samples are never judged, and only records need
    /// what is given. None if that fails.
    rules: OnceLock<Option<Codes>>,
    given: OnceLock<Option<Codes>>,
}

/// Functions that were compiled together.
struct Codes {
    all: Vec<Code>,
    /// Owns the code; `Some` until it is dropped.
    module: Option<JITModule>,
}

// SAFETY: after `codes` nothing changes the module or the code in it, and all that the code
// changes is in the memory that a call brings.
unsafe impl Send for Codes {}
// SAFETY: as above.
unsafe impl Sync for Codes {}

/// Compiles a program.
pub(super) fn compile(program: Arc<Program>) -> anyhow::Result<Native> {
    let mut context = FunctionBuilderContext::new();
    let isa = isa()?;
    let sample = codes(&program, &isa, std::iter::once(sample(&program)), &mut context)?;
    let (rules, given) = (OnceLock::new(), OnceLock::new());
    let fingerprint = fingerprint(&program);
    Ok(Native { isa, fingerprint, sample, rules, given, program })
}

/// Compiles some parts of a program.
fn codes<'p>(
    program: &Program,
    isa: &OwnedTargetIsa,
    parts: impl Iterator<Item = Part<'p>>,
    context: &mut FunctionBuilderContext,
) -> anyhow::Result<Codes> {
    let builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    let mut module = JITModule::new(builder);
    let mut ids = Vec::new();
    for part in parts {
        ids.push(define(&mut module, program, part, context)?);
    }
    module.finalize_definitions().context("cannot make the machine code ready to run")?;
    let code = |id| {
        let address = module.get_finalized_function(id);
        // SAFETY: `define` gave the function the signature that `Code` describes.
        unsafe { std::mem::transmute::<*const u8, Code>(address) }
    };
    let all = ids.into_iter().map(code).collect();
    Ok(Codes { all, module: Some(module) })
}

/// Shows the code of a program, function by function.
pub(super) fn text(program: &Program, form: Emit) -> anyhow::Result<String> {
    let isa = isa()?;
    let mut context = FunctionBuilderContext::new();
    let mut text = String::new();
    for part in std::iter::once(sample(program)).chain(rules(program)) {
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

/// What makes a sample. What bounds prove holds for it.
fn sample(program: &Program) -> Part<'_> {
    Part { name: "sample", steps: program.sample.clone(), result: None, trusts_proofs: true }
}

/// Each rule, which judges replies too.
fn rules(program: &Program) -> impl Iterator<Item = Part<'_>> {
    program.rules.iter().map(|rule| Part {
        name: &rule.name,
        steps: rule.steps.clone(),
        result: Some(rule.score),
        trusts_proofs: false,
    })
}

/// What makes each given value of a record.
fn given(program: &Program) -> impl Iterator<Item = Part<'_>> {
    program.given.iter().map(|given| Part {
        name: "given",
        steps: given.steps.clone(),
        result: None,
        trusts_proofs: false,
    })
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
        self.call(self.sample.all[0], memory).map(|_| ())
    }

    fn give(&self, memory: &mut Memory) {
        let Some(given) = self.given.get_or_init(|| self.later(given(&self.program))) else {
            return Interpreter::new(self.program.clone()).give(memory);
        };
        give(&self.program, self.fingerprint, memory, |memory, at| {
            self.call(given.all[at], memory).map(|_| ())
        });
    }

    fn judge(&self, memory: &mut Memory, scores: &mut Vec<f64>) {
        let Some(rules) = self.rules.get_or_init(|| self.later(rules(&self.program))) else {
            return Interpreter::new(self.program.clone()).judge(memory, scores);
        };
        judge(&self.program, self.fingerprint, memory, scores, |memory, at| {
            self.call(rules.all[at], memory)
        });
    }
}

impl Native {
    fn later<'p>(&self, parts: impl Iterator<Item = Part<'p>>) -> Option<Codes> {
        codes(&self.program, &self.isa, parts, &mut FunctionBuilderContext::new()).ok()
    }

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

impl Drop for Codes {
    fn drop(&mut self) {
        let module = self.module.take().expect("a module is dropped once");
        // SAFETY: the only pointers into the code are `all`, private to this module and to the
        // engine that is dropped with them: no thread calls them then.
        unsafe { module.free_memory() }
    }
}
