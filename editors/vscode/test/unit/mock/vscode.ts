// The editor, played: what the extension asks of it is kept, so that a test can look.

type Callback = (...values: unknown[]) => unknown;

export const editor = {
  trusted: true,
  path: 'cookc',
  activeTextEditor: undefined as unknown,
  commands: new Map<string, Callback>(),
  messages: [] as string[],
  shown: [] as { text: string; uri: string }[],
  provider: undefined as { provideTextDocumentContent(uri: Uri): string } | undefined,
  configurationChanged: undefined as Callback | undefined,
};

/** A fresh editor for the next test. */
export function reset(): void {
  Object.assign(editor, { trusted: true, path: 'cookc', activeTextEditor: undefined });
  editor.commands.clear();
  editor.messages.length = 0;
  editor.shown.length = 0;
}

const nothing = { dispose() {} };

export class Uri {
  private constructor(private readonly text: string) {}
  static parse(text: string): Uri {
    return new Uri(text);
  }
  toString(): string {
    return this.text;
  }
}

export class EventEmitter<T> {
  private readonly listeners: ((value: T) => void)[] = [];
  event = (listener: (value: T) => void) => {
    this.listeners.push(listener);
    return nothing;
  };
  fire(value: T): void {
    for (const listener of this.listeners) {
      listener(value);
    }
  }
}

export const ViewColumn = { Beside: -2 };

export const commands = {
  registerCommand(name: string, run: Callback) {
    editor.commands.set(name, run);
    return nothing;
  },
  async executeCommand() {},
};

async function message(text: string) {
  editor.messages.push(text);
}

export const window = {
  get activeTextEditor() {
    return editor.activeTextEditor;
  },
  showErrorMessage: message,
  showInformationMessage: message,
  async showTextDocument(document: { text: string; uri: string }) {
    editor.shown.push(document);
  },
};

export const workspace = {
  workspaceFolders: undefined,
  get isTrusted() {
    return editor.trusted;
  },
  getConfiguration: () => ({ get: () => editor.path }),
  registerTextDocumentContentProvider(_scheme: string, provider: typeof editor.provider) {
    editor.provider = provider;
    return nothing;
  },
  onDidChangeConfiguration(listener: Callback) {
    editor.configurationChanged = listener;
    return nothing;
  },
  onDidGrantWorkspaceTrust: () => nothing,
  createFileSystemWatcher: () => nothing,
  async openTextDocument(uri: Uri) {
    return { text: editor.provider?.provideTextDocumentContent(uri), uri: uri.toString() };
  },
};
