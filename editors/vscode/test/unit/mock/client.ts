// The language client, played: it keeps what it was made with and answers what a test says.

type Middleware = {
  executeCommand(
    command: string,
    parameters: unknown[],
    next: (command: string, parameters: unknown[]) => Promise<unknown>,
  ): Promise<unknown>;
};

export const talk = {
  clients: [] as LanguageClient[],
  requests: [] as { method: string; parameters: unknown }[],
  answer: (): unknown => 'a sample',
  starts: (): void => {},
};

export class LanguageClient {
  running = false;
  constructor(
    readonly id: string,
    readonly name: string,
    readonly server: { command: string; args: string[] },
    readonly options: { middleware: Middleware },
  ) {
    talk.clients.push(this);
  }
  async start(): Promise<void> {
    talk.starts();
    this.running = true;
  }
  async stop(): Promise<void> {
    this.running = false;
  }
  async sendRequest(method: string, parameters: unknown): Promise<unknown> {
    talk.requests.push({ method, parameters });
    return talk.answer();
  }
}
