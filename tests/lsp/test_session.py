"""One editing session over every feature of `cookc lsp`, with the client of pytest-lsp."""

import os
import pathlib

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

TEXT = """\
/// Find what surrounds the question. \U0001d11e
use tokens: overlap

/// How long the document is.
param length in 64..512 = 96
level hard: length = 400

document ~ distinct(length, vocab)
question ~ span(4, document)
answer   = around(2, question, document)

rule verbatim: all word in answer: word in document
rule on_point: overlap(question, answer) == 4

prompt \"\"\"
  \U0001d11e {document} é {question}
  \"\"\"
reply "{answer}"
"""


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=[os.environ["COOKC"], "lsp"]),
)
async def client(lsp_client: LanguageClient):
    params = lsp.InitializeParams(capabilities=client_capabilities("visual-studio-code"))
    answer = await lsp_client.initialize_session(params)
    lsp_client.capabilities = answer.capabilities
    yield
    await lsp_client.shutdown_session()


def place(needle: str, nth: int = 0, text: str = TEXT) -> lsp.Position:
    """The position of the nth occurrence, in UTF-16."""
    byte = -1
    for _ in range(nth + 1):
        byte = text.index(needle, byte + 1)
    before = text[:byte]
    line = before[before.rfind("\n") + 1 :]
    return lsp.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)


def edited(text: str, edits) -> str:
    """The text after edits that do not overlap."""

    def offset(position: lsp.Position) -> int:
        start = sum(len(line) for line in text.splitlines(keepends=True)[: position.line])
        units = 0
        for at, letter in enumerate(text[start:]):
            if units == position.character:
                return start + at
            units += len(letter.encode("utf-16-le")) // 2
        return len(text)

    for edit in sorted(edits, key=lambda it: offset(it.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_session(client: LanguageClient, tmp_path: pathlib.Path):
    uri = (tmp_path / "retrieval.cook").as_uri()
    document = lsp.TextDocumentIdentifier(uri)

    async def change(version: int, text: str, span: lsp.Range | None = None):
        change = (
            lsp.TextDocumentContentChangePartial(range=span, text=text)
            if span
            else lsp.TextDocumentContentChangeWholeDocument(text=text)
        )
        client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version, uri), [change]
            )
        )
        await client.wait_for_notification("textDocument/publishDiagnostics")
        return client.diagnostics[uri]

    client.text_document_did_open(
        lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "cook", 1, TEXT))
    )
    await client.wait_for_notification("textDocument/publishDiagnostics")
    assert list(client.diagnostics[uri]) == []

    # A letter is taken out of a name that stands behind a sign of two units, then fixed.
    start = place("{document}")
    gone = lsp.Range(
        lsp.Position(start.line, start.character + 6), lsp.Position(start.line, start.character + 7)
    )
    (fault,) = await change(2, "", gone)
    assert fault.code == "E201"
    assert fault.range.start == lsp.Position(start.line, start.character + 1)
    (action,) = await client.text_document_code_action_async(
        lsp.CodeActionParams(document, fault.range, lsp.CodeActionContext([fault]))
    )
    broken = TEXT.replace("{document}", "{documnt}")
    mended = edited(broken, action.edit.changes[uri])
    assert mended == TEXT
    assert list(await change(3, mended)) == []

    def at(needle, nth=0):
        return {"text_document": document, "position": place(needle, nth)}

    hover = await client.text_document_hover_async(lsp.HoverParams(**at("document ~")))
    assert "document: [Token]" in hover.contents.value
    assert "parent" in hover.contents.value and "400 elements" in hover.contents.value

    found = await client.text_document_definition_async(lsp.DefinitionParams(**at("document", 2)))
    assert found.range.start == place("document ~")
    found = await client.text_document_definition_async(lsp.DefinitionParams(**at("overlap(")))
    assert found.uri.endswith("tokens.cook")

    places = await client.text_document_references_async(
        lsp.ReferenceParams(context=lsp.ReferenceContext(True), **at("answer"))
    )
    assert len(places) == 4

    assert await client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**at("answer")))
    edit = await client.text_document_rename_async(lsp.RenameParams(new_name="found", **at("answer")))
    renamed = edited(TEXT, edit.changes[uri])
    assert 'reply "{found}"' in renamed and "answer" not in renamed
    assert list(await change(4, renamed)) == []
    assert list(await change(5, TEXT)) == []
    with pytest.raises(Exception, match="the name `document` is taken"):
        await client.text_document_rename_async(
            lsp.RenameParams(new_name="document", **at("answer"))
        )

    # A line that is not finished.
    line = "head = take(1, "
    unfinished = TEXT.replace("rule verb", line + "\nrule verb")
    await change(6, unfinished)
    end = place(line, 0, unfinished)
    end = {
        "text_document": document,
        "position": lsp.Position(end.line, end.character + len(line)),
    }
    items = await client.text_document_completion_async(lsp.CompletionParams(**end))
    labels = [item.label for item in items]
    assert labels[:3] == ["answer", "question", "document"] and "reverse" in labels
    assert "distinct" not in labels
    help = await client.text_document_signature_help_async(lsp.SignatureHelpParams(**end))
    assert help.signatures[0].label == "fn take(n: Int, xs: [T]) -> [T]"
    assert help.active_parameter == 1
    symbols = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))
    assert {"length", "document", "verbatim", "reply"} <= {symbol.name for symbol in symbols}
    assert list(await change(7, TEXT)) == []

    tokens = await client.text_document_semantic_tokens_full_async(
        lsp.SemanticTokensParams(document)
    )
    legend = client.capabilities.semantic_tokens_provider.legend.token_types
    kinds = {legend[kind] for kind in tokens.data[3::5]}
    assert {"keyword", "variable", "function", "string", "comment", "parameter"} <= kinds

    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
    hints = await client.text_document_inlay_hint_async(lsp.InlayHintParams(document, whole))
    assert [hint.label for hint in hints] == ["parent", "child", "output"]

    await change(8, TEXT.replace("answer   =", "answer="))
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    edits = await client.text_document_formatting_async(
        lsp.DocumentFormattingParams(document, options)
    )
    assert edited(TEXT.replace("answer   =", "answer="), edits) == TEXT
    await change(9, TEXT)

    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(document))
    assert [lens.command.title for lens in lenses] == ["sample at hard", "sample"]
    samples = []
    for _ in range(2):
        command = lenses[1].command
        samples.append(
            await client.workspace_execute_command_async(
                lsp.ExecuteCommandParams(command.command, arguments=command.arguments)
            )
        )
    assert "verbatim 1" in samples[0] and "sample 1" in samples[1] and samples[0] != samples[1]
