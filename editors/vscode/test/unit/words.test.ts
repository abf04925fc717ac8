// The words of the language are those of cookc's own grammar.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const pest = readFileSync('../../grammar/cook.pest', 'utf8');
const colours = readFileSync('syntaxes/cook.tmLanguage.json', 'utf8');

test('every word that no name may be has a colour', () => {
  const rule = /^keyword\s+=\s+\{([^}]*)\}/m.exec(pest)?.[1] ?? '';
  const words = [...rule.matchAll(/"([a-z]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(words.length > 20, 'the grammar lists its keywords');
  const alone = (word: string) => new RegExp(`[(|b]${word}[)|\\\\]`).test(colours);
  assert.deepEqual(
    words.filter((word) => !alone(word)),
    [],
  );
});
