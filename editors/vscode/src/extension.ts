// cookc in VS Code: starts the language server and shows samples.

import * as vscode from 'vscode';
import { LanguageClient } from 'vscode-languageclient/node';
import { SCHEME, SERVER_COMMAND, Samples } from './sample';
import { find, type Machine, machine, missing } from './server';

let client: LanguageClient | undefined;

export async function activate(
  context: vscode.ExtensionContext,
  on: Machine = machine(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath),
): Promise<void> {
  const samples = new Samples();
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, samples),
    vscode.commands.registerCommand('cookc.showSample', () => showSample(samples)),
    vscode.commands.registerCommand('cookc.restart', () => start(samples, on)),
    vscode.workspace.onDidChangeConfiguration((change) =>
      change.affectsConfiguration('cookc.path') ? start(samples, on) : undefined,
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(() => start(samples, on)),
  );
  await start(samples, on);
}

export async function deactivate(): Promise<void> {
  const stopped = client;
  client = undefined;
  await stopped?.stop();
}

/** Starts the server, again if it runs. */
async function start(samples: Samples, on: Machine): Promise<void> {
  await deactivate();
  if (!vscode.workspace.isTrusted) {
    return;
  }
  const setting = vscode.workspace.getConfiguration('cookc').get('path', 'cookc');
  const program = await find(setting, on);
  if (program === undefined) {
    tellMissing(setting);
    return;
  }
  const server = { command: program, args: ['lsp'] };
  client = new LanguageClient('cookc', 'cookc', server, {
    documentSelector: [{ language: 'cook' }],
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher('**/*.{cook,txt}') },
    middleware: {
      // A code lens runs the server's command by its own name.
      executeCommand: async (command, parameters, next) => {
        const answer: unknown = await next(command, parameters);
        if (command === SERVER_COMMAND) {
          await samples.show(String(parameters[0]), answer);
        }
        return answer;
      },
    },
  });
  try {
    await client.start();
  } catch (failure) {
    client = undefined;
    vscode.window.showErrorMessage(`\`${program} lsp\` did not start: ${failure}`);
  }
}

/** A message with what to do; nothing waits for its buttons. */
function tellMissing(setting: string): void {
  const settings = 'Open settings';
  vscode.window.showErrorMessage(missing(setting), settings).then((choice) => {
    if (choice === settings) {
      vscode.commands.executeCommand('workbench.action.openSettings', 'cookc.path');
    }
  });
}

async function showSample(samples: Samples): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== 'cook') {
    vscode.window.showInformationMessage('Open a `.cook` file to see a sample of it.');
    return;
  }
  if (client === undefined) {
    tellMissing(vscode.workspace.getConfiguration('cookc').get('path', 'cookc'));
    return;
  }
  const uri = document.uri.toString();
  try {
    const request = { command: SERVER_COMMAND, arguments: [uri] };
    const answer = await client.sendRequest('workspace/executeCommand', request);
    await samples.show(uri, answer);
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    vscode.window.showErrorMessage(`No sample of this template: ${reason}`);
  }
}
