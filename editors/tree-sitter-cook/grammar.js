/**
 * The grammar of `.cook` for editors. It follows `grammar/cook.pest`, rule by rule and name by name;
 * `tests/agrees.rs` holds that both take and refuse the same files.
 */

// What binds how tightly, as in `src/syntax/expression.rs`.
const TIGHTNESS = {
  or: 1, and: 2, not: 3, compare: 4, range: 5, add: 6, multiply: 7, negate: 8,
};

/** One or more, with commas between. */
const listed = (rule) => seq(rule, repeat(seq(',', rule)));

/** What loops have in common: `x in xs where x in ys: body`. */
const over = ($) => [
  field('item', $.name), 'in', field('list', $._expression),
  optional(seq('where', field('filter', $._expression))), ':',
];

module.exports = grammar({
  name: 'cook',

  word: ($) => $.name,

  // The words that no name may be. `words` and `template` mean something in one place only.
  reserved: {
    global: () => [
      'use', 'param', 'level', 'rule', 'system', 'prompt', 'reply', 'fn', 'return',
      'if', 'then', 'else', 'and', 'or', 'not', 'in', 'within',
      'all', 'any', 'count', 'for', 'fold', 'over', 'where', 'true', 'false',
    ],
  },

  extras: ($) => [/[ \t\r\n]/, $.comment],

  supertypes: ($) => [$._statement, $._expression],

  inline: ($) => [$._binder],

  rules: {
    // Documentation stands before a statement; a file may be documentation only.
    file: ($) => seq(
      choice(repeat1($.doc), repeat(seq(repeat($.doc), $._statement))),
      optional(alias($._last_comment, $.comment)),
    ),

    _statement: ($) => choice(
      $.import, $.words, $.param, $.level, $.binding, $.rule, $.layout, $.function,
    ),

    import: ($) => seq('use', choice(
      seq('template', field('template', $.name)),
      seq(
        field('module', choice($.name, alias('template', $.name))), ':', listed($.name),
      ),
    )),

    words: ($) => seq(
      'words', field('name', $.name), '=', field('path', alias($._plain_text, $.text)),
    ),

    param: ($) => seq(
      'param', field('name', $.name),
      'in', field('range', choice($.range, $.group, $.list)),
      '=', field('default', $._expression),
    ),

    level: ($) => seq('level', field('name', $.name), ':', listed($.setting)),

    setting: ($) => seq(field('name', $.name), '=', field('value', $._expression)),

    binding: ($) => seq(
      field('name', $._binder), field('sign', choice('~', '=')), field('value', $._expression),
    ),

    // At the beginning of a statement `words` may be a name as well.
    _binder: ($) => choice($.name, alias('words', $.name)),

    rule: ($) => seq('rule', field('name', $.name), ':', field('relation', $._expression)),

    layout: ($) => seq(field('part', choice('system', 'prompt', 'reply')), field('text', $.text)),

    function: ($) => seq(
      'fn', field('name', $.name),
      '(', optional(listed($.parameter)), ')',
      choice('->', '~>'), field('result', $._type),
      optional(choice(seq('=', field('body', $._expression)), field('body', $.block))),
    ),

    parameter: ($) => seq(field('name', $.name), ':', field('type', $._type)),

    _type: ($) => choice($.type, $.list_type),
    list_type: ($) => seq('[', $._type, ']'),
    type: () => /[A-Za-z][A-Za-z0-9_]*/,

    block: ($) => seq(
      '{', repeat(choice($.doc, $.binding)), 'return', field('result', $._expression), '}',
    ),


    // Expressions, in three tiers: a comparison of comparisons and a range of ranges are refused.

    _expression: ($) => choice($._compared, $.comparison, $.logic),

    _compared: ($) => choice($._term, $.range),

    _term: ($) => choice(
      $.arithmetic, $.negation, $.not,
      $.choice, $.each, $.fold,
      $.boolean, $.name, $.field, $.call, $.number, $.text, $.list, $.group,
    ),

    logic: ($) => choice(
      prec.left(TIGHTNESS.or, seq($._expression, 'or', $._expression)),
      prec.left(TIGHTNESS.and, seq($._expression, 'and', $._expression)),
    ),

    not: ($) => prec(TIGHTNESS.not, seq('not', $._expression)),

    comparison: ($) => prec(TIGHTNESS.compare, seq(
      field('left', $._compared),
      field('sign', choice('==', '!=', '<=', '>=', '<', '>', 'in', 'within')),
      field('right', $._compared),
    )),

    range: ($) => prec(TIGHTNESS.range, seq(
      field('low', $._term), '..', field('high', $._term),
    )),

    arithmetic: ($) => choice(
      prec.left(TIGHTNESS.add, seq($._term, choice('+', '-'), $._term)),
      prec.left(TIGHTNESS.multiply, seq($._term, choice('*', '/', '%'), $._term)),
    ),

    negation: ($) => prec(TIGHTNESS.negate, seq('-', $._term)),

    choice: ($) => seq(
      'if', field('condition', $._expression),
      'then', field('yes', $._expression),
      'else', field('no', $._expression),
    ),

    each: ($) => seq(
      field('loop', choice('all', 'any', 'count', 'for')), ...over($),
      field('body', $._expression),
    ),

    // A fold that carries several values gives as many, with commas between.
    fold: ($) => prec.right(seq(
      'fold', choice(
        seq($.setting, 'over', ...over($), field('body', $._expression)),
        seq(
          $.setting, repeat1(seq(',', $.setting)), 'over', ...over($),
          field('body', $._expression), repeat1(seq(',', field('body', $._expression))),
        ),
      ),
    )),

    // The names of a part, and the texts that it shows.
    field: ($) => seq(field('part', $.name), repeat1(seq('.', field('name', $._field_name)))),
    _field_name: ($) => choice($.name, alias('prompt', $.name), alias('reply', $.name)),

    call: ($) => seq(field('function', $.name), '(', optional(listed($._argument)), ')'),

    _argument: ($) => choice(
      $._expression, alias($.setting, $.argument), seq('level', field('level', $.name)),
    ),

    list: ($) => seq('[', optional(listed($._expression)), ']'),

    group: ($) => seq('(', $._expression, ')'),

    boolean: () => choice('true', 'false'),


    // Texts. Between the quotes all counts, so every token in them is immediate.

    text: ($) => choice(
      seq('"""', repeat(choice($.escape, $.hole, $._block_plain)), $._block_end),
      seq('"', repeat(choice($.escape, $._line_escape, $.hole, $._line_plain)), $._line_end),
    ),

    // The path of a file has no holes.
    _plain_text: ($) => choice(
      seq('"""', repeat(choice($.escape, $._block_plain)), $._block_end),
      seq('"', repeat(choice($.escape, $._line_escape, $._line_plain)), $._line_end),
    ),

    hole: ($) => seq(token.immediate('{'), $._expression, '}'),

    escape: () => token.immediate(choice('{{', '}}')),
    _line_escape: ($) => alias($._backslash, $.escape),
    _backslash: () => token.immediate(/\\[nt"\\]/),

    // No control characters, which nobody sees.
    _line_plain: () => token.immediate(prec(1, /[^{}"\\\x00-\x08\x0a-\x1f\x7f-\x9f]+/)),
    _block_plain: () => choice(
      token.immediate(prec(1, /[^{}"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+/)), token.immediate('"'),
    ),
    _line_end: () => token.immediate('"'),
    _block_end: () => token.immediate('"""'),


    // Words and signs.

    name: () => /[a-z][a-z0-9_]*/,

    number: ($) => choice(/[0-9]+(\.[0-9]+)?/, $._number_with_letters),

    // `12ab` is no number beside a name. The first token takes all letters that there are, so the
    // second never stands behind it: whatever has this is an error, as it should be.
    _number_with_letters: () => seq(
      /[0-9]+(\.[0-9]+)?[A-Za-z_][A-Za-z0-9_]*/, token.immediate(/[A-Za-z0-9_]/),
    ),

    doc: () => token(/\/\/\/([^\/\r\n][^\r\n]*)?/),

    // Two slashes or four and more. Three are documentation, in the middle of an expression as well.
    comment: () => token(choice(
      /\/\/[^\/\r\n][^\r\n]*/, /\/\/[\r\n]/, /\/\/\/\/[^\r\n]*/,
    )),
    _last_comment: () => '//',
  },
});
