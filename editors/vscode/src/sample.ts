// Fresh samples of a template, shown in a document beside it.

import * as vscode from 'vscode';

export const SCHEME = 'cookc-sample';

/** The server's command; its result is the text of a sample. */
export const SERVER_COMMAND = 'cookc.sample';

/** The samples that were asked for, by the address of their document. */
export class Samples implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  /** Shows a sample beside the template; a second one takes the place of the first. */
  async show(template: string, answer: unknown): Promise<void> {
    const text = textOf(answer);
    if (text === undefined) {
      return;
    }
    const name = template.split('/').pop() ?? template;
    const uri = vscode.Uri.parse(`${SCHEME}:${name}.sample`);
    this.texts.set(uri.toString(), text);
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }
}

/** The text in an answer of the server: a string, or an object that holds one as `text`. */
export function textOf(answer: unknown): string | undefined {
  if (typeof answer === 'string') {
    return answer;
  }
  if (typeof answer === 'object' && answer !== null && 'text' in answer) {
    return textOf(answer.text);
  }
  return undefined;
}
