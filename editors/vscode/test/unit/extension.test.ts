// The extension before a played editor and a played language server.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { activate, deactivate } from '../../src/extension';
import type { Machine } from '../../src/server';
import { talk } from './mock/client';
import { editor, reset } from './mock/vscode';

const here: Machine = {
  path: '/usr/bin',
  home: '/home/ada',
  folder: '/project',
  windows: false,
  runs: async (file) => file === '/usr/bin/cookc',
};
const nowhere: Machine = { ...here, runs: async () => false };

async function activated(on: Machine): Promise<void> {
  await activate({ subscriptions: [] } as never, on);
}

function open(languageId: string): void {
  const uri = { toString: () => 'file:///project/copy.cook' };
  editor.activeTextEditor = { document: { languageId, uri } };
}

async function run(command: string): Promise<void> {
  const found = editor.commands.get(command);
  assert.ok(found, `${command} is registered`);
  await found();
}

beforeEach(async () => {
  await deactivate();
  reset();
  talk.clients.length = 0;
  talk.requests.length = 0;
  talk.answer = () => 'prompt  One\nreply   Two';
  talk.starts = () => {};
});

test('the language server is `cookc lsp`', async () => {
  await activated(here);
  assert.deepEqual(talk.clients[0]?.server, { command: '/usr/bin/cookc', args: ['lsp'] });
  assert.equal(talk.clients[0].running, true);
  assert.deepEqual(editor.messages, []);
});

test('without the program a message says how to install it', async () => {
  await activated(nowhere);
  assert.equal(talk.clients.length, 0);
  assert.match(editor.messages[0] ?? '', /not found as `cookc`.*cargo install cookc.*cookc\.path/);
});

test('a server that does not start is told with its reason', async () => {
  talk.starts = () => {
    throw new Error('unknown command lsp');
  };
  await activated(here);
  assert.match(editor.messages[0] ?? '', /cookc lsp.*did not start.*unknown command lsp/);
});

test('in a folder that is not trusted nothing is started', async () => {
  editor.trusted = false;
  await activated(here);
  assert.equal(talk.clients.length, 0);
});

test('a changed path starts the server again, and the old one ends', async () => {
  await activated(here);
  editor.path = '/usr/bin/cookc';
  await editor.configurationChanged?.({ affectsConfiguration: () => true });
  assert.deepEqual(
    talk.clients.map((client) => client.running),
    [false, true],
  );
});

test('the command asks the server for a sample and shows it beside the template', async () => {
  await activated(here);
  open('cook');
  await run('cookc.showSample');
  assert.deepEqual(talk.requests, [
    {
      method: 'workspace/executeCommand',
      parameters: { command: 'cookc.sample', arguments: ['file:///project/copy.cook'] },
    },
  ]);
  assert.deepEqual(editor.shown, [
    { text: 'prompt  One\nreply   Two', uri: 'cookc-sample:copy.cook.sample' },
  ]);
});

test('a code lens shows its sample too', async () => {
  await activated(here);
  const middleware = talk.clients[0]?.options.middleware;
  const next = async () => ({ text: 'from the lens' });
  await middleware?.executeCommand('cookc.sample', ['file:///project/copy.cook', 'hard'], next);
  assert.equal(editor.shown[0]?.text, 'from the lens');
});

test('other commands of the server show nothing', async () => {
  await activated(here);
  const next = async () => 'done';
  await talk.clients[0]?.options.middleware.executeCommand('cookc.other', [], next);
  assert.deepEqual(editor.shown, []);
});

test('a template with a fault gives a message, not a sample', async () => {
  talk.answer = () => {
    throw new Error('`anser` is bound nowhere');
  };
  await activated(here);
  open('cook');
  await run('cookc.showSample');
  assert.deepEqual(editor.shown, []);
  assert.match(editor.messages[0] ?? '', /No sample.*bound nowhere/);
});

test('a sample of another language is not asked for', async () => {
  await activated(here);
  open('python');
  await run('cookc.showSample');
  assert.equal(talk.requests.length, 0);
  assert.match(editor.messages[0] ?? '', /Open a `\.cook` file/);
});
