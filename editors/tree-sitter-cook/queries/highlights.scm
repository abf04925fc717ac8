; What is coloured how. A later pattern wins where two fit.

(name) @variable

; Statements

["use" "words" "param" "level" "rule" "system" "prompt" "reply"] @keyword
(import "template" @keyword)
["fn" "return"] @keyword.function

(import module: (name) @module)
(param name: (name) @variable.parameter)
(parameter name: (name) @variable.parameter)
(level name: (name) @label)
(rule name: (name) @label)
(setting name: (name) @property)
(argument name: (name) @property)
(field name: (name) @property)
(call level: (name) @label)
(fold (setting name: (name) @variable))

; Functions and types

(function name: (name) @function)
(call function: (name) @function.call)
(import (name) @function)
(import template: (name) @function)
(import module: (name) @module)
(type) @type

; `vocab` is the run's own pool of words.
((name) @variable.builtin (#eq? @variable.builtin "vocab"))

; The two signs of the language

(binding sign: "~" @keyword.operator)
(binding sign: "=" @operator)

; Expressions

["if" "then" "else"] @keyword.conditional
["all" "any" "count" "for" "fold" "over" "where"] @keyword.repeat
["and" "or" "not" "in" "within"] @keyword.operator
["+" "-" "*" "/" "%" "==" "!=" "<=" ">=" "<" ">" ".." "->" "~>"] @operator
[(boolean) "true" "false"] @boolean
(number) @number

["(" ")" "[" "]"] @punctuation.bracket
(block ["{" "}"] @punctuation.bracket)
["," ":" "."] @punctuation.delimiter

; Texts

(text) @string
(escape) @string.escape
(hole ["{" "}"] @punctuation.special)

(comment) @comment
(doc) @comment.documentation
